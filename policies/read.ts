/** Reads resources from files: Kubernetes manifests, exports of a Pulumi stack, previews. */
import { isNode, LineCounter, parseAllDocuments } from "yaml";

import type { Located } from "./findings.ts";
import { typeOf } from "./kinds.ts";
import { at, fields, isObject, strings, text, unknownText, type Fields } from "./values.ts";

/** The line on which the value at a path begins. */
type LineOf = (path: readonly (string | number)[]) => number;

/** The resource as its manifest gives it. Lists are taken apart. */
function fromManifest(
    object: unknown,
    file: string,
    lineOf: LineOf,
    path: readonly (string | number)[] = [],
    inList: { readonly kind?: string; readonly apiVersion?: string } = {},
): readonly Located[] {
    if (object === null || object === undefined) return [];
    const kind = text(at(object, "kind")) ?? inList.kind;
    const apiVersion = text(at(object, "apiVersion")) ?? inList.apiVersion;
    if (kind === undefined || apiVersion === undefined) {
        const where = `${file}, line ${lineOf(path)}`;
        throw new Error(`${where}: neither a Kubernetes object, nor an export of a stack, nor a preview in JSON`);
    }
    const items = at(object, "items");
    if (kind.endsWith("List") && Array.isArray(items)) {
        // The items of a PodList need not say that they are Pods.
        const own = kind === "List" ? {} : { kind: kind.slice(0, -"List".length), apiVersion };
        return items.flatMap((item, index) => fromManifest(item, file, lineOf, [...path, "items", index], own));
    }
    const name = text(at(object, "metadata", "name")) ?? text(at(object, "metadata", "generateName")) ?? "";
    const type = typeOf(apiVersion, kind);
    const urn = `${file}#${text(at(object, "metadata", "namespace")) ?? ""}/${type}::${name}`;
    return [{ file, line: lineOf(path), resource: { type, name, urn, props: fields(object) } }];
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
function fromState(state: unknown, file: string, providers: ReadonlyMap<string, Fields>): readonly Located[] {
    const [type, urn] = [text(at(state, "type")), text(at(state, "urn"))];
    if (type === undefined || urn === undefined) return [];
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
    return [{ file, line: 1, resource }];
}

/** The resources among the states, each once: of a replacement there are several, and one that is yet to be deleted. */
function fromStates(states: readonly unknown[], file: string): readonly Located[] {
    const living = states.filter((state) => at(state, "delete") !== true);
    const byUrn = new Map(living.map((state) => [text(at(state, "urn")) ?? "", state]));
    const known = [...byUrn]
        .filter(([, state]) => text(at(state, "type"))?.startsWith("pulumi:providers:"))
        .map(([urn, state]) => [urn, fields(revealed(at(state, "inputs")))] as const);
    const providers = new Map(known);
    return [...byUrn.values()].flatMap((state) => fromState(state, file, providers));
}

/** A whole document, of whichever sort it is. */
function fromDocument(value: unknown, file: string, lineOf: LineOf): readonly Located[] {
    const exported = at(value, "deployment", "resources");
    if (Array.isArray(exported)) return fromStates(exported, file);
    const steps = at(value, "steps");
    if (Array.isArray(steps))
        return fromStates(
            steps.map((step) => at(step, "newState")),
            file,
        );
    return fromManifest(value, file, lineOf);
}

/** The value of a JSON text; undefined for any other. */
function fromJson(content: string): unknown {
    try {
        return JSON.parse(content);
    } catch {
        return undefined;
    }
}

/**
 * Every resource in a file's text.
 *
 * @throws when the text is neither YAML nor JSON, or holds something else than resources
 */
export function resourcesIn(content: string, file: string): readonly Located[] {
    // An export of a large stack takes the YAML parser many seconds.
    const json = fromJson(content);
    if (json !== undefined) return fromDocument(json, file, () => 1);
    const lineCounter = new LineCounter();
    return parseAllDocuments(content, { lineCounter }).flatMap((document) => {
        const [problem] = document.errors;
        if (problem !== undefined) throw new Error(`${file}: ${problem.message}`);
        const lineOf: LineOf = (path) => {
            const node = document.getIn(path, true);
            return isNode(node) && node.range ? lineCounter.linePos(node.range[0]).line : 1;
        };
        // Merge keys and anchors of a hostile file may not blow up: the parser bounds aliases.
        return fromDocument(document.toJS({ maxAliasCount: 100 }), file, lineOf);
    });
}
