/** What the program declares, as the cluster knows it. */
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import { isRecord } from "../config/values";
import type { ClusterApi, KubernetesObject } from "../kubernetes/cluster-api";
import { instanceOf } from "../kubernetes/labels";
import { isPulumi, managersOf, pathOf, type Declared } from "./ownership.plan";

/** With the label that tells the objects of one stack from those of another; selectors do not use it. */
export function labelled(props: Properties): Properties {
    const instance = instanceOf(pulumi.getProject(), pulumi.getStack());
    const labels = pulumi
        .output(props.metadata?.labels)
        .apply((own) => ({ ...own, "app.kubernetes.io/instance": instance }));
    return { ...props, metadata: { ...props.metadata, labels } };
}

export interface Properties {
    readonly metadata?: {
        readonly name?: unknown;
        readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
        readonly namespace?: unknown;
        readonly annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    };
    readonly [property: string]: unknown;
}

/** A Deployment that leaves its replicas to an autoscaler gets them from here; any other its own. */
export function withReplicas(
    type: string,
    { spec }: Properties,
    replicas: pulumi.Output<number | undefined>,
): { readonly spec?: object } {
    if (type !== "kubernetes:apps/v1:Deployment" || !isRecord(spec) || pulumi.Output.isInstance(spec)) return {};
    return spec["replicas"] === undefined ? { spec: { ...spec, replicas } } : {};
}

/** @param type  such as `kubernetes:apps/v1:Deployment`, `kubernetes:core/v1:Secret` */
export function declaredAs(
    type: string,
    name: string,
    namespace: unknown,
    { kubernetes }: Pick<Stack, "kubernetes">,
): Declared {
    const [, group = "", kind = ""] = type.split(":");
    const apiVersion = group.replace(/^core\//, "");
    if (namespace === undefined) return { apiVersion, kind, name };
    // An output is the namespace's own name.
    return { apiVersion, kind, name, namespace: typeof namespace === "string" ? namespace : kubernetes.namespace };
}

export async function existing(declared: Declared, cluster: ClusterApi): Promise<KubernetesObject | undefined> {
    const { apiVersion, kind } = declared;
    const object = await cluster.metadata(pathOf(declared));
    // Metadata alone comes as a kind of its own.
    return object === undefined ? undefined : { ...object, apiVersion, kind };
}

export function pulumiManager(object: KubernetesObject): string {
    const applied = managersOf(object).filter(({ manager, operation }) => isPulumi(manager) && operation === "Apply");
    return applied.at(-1)?.manager ?? "orcheo";
}
