import * as pulumi from "@pulumi/pulumi";
import type { CacheOf } from "../config/schema";
import type { Trust } from "../kubernetes/volumes.plan";
import { trustOf } from "./connection";
import { verifiedUrl, type ServerName, type ServerUrl, type Server } from "./connection.plan";

export interface ExternalArgs {
    readonly server: ServerName;
    /** Those of a database are the same, and more. */
    readonly settings: CacheOf<"external">;
    readonly namespace: pulumi.Input<string>;
}

/** A server that others run: the stack only knows its address and its CA. */
export class External extends pulumi.ComponentResource implements Server {
    readonly url: ServerUrl;
    readonly trust: Trust;
    readonly resources: readonly pulumi.Resource[] = [];

    constructor(name: string, args: ExternalArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:External", name, {}, opts);
        const { server, settings, namespace } = args;
        const { url, authority } = settings;
        this.trust = trustOf(`${name}-authority`, authority, namespace, { parent: this });
        this.url =
            url.kind === "secret"
                ? { kind: "secret", secretName: url.name, key: url.key }
                : { kind: "value", value: pulumi.secret(verifiedUrl(server, url.value, this.trust)) };
        this.registerOutputs({});
    }
}
