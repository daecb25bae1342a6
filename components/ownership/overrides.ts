import * as pulumi from "@pulumi/pulumi";
import type { ClusterApi, KubernetesObject } from "../kubernetes/cluster-api";
import type { RecordedObject } from "../kubernetes/recorded.plan";
import {
    forcedOf,
    keptOf,
    leastReplicas,
    mayBeOverridden,
    overrideMessage,
    overridesOf,
    reappliedOf,
    replicasToSet,
} from "./overrides.plan";
import { asDeclared, pathOf } from "./ownership.plan";

/** What an update sets beside what the program declares, by path, to take back what others have changed. */
export interface Reapplied {
    /** Annotations that have an object applied again. */
    readonly reapplied: ReadonlyMap<string, string>;
    /** Replicas of Deployments that are scaled automatically. */
    readonly replicas: ReadonlyMap<string, number>;
    /** "true" for a namespace of which others have set fields. */
    readonly forced: ReadonlyMap<string, string>;
}

/**
 * Warns of what others have changed.
 *
 * @param recorded  what the state has of the declared objects, by path
 * @param cluster  undefined while it does not answer
 */
export async function takenBack(
    objects: readonly KubernetesObject[],
    recorded: ReadonlyMap<string, RecordedObject>,
    cluster?: ClusterApi,
): Promise<Reapplied> {
    const known = [...recorded].map(([path, own]) => ({ path, own, least: leastReplicas(own, recorded.values()) }));
    const annotations = new Map(known.flatMap(({ path, own }) => entry(path, keptOf(own))));
    const replicas = new Map(
        known.flatMap(({ path, own, least }) => entry(path, replicasToSet(undefined, own, least))),
    );
    const home = known.filter(({ own }) => own.kind === "Namespace");
    const forced = new Map(
        home.flatMap(({ path, own }) => {
            const live = objects.find((object) => own.uid === object.metadata.uid);
            return entry(path, forcedOf(live, own));
        }),
    );
    const changed = objects.map(async (object) => {
        const path = pathOf(asDeclared(object));
        const own = recorded.get(path);
        if (own?.uid !== object.metadata.uid || own === undefined) return;
        const least = leastReplicas(own, recorded.values());
        // Values of a Secret are not read.
        if (object.kind === "Secret" || (least === undefined && !mayBeOverridden(object, own))) return;
        const whole = await cluster?.get(path);
        const overrides = whole === undefined ? [] : overridesOf(whole, own, least);
        const message = overrideMessage(own, overrides);
        if (message !== undefined) void pulumi.log.warn(message);
        for (const [key, value] of entry(path, reappliedOf(whole ?? object, own, overrides)))
            annotations.set(key, value);
        replicas.delete(path);
        for (const [key, value] of entry(path, replicasToSet(whole, own, least))) replicas.set(key, value);
    });
    await Promise.all(changed);
    return { reapplied: annotations, replicas, forced };
}

const entry = <T>(path: string, value: T | undefined): [string, T][] => (value === undefined ? [] : [[path, value]]);
