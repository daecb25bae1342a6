import * as pulumi from "@pulumi/pulumi";
import type { ClusterApi, KubernetesObject } from "../kubernetes/cluster-api";
import type { RecordedObject } from "../kubernetes/recorded.plan";
import { keptOf, mayBeOverridden, overrideMessage, overridesOf, reappliedOf } from "./overrides.plan";
import { asDeclared, pathOf } from "./ownership.plan";

/**
 * Annotations, by path, that have every object applied again that others have changed; warns of what they changed.
 *
 * @param recorded  what the state has of the declared objects, by path
 * @param cluster  undefined while it does not answer
 */
export async function reapplied(
    objects: readonly KubernetesObject[],
    recorded: ReadonlyMap<string, RecordedObject>,
    cluster?: ClusterApi,
): Promise<ReadonlyMap<string, string>> {
    const annotations = new Map([...recorded].flatMap(([path, each]) => entry(path, keptOf(each))));
    const changed = objects.map(async (object) => {
        const path = pathOf(asDeclared(object));
        const own = recorded.get(path);
        if (own?.uid !== object.metadata.uid || own === undefined) return;
        // Values of a Secret are not read.
        if (object.kind === "Secret" || !mayBeOverridden(object, own)) return;
        const whole = await cluster?.get(path);
        const overrides = whole === undefined ? [] : overridesOf(whole, own);
        const message = overrideMessage(own, overrides);
        if (message !== undefined) void pulumi.log.warn(message);
        for (const [key, value] of entry(path, reappliedOf(whole ?? object, own, overrides)))
            annotations.set(key, value);
    });
    await Promise.all(changed);
    return annotations;
}

const entry = (path: string, value: string | undefined): [string, string][] =>
    value === undefined ? [] : [[path, value]];
