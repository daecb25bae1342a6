/** The table of docs/reliability.md: each alert with its fault, and the seconds until it fired and until it was resolved. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { projectDir } from "../../../local/paths.ts";
import type { Row } from "./story.ts";
import { type AlertName, allFaults } from "./faults.ts";

const document = join(projectDir, "docs", "reliability.md");

/** Cells of the table's lines, by the first of them. */
export function tableIn(text: string, head: string): Record<string, readonly string[]> {
    const lines = text.split("\n");
    const start = lines.findIndex((line) => line.replaceAll(/ +/g, " ").startsWith(head));
    if (start === -1) throw new Error(`there is no table ${head}`);
    const rows = lines.slice(start + 2);
    const end = rows.findIndex((line) => !line.startsWith("|"));
    const cells = rows.slice(0, end === -1 ? undefined : end).map((line) =>
        line
            .split("|")
            .slice(1, -1)
            .map((cell) => cell.trim().replaceAll("`", "")),
    );
    return Object.fromEntries(cells.map(([first = "", ...others]) => [first, others]));
}

export const measuredHead = "| alert | fault |";

/** The document with what was measured now; rows of other alerts stay. */
export function withMeasured(text: string, rows: readonly Row[]): string {
    const before = tableIn(text, measuredHead);
    const measured = new Map(rows.map((row) => [row.alert, [row.secondsToFire, row.secondsToResolve].map(Math.round)]));
    const lines = (Object.keys(allFaults) as AlertName[]).flatMap((alert) => {
        const seconds = measured.get(alert) ?? before[alert]?.slice(1);
        return seconds === undefined ? [] : [`| ${[`\`${alert}\``, allFaults[alert], ...seconds].join(" | ")} |`];
    });
    const [all = "", head = ""] = /^(\| alert +\| fault .*\n\|.*\n)(?:\|.*\n)*/m.exec(text) ?? [];
    return text.replace(all, () => `${head}${lines.join("\n")}\n`);
}

/** Writes them into docs/reliability.md. */
export async function writeMeasured(rows: readonly Row[]): Promise<void> {
    const text = withMeasured(readFileSync(document, "utf8"), rows);
    writeFileSync(document, await format(text, { ...(await resolveConfig(document)), filepath: document }));
}
