/** The runbooks' own commands: the tests run them as a reader would. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../../local/paths.ts";

/** The commands of a runbook in their order. `without`: the beginning of the sections left out. */
export function commands(runbook: string, without?: string): string {
    const text = readFileSync(join(projectDir, "docs", "runbooks", runbook), "utf8");
    const sections = text.split(/^## /m).filter((section) => without === undefined || !section.startsWith(without));
    return sections
        .flatMap((section) => [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block))
        .join("");
}
