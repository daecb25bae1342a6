import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { objectLabels } from "./labels";

/** A Secret with the given files; its name changes with its content. */
export function secretOf(
    name: string,
    files: Readonly<Record<string, pulumi.Input<string>>>,
    namespace: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret {
    const metadata = { namespace, labels: objectLabels() };
    return new k8s.core.v1.Secret(name, { metadata, type: "Opaque", stringData: { ...files } }, opts);
}
