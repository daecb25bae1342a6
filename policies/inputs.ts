/** The inputs of a report: files, folders and standard input. */
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

import { parseDocument } from "yaml";

import type { Located } from "./findings.ts";
import { contentsOf, type Contents, type Problem } from "./read.ts";
import { at, isObject, list, text } from "./values.ts";

export interface Inputs extends Contents {
    /** Files of folders that hold something else. */
    readonly skipped: readonly string[];
}

const manifest = /\.(ya?ml|json)$/i;
const kustomization = /(^|[\\/])kustomization(\.ya?ml)?$/i;
/** Keys of a kustomization that leave the objects of its resources as they are written, or only name them otherwise. */
const harmless = new Set(
    ["apiVersion", "kind", "metadata", "resources", "bases", "namespace", "namePrefix", "nameSuffix", "labels"].concat([
        "commonLabels",
        "commonAnnotations",
        "buildMetadata",
        "sortOptions",
        "openapi",
    ]),
);

/** What of a kustomization the files beside it do not show; undefined when nothing. */
function hiddenIn(content: string): string | undefined {
    let value: unknown;
    try {
        value = parseDocument(content).toJS();
    } catch {
        return "is not YAML";
    }
    if (!isObject(value)) return undefined;
    const changes = Object.keys(value).filter((key) => !harmless.has(key));
    const remote = ["resources", "bases"].flatMap((key) => list(at(value, key))).filter((each) => isRemote(text(each)));
    if (changes.length > 0) return `changes objects by ${changes.join(", ")}`;
    return remote.length > 0 ? "takes objects from elsewhere" : undefined;
}

function isRemote(resource: string | undefined): boolean {
    return (
        resource !== undefined && (/:\/\/|^git@|\?ref=/.test(resource) || /^[\w.-]+\.(com|org|io|net)\//.test(resource))
    );
}

/** Manifests below a folder, in the order of their names. Links are followed, into each folder once: they may lead in circles. */
function filesBelow(folder: string, seen = new Set<string>()): readonly string[] {
    const real = realpathSync(folder);
    if (seen.has(real)) return [];
    seen.add(real);
    const entries = readdirSync(folder).filter((name) => name !== "node_modules" && !name.startsWith("."));
    return entries.sort().flatMap((name) => {
        const path = join(folder, name);
        // A link that leads nowhere is no folder: reading it says so.
        if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return filesBelow(path, seen);
        return manifest.test(name) || kustomization.test(name) ? [path] : [];
    });
}

function readOne(file: string, content: string, named: boolean): Inputs {
    if (kustomization.test(file)) {
        const hidden = hiddenIn(content);
        const reason = `a kustomization, which ${hidden ?? ""}: evaluate the output of \`kubectl kustomize\` instead`;
        const problems = hidden === undefined ? [] : [{ file, line: 1, reason }];
        return { located: [], problems, skipped: [file] };
    }
    const { located, problems } = contentsOf(content, file);
    // What came to nothing on the way here must not pass for what breaks no rule.
    if (named && located.length === 0 && problems.length === 0) {
        return { located, problems: [{ file, line: 1, reason: "there is no resource in it" }], skipped: [] };
    }
    // A folder also holds values of charts, packages and the like.
    const other = !named && located.length === 0 && problems.every(({ foreign }) => foreign === true);
    return other ? { located, problems: [], skipped: [file] } : { located, problems, skipped: [] };
}

/**
 * Reads each path.
 *
 * @throws when there is no such path: the command line is wrong
 */
export function readInputs(paths: readonly string[]): Inputs {
    const located: Located[] = [];
    const problems: Problem[] = [];
    const skipped: string[] = [];
    const take = (file: string, read: () => string, named: boolean): void => {
        let one: Inputs;
        try {
            one = readOne(file, read(), named);
        } catch (error) {
            one = { located: [], problems: [{ file, line: 1, reason: String(error) }], skipped: [] };
        }
        // One at a time: the arguments of a call are no place for a large stack.
        for (const each of one.located) located.push(each);
        for (const each of one.problems) problems.push(each);
        for (const each of one.skipped) skipped.push(each);
    };
    for (const path of paths) {
        if (path === "-") take(path, () => readFileSync(0, "utf8"), true);
        else if (statSync(path).isDirectory()) {
            const before = located.length + problems.length;
            for (const file of filesBelow(path)) take(file, () => readFileSync(file, "utf8"), false);
            if (located.length + problems.length === before) {
                problems.push({ file: path, line: 1, reason: "there is no resource in it" });
            }
        } else take(path, () => readFileSync(path, "utf8"), true);
    }
    return { located, problems, skipped };
}
