/** The runbooks' own commands: the tests run them as a reader would. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../../local/paths.ts";

export interface Block {
    readonly language: "sh" | "promql";
    readonly text: string;
}

/** The blocks of commands and queries in the sections of a runbook that `wanted` picks, in their order. */
export function blocksIn(runbook: string, wanted: (section: string) => boolean): Block[] {
    const text = readFileSync(join(projectDir, "docs", "runbooks", runbook), "utf8");
    return text
        .split(/^## /m)
        .filter(wanted)
        .flatMap((section) =>
            [...section.matchAll(/^```(sh|promql)\n(.*?)^```$/gms)].map(([, language, text = ""]) => ({
                language: language as Block["language"],
                text,
            })),
        );
}

/** The blocks of commands alone. */
export const blocks = (runbook: string, wanted: (section: string) => boolean): string[] =>
    blocksIn(runbook, wanted).flatMap(({ language, text }) => (language === "sh" ? [text] : []));

/** The commands of a runbook in their order. `without`: the beginning of the sections left out. */
export const commands = (runbook: string, without?: string): string =>
    blocks(runbook, (section) => without === undefined || !section.startsWith(without)).join("");
