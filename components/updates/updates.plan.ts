/** What each update ran, as the ConfigMap `updates` keeps it, and going back to the images of one. */
import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "yaml";
import { z } from "zod";
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import type { KubernetesObject } from "../kubernetes/cluster-api";

/** Name of the ConfigMap, and the key of its text. */
export const updatesName = "updates";
export const updatesKey = "updates.yaml";
/** The key of the latest alone, which beat reads for its metrics (orcheo_runtime/metrics.py). */
export const latestKey = "latest.json";
/** The key of the latest settings alone. Unlike the record they are known in a preview: what the policy pack finds in them, it finds there. */
export const settingsKey = "settings.yaml";

/** Older ones are dropped; a ConfigMap holds 1 MiB. */
const mostUpdates = 20;
const mostBytes = 512 * 1024;

const update = z.object({
    number: z.number().int().positive(),
    /** ISO 8601, UTC. */
    time: z.string(),
    version: z.string(),
    release: z.string(),
    /** Of the checkout that was deployed; a `+` follows when files were changed since. */
    commit: z.string().optional(),
    /** References by digest, by the name of the image. */
    images: z.record(z.string(), z.string()),
    /** `orcheo:stack` as it was written; left out when it holds a secret. */
    settings: z.unknown().optional(),
});

/** One successful update. */
export type Update = z.output<typeof update>;
/** What an update is about to run. */
export type Running = Omit<Update, "number" | "time">;

/** Oldest first; none when the ConfigMap is missing or cannot be understood. */
export function updatesIn(configMap: KubernetesObject | undefined): readonly Update[] {
    const { data } = z.object({ data: z.record(z.string(), z.string()) }).safeParse(configMap).data ?? {};
    return updatesOf(data?.[updatesKey] ?? "");
}

function updatesOf(text: string): readonly Update[] {
    const updates = z.array(update).safeParse(parsedYaml(text)).data ?? [];
    return updates.toSorted((one, other) => one.number - other.number);
}

function parsedYaml(text: string): unknown {
    try {
        return parse(text);
    } catch {
        return undefined;
    }
}

/** Whether an update with the same images and settings is the latest. A commit alone changes neither. */
export function isLatest(updates: readonly Update[], { images, settings, release, version }: Running): boolean {
    const last = updates.at(-1);
    if (last === undefined) return false;
    // As read back: undefined fields are not written.
    const written = (value: unknown): unknown => parse(stringify(value));
    return isDeepStrictEqual(
        written([last.images, last.settings, last.release, last.version]),
        written([images, settings, release, version]),
    );
}

/** With one more update at its end. */
export function withUpdate(updates: readonly Update[], running: Running, time: Date): readonly Update[] {
    const number = (updates.at(-1)?.number ?? 0) + 1;
    const all = [...updates, { number, time: time.toISOString().replace(/\.\d+Z$/, "Z"), ...running }];
    let kept = all.slice(-mostUpdates);
    while (kept.length > 1 && Buffer.byteLength(updatesText(kept)) > mostBytes) kept = kept.slice(1);
    return kept;
}

const head = `# Successful updates that changed images or settings, latest first. orcheo:stack.rollbackTo takes a number from here
# and runs its images again without building anything: docs/runbooks/rollback.md.
`;

export function updatesText(updates: readonly Update[]): string {
    const ordered = updates.toReversed().map(({ number, time, version, release, commit, images, settings }) => ({
        ...{ number, time, version, release, commit, images, settings },
    }));
    return `${head}${stringify(ordered, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

/** What of the latest update in this text becomes a metric: no images, no settings. */
export function latestText(text: string): string {
    const { number, time, version, release, commit } = updatesOf(text).at(-1) ?? {};
    return JSON.stringify({ number, time, version, release, commit });
}

/** `orcheo:stack` as it is written, in an order of its own: moving a setting about in the file changes nothing. */
export const settingsText = (settings: unknown): string => stringify(settings, { lineWidth: 0, sortMapEntries: true });

/** One line for people. */
export const shownUpdate = ({ number, time, version, release, commit }: Update): string =>
    `update ${number} of ${time} (version ${version} of Orcheo ${release}, ${commit === undefined ? "not from a commit" : `commit ${commit}`})`;

/**
 * Why the images of an earlier update cannot run now.
 *
 * @param wanted  names of the images that the stack needs
 */
export function rollbackProblems(
    stack: Pick<Stack, "release"> & { readonly rollbackTo: number },
    updates: readonly Update[],
    wanted: readonly string[],
): readonly Problem[] {
    const { rollbackTo, release } = stack;
    const at = "orcheo:stack.rollbackTo";
    const found = `found ${rollbackTo}`;
    const fits = (each: Update): boolean => each.release === release && wanted.every((name) => name in each.images);
    const target = updates.find(({ number }) => number === rollbackTo);
    if (target !== undefined && fits(target)) return [];
    const choices = updates.filter(fits).map(shownUpdate);
    const remedy =
        choices.length === 0
            ? "no recorded update fits this stack: leave it out, and the images are built"
            : `accepted: ${choices.join(", ")}`;
    if (target === undefined)
        return [{ at, found: `${found}, which the ConfigMap ${updatesName} does not hold`, remedy }];
    if (target.release !== release)
        return [{ at, found: `${found}, which ran Orcheo ${target.release}; this stack runs ${release}`, remedy }];
    const missing = wanted.filter((name) => !(name in target.images));
    return [{ at, found: `${found}, which ran without an image for ${missing.join(", ")}`, remedy }];
}

/** Settings that differ between two texts of `orcheo:stack`, such as `worker.replicas`; `rollbackTo` does not count. */
export function differingSettings(one: unknown, other: unknown, path = ""): readonly string[] {
    if (path === "rollbackTo" || isDeepStrictEqual(one, other)) return [];
    const [left, right] = [one, other].map((each) => z.record(z.string(), z.unknown()).safeParse(each).data);
    if (left === undefined || right === undefined) return [path];
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...keys]
        .sort()
        .flatMap((key) => differingSettings(left[key], right[key], path === "" ? key : `${path}.${key}`));
}
