/** What a client needs to know about a server: its URL, and the CA that signed its certificate. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Authority as AuthoritySetting } from "../config/schema.data";
import { objectLabels } from "../kubernetes/labels";
import type { Trust } from "../kubernetes/volumes.plan";
import { machine } from "../machine";

/** The configured CA; a PEM file becomes a ConfigMap whose name changes with the file. */
export function trustOf(
    name: string,
    authority: AuthoritySetting,
    namespace: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
): Trust {
    switch (authority.kind) {
        case "system":
            return { kind: "system" };
        case "secret":
        case "configMap":
            return { kind: authority.kind, name: authority.name, key: authority.key };
        case "file": {
            const config = new k8s.core.v1.ConfigMap(
                name,
                {
                    metadata: { namespace, labels: objectLabels() },
                    data: { "ca.crt": machine.read(authority.path) },
                },
                opts,
            );
            return { kind: "configMap", name: config.metadata.name, key: "ca.crt" };
        }
    }
}
