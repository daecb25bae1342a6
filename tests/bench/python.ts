/** What a role's imports cost in the deployed image, beside the same imports without our start step. Processor seconds of a pod do not depend on its limits. */

interface Measured {
    readonly cpuSeconds: number;
    readonly modules: number;
    readonly residentMiB: number;
}

const roles = ["api", "worker", "init", "beat"] as const;
const rounds = 3;

/** @returns lines of a table; the two ways alternate, and each cell has the least of three */
export async function measureImports(
    kubectl: (args: readonly string[]) => Promise<string>,
): Promise<readonly string[]> {
    const measure = async (role: string, how: "plain" | "ours"): Promise<Measured> => {
        const python = ["/opt/orcheo/bin/python3", "-m"];
        const inside = [
            ...python,
            "orcheo_runtime.start",
            "run",
            ...python,
            "orcheo_runtime.measure_imports",
            role,
            how,
        ];
        const text = await kubectl(["--namespace", "orcheo", "exec", "deployment/api", "--", ...inside]);
        return JSON.parse(text.trim().split("\n").at(-1) ?? "") as Measured;
    };
    const lines = [
        "",
        "## Imports of each role (least of 3, alternating; plain beside ours)",
        "",
        "| role | CPU s plain | CPU s ours | share | modules plain | modules ours | MiB plain | MiB ours | target |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ];
    for (const role of roles) {
        const found: Record<"plain" | "ours", Measured[]> = { plain: [], ours: [] };
        for (let round = 0; round < rounds; round++) {
            found.plain.push(await measure(role, "plain"));
            found.ours.push(await measure(role, "ours"));
        }
        const least = (how: "plain" | "ours", key: keyof Measured): number =>
            Math.min(...found[how].map((each) => each[key]));
        const both = (key: keyof Measured): readonly [number, number] => [least("plain", key), least("ours", key)];
        const [plain, ours] = both("cpuSeconds");
        const share = `${((ours / plain) * 100).toFixed(0)} %`;
        const cells = [
            role,
            plain,
            ours,
            share,
            ...both("modules"),
            ...both("residentMiB"),
            role === "beat" ? "" : "<= 50 %",
        ];
        lines.push(`| ${cells.join(" | ")} |`);
    }
    return lines;
}
