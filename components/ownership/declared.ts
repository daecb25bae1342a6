/** What the program declares, as the cluster knows it. */
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import { isRecord } from "../config/values";
import type { ClusterApi, KubernetesObject } from "../kubernetes/cluster-api";
import { instanceOf, objectLabels } from "../kubernetes/labels";
import { descriptionKey, docsKey, type Description } from "./descriptions.plan";
import { isPulumi, managersOf, pathOf, type Declared } from "./ownership.plan";

/** Labels that tell the objects of one stack from those of another; selectors do not use them. Own labels win. */
export function labelled(props: Properties, described: Description | undefined): Properties {
    const instance = instanceOf(pulumi.getProject(), pulumi.getStack());
    const usual =
        described === undefined ? {} : { ...objectLabels(), "app.kubernetes.io/component": described.component };
    const labels = pulumi
        .output(props.metadata?.labels)
        .apply((own) => ({ ...usual, ...own, "app.kubernetes.io/instance": instance }));
    return { ...props, metadata: { ...props.metadata, labels } };
}

/** With what `kubectl describe` shows of its purpose; own annotations win. */
export function explained(props: Properties, described: Description | undefined): Properties {
    if (described === undefined) return props;
    const usual = { [descriptionKey]: described.text, [docsKey]: described.docs };
    const annotations = pulumi.output(props.metadata?.annotations).apply((own) => ({ ...usual, ...own }));
    return { ...props, metadata: { ...props.metadata, annotations } };
}

/** Replaced with whatever changes in them, and with them the pods that read them, when Pulumi chooses their name. */
const replacedTypes: readonly string[] = ["kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret"];

/** Metadata that an existing object keeps as an older release set it. */
export function keptMetadata(type: string, name: unknown): readonly string[] {
    if (name !== undefined) return [];
    // Not all annotations: the provider warns of its own ones when they are among the inputs.
    const described = [descriptionKey, docsKey].map((key) => `metadata.annotations["${key}"]`);
    return ["metadata.labels", ...(replacedTypes.includes(type) ? described : [])];
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
    // Metadata alone comes as its own kind.
    return object === undefined ? undefined : { ...object, apiVersion, kind };
}

export function pulumiManager(object: KubernetesObject): string {
    const applied = managersOf(object).filter(({ manager, operation }) => isPulumi(manager) && operation === "Apply");
    return applied.at(-1)?.manager ?? "orcheo";
}
