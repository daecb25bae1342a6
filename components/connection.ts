/** What a client needs of a server that may be anywhere: its URL, and the authority that signed its certificate. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Authority as AuthoritySetting } from "./config/schema.data";
import { objectLabels } from "./labels";
import { machine } from "./probes";

/** A URL with its password: known to the program (secret), or a key of a Secret that the program never reads. */
export type ServerUrl =
    | { readonly kind: "value"; readonly value: pulumi.Output<string> }
    | { readonly kind: "secret"; readonly secretName: string; readonly key: string };

/** Where the authority that signed the server's certificate is found. */
export type Trust =
    /** The stack's own, which every pod of the backend has at /etc/orcheo/ca. */
    | { readonly kind: "stack" }
    /** Those that the backend image brings along (Debian's ca-certificates). */
    | { readonly kind: "system" }
    | { readonly kind: "secret" | "configMap"; readonly name: pulumi.Input<string>; readonly key: string };

/** The server as the backend sees it. */
export interface Server {
    readonly url: ServerUrl;
    readonly trust: Trust;
    /** Ready when these are. */
    readonly resources: readonly pulumi.Resource[];
}

export interface TrustArgs {
    readonly namespace: pulumi.Input<string>;
    readonly version: string;
}

/** The configured authority; of a PEM file it makes a ConfigMap, whose name changes with the file. */
export function trustOf(
    name: string,
    authority: AuthoritySetting,
    { namespace, version }: TrustArgs,
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
                    metadata: { namespace, labels: objectLabels(undefined, version) },
                    data: { "ca.crt": machine.read(authority.path) },
                },
                opts,
            );
            return { kind: "configMap", name: config.metadata.name, key: "ca.crt" };
        }
    }
}
