/** Lines of the embedded cluster's log store, by the commands of the docs. */
import { block } from "../docs.ts";
import { attempt } from "./harness.ts";

export type Line = Readonly<Record<string, string>>;

/** The command of docs/logs.md, and the function that it defines. */
export const logsCommand = block("logs.md", "logs() {");
const define = logsCommand.slice(0, logsCommand.indexOf("\n}\n") + 3);

/** The lines that a documented command finds. @throws when it fails */
export async function found(script: string): Promise<readonly Line[]> {
    const commands = script.includes("logs() {") ? script : `${define}${script}`;
    const { code, output } = await attempt("bash", ["-c", `set -euo pipefail\n${commands}`]);
    if (code !== 0) throw new Error(output);
    return output
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Line);
}

/** The lines that a query of LogsQL finds. */
export const logs = (query: string): Promise<readonly Line[]> => found(`logs '${query}'`);
