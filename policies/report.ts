/**
 * Judges what is already written down, without Pulumi's engine:
 *
 *     node policies/report.ts [--json | --sarif | --markdown] FILE…
 *
 * A FILE holds Kubernetes manifests (YAML of any number of documents, or JSON), a `pulumi stack export`, or a
 * `pulumi preview --json`; `-` is standard input. Exit code 1 when a mandatory rule is broken, 2 when a file cannot be read.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { parseAllDocuments } from "yaml";

import { judge, judgeStack } from "./judge.ts";
import type { Level, Resource, Rule, Settings } from "./rule.ts";
import { rules } from "./table.ts";
import { at, fields, list, text } from "./values.ts";

export interface Finding {
    readonly rule: string;
    readonly level: Level;
    /** `Kind::name`, as exceptions name it; `stack` for the whole. */
    readonly resource: string;
    /** The file that the resource stands in. */
    readonly file: string;
    readonly message: string;
    readonly remedy: string;
    readonly reference: string;
}

/** A resource and the file it was read from. */
export interface Located {
    readonly file: string;
    readonly resource: Resource;
}

/** The resource as its manifest gives it. Lists are taken apart. */
function fromManifest(object: unknown, file: string): readonly Located[] {
    const kind = text(at(object, "kind"));
    const apiVersion = text(at(object, "apiVersion"));
    if (kind === undefined || apiVersion === undefined) return [];
    if (kind.endsWith("List") && Array.isArray(at(object, "items"))) {
        return list(at(object, "items")).flatMap((item) => fromManifest(item, file));
    }
    const name = text(at(object, "metadata", "name")) ?? text(at(object, "metadata", "generateName")) ?? "";
    const version = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
    const type = `kubernetes:${version}:${kind}`;
    const namespace = text(at(object, "metadata", "namespace")) ?? "";
    return [{ file, resource: { type, name, urn: `${file}#${namespace}/${type}::${name}`, props: fields(object) } }];
}

/** The resource as Pulumi's state gives it. */
function fromState(state: unknown, file: string): readonly Located[] {
    const [type, urn] = [text(at(state, "type")), text(at(state, "urn"))];
    if (type === undefined || urn === undefined) return [];
    const name = urn.split("::").at(-1) ?? "";
    const sources = fields(at(state, "propertyDependencies"));
    const props = fields(at(state, "inputs"));
    const options = { protect: at(state, "protect") === true };
    return [{ file, resource: { type, urn, name, props, options, sources: sourcesOf(sources) } }];
}

function sourcesOf(given: Readonly<Record<string, unknown>>): Record<string, readonly string[]> {
    return Object.fromEntries(
        Object.entries(given).map(([key, urns]) => [key, list(urns).filter((each) => typeof each === "string")]),
    );
}

/**
 * Every resource in a file's text.
 *
 * @throws when the text is neither YAML nor JSON
 */
export function resourcesIn(content: string, file: string): readonly Located[] {
    return parseAllDocuments(content).flatMap((document) => {
        const [problem] = document.errors;
        if (problem !== undefined) throw new Error(`${file}: ${problem.message}`);
        // Merge keys and anchors of a hostile file may not blow up: the parser bounds aliases.
        const value: unknown = document.toJS({ maxAliasCount: 100 });
        const exported = at(value, "deployment", "resources");
        if (Array.isArray(exported)) return list(exported).flatMap((each) => fromState(each, file));
        const steps = at(value, "steps");
        if (Array.isArray(steps)) return list(steps).flatMap((step) => fromState(at(step, "newState"), file));
        return fromManifest(value, file);
    });
}

