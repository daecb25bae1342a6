/** The findings of a report, for a person, for a pull request and for code scanning. */
import type { Finding } from "./findings.ts";
import type { Described } from "./rule.ts";
import { exceptionsAreCurrent } from "./rules/exceptions-are-current.ts";

/** What was found, without the remedy that closes each message. */
function found(finding: Finding): string {
    return finding.message.replace(`. ${finding.remedy}`, "");
}

function place({ file, line }: Finding): string {
    return file === "" ? "" : `${file}:${line}`;
}

function counts(all: readonly Finding[], judged: number): string {
    const mandatory = all.filter((each) => each.level === "mandatory").length;
    return `${judged} resources judged: ${mandatory} mandatory and ${all.length - mandatory} advisory violations.`;
}

/** For a person at a terminal: by rule, with the remedy once. */
export function asText(all: readonly Finding[], judged: number): string {
    const names = [...new Set(all.map((each) => each.rule))];
    const blocks = names.map((name) => {
        const mine = all.filter((each) => each.rule === name);
        const [first] = mine;
        const lines = mine.map((each) => `  ${found(each)}${each.file === "" ? "" : `  (${place(each)})`}`);
        return [`${name} [${first?.level ?? ""}]`, ...lines, `  -> ${first?.remedy ?? ""}`].join("\n");
    });
    return [...blocks, counts(all, judged)].join("\n\n");
}

/** A cell of a Markdown table. What stands in it comes from anybody's manifest. */
function cell(text: string): string {
    return text.replaceAll(/[\\`*_<>[\]|]/g, "\\$&").replaceAll(/\s+/g, " ");
}

/** For a pull request. */
export function asMarkdown(all: readonly Finding[], judged: number): string {
    const rows = all.map((each) => {
        const rule = `[${each.rule}](${each.reference})${each.level === "mandatory" ? "" : ` (${each.level})`}`;
        return `| ${[rule, cell(each.resource), cell(found(each)), cell(each.remedy)].join(" | ")} |`;
    });
    const table = ["| rule | resource | found | how to mend it |", "| --- | --- | --- | --- |", ...rows];
    return [counts(all, judged), ...(all.length > 0 ? ["", ...table] : [])].join("\n");
}

/** For scripts. */
export function asJson(all: readonly Finding[], judged: number): string {
    return JSON.stringify({ judged, findings: all }, null, 2);
}

/** For code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html */
export function asSarif(all: readonly Finding[], rules: readonly Described[]): object {
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
                        })),
                    },
                },
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
