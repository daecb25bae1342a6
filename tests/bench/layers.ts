/** What each layer of the API's server costs, in the deployed image: layers.py. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** @returns lines of a table; the layers alternate, and each has the least of three */
export async function measureLayers(
    kubectl: (args: readonly string[], input?: string) => Promise<string>,
): Promise<readonly string[]> {
    const script = readFileSync(join(import.meta.dirname, "layers.py"), "utf8");
    const python = "/opt/orcheo/bin/python3";
    const command = [python, "-m", "orcheo_runtime.start", "run", python, "-"];
    const text = await kubectl(
        ["--namespace", "orcheo", "exec", "--stdin", "deployment/api", "--", ...command],
        script,
    );
    const found = Object.entries(JSON.parse(text.trim().split("\n").at(-1) ?? "") as Record<string, number>);
    return [
        "",
        "## Layers of the API's server (a handler that does nothing; least of 3, alternating)",
        "",
        "| with, beside those above | CPU ms/request | more |",
        "| --- | --- | --- |",
        ...found.map(([layer, milliseconds], index) => {
            const more = milliseconds - (found[index - 1]?.[1] ?? milliseconds);
            return `| ${layer} | ${milliseconds.toFixed(3)} | ${index === 0 ? "" : more.toFixed(3)} |`;
        }),
    ];
}
