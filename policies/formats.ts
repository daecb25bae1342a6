/** The findings of a report, for a person, for a pull request and for code scanning. */
import type { Finding } from "./findings.ts";
import type { Inputs } from "./inputs.ts";
import { gradeOf, severities } from "./profiles.ts";
import { worded } from "./read.ts";
import type { Described } from "./rule.ts";
import { exceptionsAreCurrent } from "./rules/exceptions-are-current.ts";

/** What was found, without the remedy that closes each message. */
export function found(finding: Finding): string {
    return finding.message.replace(`. ${finding.remedy}`, "");
}

function place({ file, line }: Finding): string {
    return file === "" ? "" : `${file}:${line}`;
}

function counts(all: readonly Finding[], { located }: Inputs): string {
    const mandatory = all.filter((each) => each.level === "mandatory").length;
    const bySeverity = severities
        .map((severity) => [severity, all.filter((each) => each.severity === severity).length] as const)
        .filter(([, count]) => count > 0)
        .map(([severity, count]) => `${count} ${severity}`);
    const graded = bySeverity.length === 0 ? "" : ` (${bySeverity.join(", ")})`;
    const total = `${mandatory} mandatory and ${all.length - mandatory} advisory violations`;
    return `${located.length} resources evaluated: ${total}${graded}.`;
}

/** What was found in one resource. */
interface Group {
    readonly title: string;
    readonly findings: readonly Finding[];
}

const rank = ({ severity }: Finding): number => severities.indexOf(severity);

/** The findings by resource, the worst first; each resource's by severity. */
export function byResource(all: readonly Finding[]): readonly Group[] {
    const groups = new Map<string, Finding[]>();
    for (const each of all) {
        const key = JSON.stringify([each.resource, each.file, each.line]);
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [each]);
        else group.push(each);
    }
    const sorted = [...groups.values()].map((group) => group.toSorted((one, other) => rank(one) - rank(other)));
    const worst = (group: readonly Finding[]): number => Math.min(...group.map(rank));
    return sorted
        .toSorted((one, other) => worst(one) - worst(other) || other.length - one.length)
        .map((group) => {
            const [first] = group;
            const where = first === undefined ? "" : place(first);
            return { title: `${first?.resource ?? ""}${where === "" ? "" : `  (${where})`}`, findings: group };
        });
}

/** One line for each rule that a resource breaks; how often, where it is more than once. */
function lines(group: readonly Finding[]): readonly string[] {
    return [...new Set(group.map((each) => each.rule))].flatMap((rule) => {
        const [first, ...more] = group.filter((each) => each.rule === rule);
        if (first === undefined) return [];
        const level = first.level === "mandatory" ? "" : ` [${first.level}]`;
        const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
        return [`  ${first.severity.padEnd(8)}  ${rule}${level}: ${found(first)}${others}`];
    });
}

/** For a person at a terminal: by resource, then how to fix each rule, once. */
export function asText(all: readonly Finding[], inputs: Inputs): string {
    const blocks = byResource(all).map(({ title, findings }) => [title, ...lines(findings)].join("\n"));
    const remedies = new Map(all.map((each) => [each.rule, each.remedy]));
    const fixes = [...remedies].map(([rule, remedy]) => `  ${rule} -> ${remedy}`);
    return [...blocks, ...(fixes.length === 0 ? [] : [["How to fix", ...fixes].join("\n")]), counts(all, inputs)].join(
        "\n\n",
    );
}

/** A cell of a Markdown table. What stands in it comes from anybody's manifest. */
export function cell(text: string): string {
    return text.replaceAll(/[\\`*_<>[\]|]/g, "\\$&").replaceAll(/\s+/g, " ");
}

/** For a pull request. */
export function asMarkdown(all: readonly Finding[], inputs: Inputs): string {
    const rows = byResource(all).flatMap(({ findings }) =>
        findings.map((each) => {
            const rule = `[${each.rule}](${each.reference})${each.level === "mandatory" ? "" : ` (${each.level})`}`;
            return `| ${[cell(each.resource), each.severity, rule, cell(found(each)), cell(each.remedy)].join(" | ")} |`;
        }),
    );
    const table = [
        "| resource | severity | rule | found | how to fix it |",
        "| --- | --- | --- | --- | --- |",
        ...rows,
    ];
    const left = inputs.problems.map((each) => `- not evaluated: ${cell(worded(each))}`);
    return [
        counts(all, inputs),
        ...(all.length > 0 ? ["", ...table] : []),
        ...(left.length > 0 ? ["", ...left] : []),
    ].join("\n");
}

/** For scripts. */
export function asJson(all: readonly Finding[], { located, problems, skipped }: Inputs): string {
    return JSON.stringify({ evaluated: located.length, findings: all, notEvaluated: problems, skipped }, null, 2);
}

const noInputs: Inputs = { located: [], problems: [], skipped: [] };
/** GitHub's scale of 0 to 10. */
const scores = { critical: "9.5", high: "8.0", medium: "5.5", low: "3.0" };

/** For code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html */
export function asSarif(all: readonly Finding[], rules: readonly Described[], { problems }: Inputs = noInputs): object {
    const level = (each: { readonly level: string }): string => (each.level === "mandatory" ? "error" : "warning");
    return {
        $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [
            {
                tool: {
                    driver: {
                        name: "orcheo-policies",
                        rules: [...rules, exceptionsAreCurrent].map((rule) => ({
                            id: rule.name,
                            shortDescription: { text: rule.description },
                            help: { text: rule.remedy },
                            helpUri: rule.reference.url,
                            defaultConfiguration: { level: level(rule) },
                            properties: { "security-severity": scores[gradeOf(rule.name).severity] },
                        })),
                    },
                },
                invocations: [
                    {
                        executionSuccessful: problems.length === 0,
                        toolExecutionNotifications: problems.map((each) => ({
                            level: "error",
                            message: { text: worded(each) },
                        })),
                    },
                ],
                results: all.map((each) => ({
                    ruleId: each.rule,
                    level: level(each),
                    message: { text: each.message },
                    locations: [
                        {
                            // A code scanner shows a result only at a line of a file.
                            physicalLocation: {
                                artifactLocation: { uri: encodeURI(each.file) },
                                region: { startLine: each.line },
                            },
                            logicalLocations: [{ fullyQualifiedName: each.resource }],
                        },
                    ],
                })),
            },
        ],
    };
}