/** Judges the resources by every rule. */
export function findings(
    located: readonly Located[],
    all: readonly Rule[],
    settings: Readonly<Record<string, Settings>> = {},
): readonly Finding[] {
    const resources = located.map(({ resource }) => resource);
    const fileOf = new Map(located.map(({ file, resource }) => [resource, file]));
    return all.flatMap((rule) => {
        const given = settings[rule.name];
        const broken: readonly { resource?: Resource; message: string }[] =
            rule.scope === "stack"
                ? judgeStack(rule, resources, given)
                : resources.flatMap((resource) =>
                      judge(rule, resource, given).map((message) => ({ resource, message })),
                  );
        return broken.map(({ resource, message }) => ({
            rule: rule.name,
            level: rule.level,
            resource:
                resource === undefined
                    ? "stack"
                    : `${resource.type.slice(resource.type.lastIndexOf(":") + 1)}::${resource.name}`,
            file: (resource === undefined ? undefined : fileOf.get(resource)) ?? "",
            message,
            remedy: rule.remedy,
            reference: rule.reference.url,
        }));
    });
}

/** What was found, without the remedy that closes each message. */
function found(finding: Finding): string {
    return finding.message.replace(`. ${finding.remedy}`, "");
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
        const lines = mine.map((each) => `  ${found(each)}${each.file === "" ? "" : `  (${each.file})`}`);
        return [`${name} [${first?.level ?? ""}]`, ...lines, `  -> ${first?.remedy ?? ""}`].join("\n");
    });
    return [...blocks, counts(all, judged)].join("\n\n");
}

/** For a pull request. */
export function asMarkdown(all: readonly Finding[], judged: number): string {
    const cell = (value: string): string => value.replaceAll("|", "\\|").replaceAll("\n", " ");
    const rows = all.map(
        (each) =>
            `| [${each.rule}](${each.reference}) | ${cell(each.resource)} | ${cell(found(each))} | ${cell(each.remedy)} |`,
    );
    const table = ["| rule | resource | found | how to mend it |", "| --- | --- | --- | --- |", ...rows];
    return [counts(all, judged), ...(all.length > 0 ? ["", ...table] : [])].join("\n");
}

/** For code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
export function asSarif(all: readonly Finding[], rulesJudged: readonly Rule[]): object {
    return {
        $schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [
            {
                tool: {
                    driver: {
                        name: "orcheo-policies",
                        rules: rulesJudged.map((rule) => ({
                            id: rule.name,
                            shortDescription: { text: rule.description },
                            help: { text: rule.remedy },
                            helpUri: rule.reference.url,
                            defaultConfiguration: { level: rule.level === "mandatory" ? "error" : "warning" },
                        })),
                    },
                },
                results: all.map((each) => ({
                    ruleId: each.rule,
                    level: each.level === "mandatory" ? "error" : "warning",
                    message: { text: each.message },
                    locations: [
                        {
                            ...(each.file === "" ? {} : { physicalLocation: { artifactLocation: { uri: each.file } } }),
                            logicalLocations: [{ fullyQualifiedName: each.resource }],
                        },
                    ],
                })),
            },
        ],
    };
}

function main(): number {
    const { values, positionals } = parseArgs({
        allowPositionals: true,
        options: { json: { type: "boolean" }, sarif: { type: "boolean" }, markdown: { type: "boolean" } },
    });
    if (positionals.length === 0) {
        console.error("usage: node policies/report.ts [--json | --sarif | --markdown] FILE…");
        return 2;
    }
    let located: readonly Located[];
    try {
        located = positionals.flatMap((file) => resourcesIn(readFileSync(file === "-" ? 0 : file, "utf8"), file));
    } catch (error) {
        console.error(error instanceof Error ? error.message : String(error));
        return 2;
    }
    const all = findings(located, rules);
    if (values.json === true) console.log(JSON.stringify({ judged: located.length, findings: all }, null, 2));
    else if (values.sarif === true) console.log(JSON.stringify(asSarif(all, rules), null, 2));
    else if (values.markdown === true) console.log(asMarkdown(all, located.length));
    else console.log(asText(all, located.length));
    return all.some((each) => each.level === "mandatory") ? 1 : 0;
}

if (import.meta.main) process.exitCode = main();
