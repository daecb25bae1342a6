/** The runbooks' own commands: the tests run them as a reader would. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../../local/paths.ts";

/** The blocks of commands in the sections of a runbook that `wanted` picks, in their order. */
export function blocks(runbook: string, wanted: (section: string) => boolean): string[] {
    const text = readFileSync(join(projectDir, "docs", "runbooks", runbook), "utf8");
    return text
        .split(/^## /m)
        .filter(wanted)
        .flatMap((section) => [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block));
}

/** The commands of a runbook in their order. `without`: the beginning of the sections left out. */
export const commands = (runbook: string, without?: string): string =>
    blocks(runbook, (section) => without === undefined || !section.startsWith(without)).join("");
