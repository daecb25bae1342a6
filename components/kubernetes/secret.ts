import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { objectLabels } from "./labels";

export interface SecretsArgs {
    readonly namespace: pulumi.Input<string>;
    readonly version: string;
}

/** A Secret with the given files; its name changes with its content. */
export function secretOf(
    name: string,
    files: Readonly<Record<string, pulumi.Input<string>>>,
    { namespace, version }: SecretsArgs,
    opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret {
    const metadata = { namespace, labels: objectLabels(undefined, version) };
    return new k8s.core.v1.Secret(name, { metadata, type: "Opaque", stringData: { ...files } }, opts);
}
