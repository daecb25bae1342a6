/** Upgrades of the stack's own EKS cluster and changes of its nodes, as the engine carries them out. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { at, list, text } from "../../../policies/values.ts";
import type { OwnStack } from "../own-stack.ts";
import { administer } from "./cli.ts";

/** Sets keys of `aws`. */
export async function setAws(stack: OwnStack, keys: Readonly<Record<string, string>>): Promise<void> {
    const file = join(stack.folder, "stack.yaml");
    for (const [key, value] of Object.entries(keys))
        await stack.run("config", "set", "--config-file", file, "--path", `orcheo:stack.aws.${key}`, value);
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

/** The only node group of a cluster. */
async function nodeGroup(cluster: string): Promise<readonly string[]> {
    const groups = list(
        at(JSON.parse(await administer("eks", "list-nodegroups", "--cluster-name", cluster)), "nodegroups"),
    );
    if (groups.length !== 1) throw new Error(`${cluster} has ${groups.length} node groups`);
    return ["--cluster-name", cluster, "--nodegroup-name", text(groups[0]) ?? ""];
}

/** How many nodes there may be, and are. */
export async function nodeCounts(cluster: string): Promise<unknown> {
    const group: unknown = JSON.parse(await administer("eks", "describe-nodegroup", ...(await nodeGroup(cluster))));
    return at(group, "nodegroup", "scalingConfig");
}

/** As an autoscaler does. */
export async function scaleNodes(cluster: string, count: number): Promise<void> {
    const sizes = ["--scaling-config", `desiredSize=${count}`];
    await administer("eks", "update-nodegroup-config", ...(await nodeGroup(cluster)), ...sizes);
}
