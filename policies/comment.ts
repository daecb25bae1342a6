/** A pull request's comment about a preview: what matters first, and nothing left out without a word. */
import type { Change, Ranked } from "./changes.ts";
import { worded as wordedCost, type Estimate } from "./cost.ts";
import type { Finding } from "./findings.ts";
import { fitted, type Item, type Section } from "./fit.ts";
import { cell, found } from "./formats.ts";
import type { ImageChange } from "./image-packages.ts";
import { gradeOf, severities } from "./profiles.ts";
import { fileHoldsSecret } from "./secrets.ts";

export interface Review {
    readonly stack: string;
    readonly passed: boolean;
    readonly ranked: Ranked;
    /** How many resources stay as they are. */
    readonly unchanged: number;
    readonly findings: readonly Finding[];
    /** What the policies could not evaluate. */
    readonly notEvaluated: readonly string[];
    readonly images: readonly ImageChange[];
    readonly cost: { readonly before: Estimate; readonly after: Estimate };
    /** What the preview said. */
    readonly errors: readonly string[];
    readonly warnings: readonly string[];
}

/** Foreign text as one line of Markdown. */
const line = (value: string): string => cell(fileHoldsSecret(value) ? "(not shown: it may hold a secret)" : value);
const code = (value: string): string => `\`${value.replaceAll("`", "'").replaceAll(/\s+/g, " ")}\``;

function titleOf(change: Change): string {
    const notes = [
        ...(change.replacedBy.length > 0 ? [`by ${change.replacedBy.map(code).join(", ")}`] : []),
        ...(change.restart === undefined ? [] : [change.restart]),
        ...((change.action === "delete" || change.action === "replace") && change.isProtected
            ? ["it is protected: the update will be refused"]
            : []),
        ...(change.action === "delete" && change.isRetained ? ["only from the state: it stays"] : []),
    ];
    const noted = notes.length === 0 ? "" : `: ${notes.join("; ")}`;
    return `- **${change.action}** ${code(`${change.type} ${change.name}`)}${noted}`;
}

const itemOf = (change: Change): Item => ({
    title: titleOf(change),
    details: change.properties.map(
        ({ path, before, after }) => `  - ${code(path)}: ${code(before)} becomes ${code(after)}`,
    ),
});

function changesSection(
    heading: string,
    changes: readonly Change[],
    always: readonly string[] = [],
): readonly Section[] {
    if (changes.length === 0) return [];
    return [{ heading: `#### ${heading} (${changes.length})`, always, items: changes.map(itemOf) }];
}

function findingsSection(findings: readonly Finding[], notEvaluated: readonly string[]): readonly Section[] {
    const rank = ({ level, rule }: Finding): number =>
        (level === "mandatory" ? 0 : severities.length) + severities.indexOf(gradeOf(rule).severity);
    const items = findings
        .toSorted((one, other) => rank(one) - rank(other))
        .map((each) => ({
            title: `- **${each.level}** [${each.rule}](${each.reference}), ${each.severity}: ${line(found(each))}`,
            details: [`  - How to fix it: ${line(each.remedy)}`],
        }));
    const mandatory = findings.filter(({ level }) => level === "mandatory").length;
    const count = `${mandatory} mandatory and ${findings.length - mandatory} advisory`;
    if (items.length === 0 && notEvaluated.length === 0)
        return [{ heading: "#### Policies", always: ["Nothing breaks a rule."], items: [] }];
    return [
        {
            heading: `#### Violations of policies: ${count}`,
            always: [],
            items: [
                ...items,
                ...notEvaluated.map((each) => ({ title: `- not evaluated: ${line(each)}`, details: [] })),
            ],
        },
    ];
}

const usd = (amount: number): string => `$${amount.toFixed(2)}`;

function costSection({ before, after }: Review["cost"]): readonly Section[] {
    const nothing = [before, after].every(({ lines, unpriced }) => lines.length === 0 && unpriced.length === 0);
    if (nothing)
        return [{ heading: "#### Cost", always: ["No resource of the stack has a price of its own."], items: [] }];
    const difference = after.totalUsd - before.totalUsd;
    const sign = difference < 0 ? "-" : "+";
    const totals = `${usd(before.totalUsd)} before, ${usd(after.totalUsd)} after (${sign}${usd(Math.abs(difference))}) a month`;
    return [{ heading: "#### Cost", always: [`${totals}, ${line(wordedCost(after))}`], items: [] }];
}

function imagesSection(images: readonly ImageChange[]): readonly Section[] {
    if (images.length === 0) return [];
    const items = images.map(({ repository, before, after, packages }): Item => {
        const named = (rest: string): string => code(`${repository}${rest}`);
        if (after === undefined) return { title: `- ${named(before ?? "")} is not used any more`, details: [] };
        if (before === undefined) return { title: `- ${named(after)} is new`, details: [] };
        const known = typeof packages === "string" ? line(packages) : `${packages.length} packages differ`;
        return {
            title: `- ${named(before)} becomes ${code(after)}: ${known}`,
            details: typeof packages === "string" ? [] : packages.map((each) => `  - ${line(each)}`),
        };
    });
    return [{ heading: `#### Images (${images.length})`, always: [], items }];
}

const messages = (heading: string, all: readonly string[]): readonly Section[] =>
    all.length === 0
        ? []
        : [
              {
                  heading: `#### ${heading} (${all.length})`,
                  always: [],
                  items: all.map((each) => ({ title: `- ${line(each)}`, details: [] })),
              },
          ];

export function sectionsOf(review: Review): readonly Section[] {
    const { data, replacements, restarts, deletions, rest } = review.ranked;
    const counts = [
        [data, "with data deleted or replaced"],
        [replacements, "replaced"],
        [restarts, "restarted"],
        [deletions, "deleted"],
        [rest, "other changes"],
    ] as const;
    const changed = counts
        .filter(([changes]) => changes.length > 0)
        .map(([changes, what]) => `${changes.length} ${what}`);
    const summary = changed.length === 0 ? "Nothing changes" : changed.join(", ");
    return [
        {
            heading: `### Preview of ${code(review.stack)}: ${review.passed ? "passed" : "failed"}`,
            always: [`${summary}; ${review.unchanged} unchanged.`],
            items: [],
        },
        ...messages("Errors", review.errors),
        ...changesSection("Data is deleted or replaced", data, ["Check first that a backup of it can be restored."]),
        ...changesSection("Replaced", replacements),
        ...changesSection("Restarted", restarts),
        ...changesSection("Deleted", deletions),
        ...findingsSection(review.findings, review.notEvaluated),
        ...imagesSection(review.images),
        ...costSection(review.cost),
        ...messages("Warnings", review.warnings),
        ...changesSection("Other changes", rest),
    ];
}

/** The whole, without a limit. */
export const wholeOf = (review: Review): string =>
    `${fitted(sectionsOf(review), Number.POSITIVE_INFINITY, "").join("\n").trim()}\n`;

/** The comment. @param where  a sentence's end that says where the whole is; @param marker  what finds it again */
export function commentOf(review: Review, bytes: number, where: string, marker: string): string {
    const ends = [marker, "", `The whole: ${where}.`];
    const taken = Buffer.byteLength(ends.join("\n")) + 8;
    const body = fitted(sectionsOf(review), bytes - taken, `the whole has them: ${where}`)
        .join("\n")
        .trim();
    return `${marker}\n${body}\n\nThe whole: ${where}.\n`;
}
