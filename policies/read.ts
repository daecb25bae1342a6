/** Reads resources from files: Kubernetes manifests, Compose files, exports of a Pulumi stack, previews. */
import { isCollection, isNode, LineCounter, parseAllDocuments, visit, type Document } from "yaml";

import { composeRemedies, fromCompose, hiddenInCompose, isCompose } from "./compose.ts";
import type { Located } from "./findings.ts";
import { unbounded } from "./bounds.ts";
import { typeOf } from "./kinds.ts";
import { at, fields, isObject, strings, text, unknownText, type Fields } from "./values.ts";

/** The line on which the value at a path begins. */
type LineOf = (path: readonly (string | number)[]) => number;

/** Something that could not be evaluated. */
export interface Problem {
    readonly file: string;
    readonly line: number;
    readonly reason: string;
    /** It is whole, and no resource: what else lies in a folder. */
    readonly foreign?: true;
}

/** What a text holds, and what in it could not be evaluated. */
export interface Contents {
    readonly located: readonly Located[];
    readonly problems: readonly Problem[];
}

function together(all: readonly Contents[]): Contents {
    return { located: all.flatMap(({ located }) => located), problems: all.flatMap(({ problems }) => problems) };
}

const none: Contents = { located: [], problems: [] };
const problem = (file: string, line: number, reason: string): Contents => ({
    located: [],
    problems: [{ file, line, reason }],
});

/** The resource as its manifest gives it. Lists are taken apart. */
function fromManifest(
    object: unknown,
    file: string,
    lineOf: LineOf,
    path: readonly (string | number)[] = [],
    inList: { readonly kind?: string; readonly apiVersion?: string } = {},
): Contents {
    if (object === null || object === undefined) return none;
    const kind = text(at(object, "kind")) ?? inList.kind;
    const apiVersion = text(at(object, "apiVersion")) ?? inList.apiVersion;
    if (kind === undefined || apiVersion === undefined) {
        const reason =
            "neither a Kubernetes object, nor a Compose file, nor an export of a stack, nor a preview in JSON";
        return { located: [], problems: [{ file, line: lineOf(path), reason, foreign: true }] };
    }
    const items = at(object, "items");
    if (kind.endsWith("List") && Array.isArray(items)) {
        // The items of a PodList need not say that they are Pods.
        const own = kind === "List" ? {} : { kind: kind.slice(0, -"List".length), apiVersion };
        return together(items.map((item, index) => fromManifest(item, file, lineOf, [...path, "items", index], own)));
    }
    const huge = unbounded(object);
    if (huge !== undefined) return problem(file, lineOf(path), huge);
    const name = text(at(object, "metadata", "name")) ?? text(at(object, "metadata", "generateName")) ?? "";
    const type = typeOf(apiVersion, kind);
    const urn = `${file}#${text(at(object, "metadata", "namespace")) ?? ""}/${type}::${name}`;
    const resource = { type, name, urn, props: fields(object) };
    return { located: [{ file, line: lineOf(path), resource }], problems: [] };
}

// How Pulumi's state marks a secret. https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go
const secretMark = { key: "4dabf18193072939515e22adb298388d", value: "1b47061264138c4ac30d75fd1eb44270" };

