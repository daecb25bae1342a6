/** An upgrade of the stack's own EKS cluster, as the engine carries it out. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { at, text } from "../../../policies/values.ts";
import type { OwnStack } from "../own-stack.ts";

/** Sets keys of `aws.cluster`. */
export async function setCluster(stack: OwnStack, keys: Readonly<Record<string, string>>): Promise<void> {
    const file = join(stack.folder, "stack.yaml");
    for (const [key, value] of Object.entries(keys))
        await stack.run("config", "set", "--config-file", file, "--path", `orcheo:stack.aws.cluster.${key}`, value);
}

/** @returns the names of what the update changed in EKS, in the order in which it was done */
export async function upgraded(stack: OwnStack, targets: readonly string[]): Promise<readonly string[]> {
    const log = join(stack.folder, "upgrade.json");
    await stack.run("up", "--yes", "--skip-preview", "--event-log", log, ...targets);
    const events = (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
    return events.flatMap((line) => {
        const done = at(JSON.parse(line), "resOutputsEvent", "metadata");
        const changed = text(at(done, "op")) === "update" && /^aws:eks\//.test(text(at(done, "type")) ?? "");
        return changed ? [(text(at(done, "urn")) ?? "").split("::").at(-1) ?? ""] : [];
    });
}
