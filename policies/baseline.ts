/** Findings that are known, by an earlier report: what remains is new. */
import type { Finding } from "./findings.ts";
import { at, text } from "./values.ts";

/** Where a finding stands may change; what was found in which resource is what makes it known. */
const keyOf = (finding: unknown): string =>
    JSON.stringify(["rule", "resource", "message"].map((key) => text(at(finding, key)) ?? ""));

/**
 * The findings that an earlier report does not have, or has less often.
 *
 * @param report  the text of a report as `--json`; undefined to keep all
 * @param file    its name, for the message
 * @throws when it is no such report
 */
export function since(all: readonly Finding[], report: string | undefined, file = ""): readonly Finding[] {
    if (report === undefined) return all;
    let known: unknown;
    try {
        known = at(JSON.parse(report), "findings");
    } catch {
        known = undefined;
    }
    if (!Array.isArray(known)) throw new Error(`${file}: not a report made with --json`);
    const left = new Map<string, number>();
    for (const each of known) left.set(keyOf(each), (left.get(keyOf(each)) ?? 0) + 1);
    return all.filter((each) => {
        const key = keyOf(each);
        const count = left.get(key) ?? 0;
        if (count > 0) left.set(key, count - 1);
        return count === 0;
    });
}