/** A value of a state: a secret is what it holds, where the export shows it, or else unknown. */
function revealed(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(revealed);
    // What a preview writes for a secret.
    if (!isObject(value)) return value === "[secret]" ? unknownText : value;
    if (value[secretMark.key] === secretMark.value)
        return revealed(fromJson(text(value["plaintext"]) ?? "") ?? unknownText);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

/** The resource as Pulumi's state gives it. `providers` holds the inputs of the providers among the states, by URN. */
function fromState(state: unknown, file: string, providers: ReadonlyMap<string, Fields>): Contents {
    const [type, urn] = [text(at(state, "type")), text(at(state, "urn"))];
    if (type === undefined || urn === undefined) return problem(file, 1, "a resource without type or urn");
    const huge = unbounded(state);
    if (huge !== undefined) return problem(file, 1, `${urn}: ${huge}`);
    const name = urn.split("::").at(-1) ?? "";
    const sources = Object.entries(fields(at(state, "propertyDependencies"))).map(([key, urns]) => [
        key,
        strings(urns),
    ]);
    // With the default tags of a provider that is not in the file.
    const tagsAll = at(state, "outputs", "tagsAll");
    const props = fields(revealed(at(state, "inputs")));
    const resource = {
        ...{ type, urn, name, props: tagsAll === undefined ? props : { ...props, tagsAll: revealed(tagsAll) } },
        options: { protect: at(state, "protect") === true },
        // The reference is the provider's URN and its id.
        provider: providers.get((text(at(state, "provider")) ?? "").replace(/::[^:]*$/, "")),
        sources: Object.fromEntries(sources) as Record<string, readonly string[]>,
    };
    return { located: [{ file, line: 1, resource }], problems: [] };
}

/** The resources among the states, each once: of a replacement there are several, and one that is yet to be deleted. */
function fromStates(states: readonly unknown[], file: string): Contents {
    const living = states.filter((state) => at(state, "delete") !== true);
    const byUrn = new Map(living.map((state, index) => [text(at(state, "urn")) ?? index, state]));
    const known = [...byUrn]
        .filter(
            ([, state]) => text(at(state, "type"))?.startsWith("pulumi:providers:") && unbounded(state) === undefined,
        )
        .map(([urn, state]) => [String(urn), fields(revealed(at(state, "inputs")))] as const);
    const providers = new Map(known);
    return together([...byUrn.values()].map((state) => fromState(state, file, providers)));
}

/** The services of a Compose file. */
function fromComposeFile(value: unknown, file: string, lineOf: LineOf): Contents {
    const hidden = hiddenInCompose(value);
    if (hidden !== undefined) {
        const reason = `a Compose file, which ${hidden}: evaluate the output of \`docker compose config\` instead`;
        return problem(file, lineOf([]), reason);
    }
    const located = fromCompose(value).map(({ path, ...resource }) => ({
        file,
        line: lineOf(path),
        remedies: composeRemedies,
        resource: { ...resource, urn: `${file}#/${resource.type}::${resource.name}` },
    }));
    return { located, problems: [] };
}

/** The most values of a file: no list is longer, and aliases of aliases stand for more. */
const largest = 20_000_000;

/** A whole document, of whichever sort it is. */
function fromDocument(value: unknown, file: string, lineOf: LineOf): Contents {
    const exported = at(value, "deployment", "resources");
    if (Array.isArray(exported)) return fromStates(exported, file);
    const steps = at(value, "steps");
    if (Array.isArray(steps)) {
        // A step that deletes has no new state.
        const states = steps.map((step) => at(step, "newState")).filter((state) => state !== undefined);
        return fromStates(states, file);
    }
    const huge = unbounded(value, largest);
    if (huge === undefined && isCompose(value)) return fromComposeFile(value, file, lineOf);
    return huge === undefined ? fromManifest(value, file, lineOf) : problem(file, lineOf([]), huge);
}

/** The value of a JSON text; undefined for any other. */
function fromJson(content: string): unknown {
    try {
        return JSON.parse(content);
    } catch {
        return undefined;
    }
}

/** The first line of what an exception says; the rest of YAML's shows the text, which may be secret. */
function reasonOf(error: unknown): string {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return first.includes("call stack") ? "it is nested too deeply" : first.replace(/ at line \d+, column \d+:$/, "");
}

/** A key that is a map itself: `{{ .Values.name }}` is one to YAML. Where it begins; undefined where there is none. */
function templateIn(document: Document): number | undefined {
    let offset: number | undefined;
    visit(document, {
        Pair(_, { key }) {
            if (!isCollection(key)) return undefined;
            offset = key.range?.[0] ?? 0;
            return visit.BREAK;
        },
    });
    return offset;
}

/** Every resource in a file's text, and what in it could not be evaluated. */
export function contentsOf(content: string, file: string): Contents {
    // An export of a large stack takes the YAML parser many seconds.
    const json = fromJson(content);
    if (json !== undefined) return fromDocument(json, file, () => 1);
    const lineCounter = new LineCounter();
    try {
        // Keys to merge are YAML 1.1, which kubectl reads.
        const documents = parseAllDocuments(content, { lineCounter, merge: true });
        return together(
            documents.map((document) => {
                const [wrong] = document.errors;
                const first = document.range[0];
                if (wrong !== undefined) {
                    return problem(file, wrong.linePos?.[0].line ?? lineCounter.linePos(first).line, reasonOf(wrong));
                }
                const template = templateIn(document);
                if (template !== undefined) {
                    const reason = "a template that has not been rendered: its names or values are in braces";
                    return problem(file, lineCounter.linePos(template).line, reason);
                }
                const lineOf: LineOf = (path) => {
                    const node = document.getIn(path, true);
                    return isNode(node) && node.range ? lineCounter.linePos(node.range[0]).line : 1;
                };
                try {
                    // Aliases are shared, not copied; how much they stand for is measured after.
                    return fromDocument(document.toJS({ maxAliasCount: -1 }), file, lineOf);
                } catch (error) {
                    return problem(file, lineCounter.linePos(first).line, reasonOf(error));
                }
            }),
        );
    } catch (error) {
        return problem(file, 1, reasonOf(error));
    }
}

/**
 * Every resource in a file's text.
 *
 * @throws when any of it is neither YAML nor JSON, or is something else than resources
 */
export function resourcesIn(content: string, file: string): readonly Located[] {
    const { located, problems } = contentsOf(content, file);
    const [first] = problems;
    if (first !== undefined) throw new Error(worded(first));
    return located;
}

/** A problem as one line. */
export function worded({ file, line, reason }: Problem): string {
    return `${file}, line ${line}: ${reason}`;
}
