import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import { manifestsOf, resourceName, typeToken } from "./extra-objects.plan";

export interface ExtraObjectsArgs {
    readonly stack: Pick<Stack, "extraObjects">;
    readonly namespace: pulumi.Input<string>;
}

/** Of any kind that the cluster serves, so that the type token is computed. */
class ExtraObject extends pulumi.CustomResource {}

/** The manifests of `extraObjects`, in the stack's namespace. */
export class ExtraObjects extends pulumi.ComponentResource {
    constructor(name: string, { stack, namespace }: ExtraObjectsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:ExtraObjects", name, {}, opts);
        for (const manifest of manifestsOf(stack)) {
            const inputs = { ...manifest, metadata: { ...manifest.metadata, namespace } };
            const kept = manifest.kind === "PersistentVolumeClaim" ? { protect: true, retainOnDelete: true } : {};
            new ExtraObject(typeToken(manifest), resourceName(manifest), inputs, { parent: this, ...kept });
        }
        this.registerOutputs({});
    }
}
