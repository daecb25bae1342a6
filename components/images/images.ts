import { rootCertificates } from "node:tls";
import * as docker from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import { machine } from "../machine";
import { additionalCas, imageNames, planImage, type ImageName, type ImageSettings } from "./images.plan";

export interface ImagesArgs {
    readonly stack: ImageSettings;
    /** References of an earlier update, which run again; nothing is built then. */
    readonly earlier?: Readonly<Record<ImageName, string>>;
}

/**
 * The images, by digest: built and pushed by the stack, or published ones.
 *
 * Previews neither build nor ask the registry. Tags are never deleted with the stack: others may run them.
 */
export class Images extends pulumi.ComponentResource {
    readonly backend: pulumi.Output<string>;
    readonly canvas: pulumi.Output<string>;
    readonly postgres: pulumi.Output<string>;
    readonly valkey: pulumi.Output<string>;
    /** Where connections are pooled. */
    readonly pgbouncer?: pulumi.Output<string>;
    /** Where backups are made. */
    readonly backup?: pulumi.Output<string>;

    private readonly earlier: ImagesArgs["earlier"];

    constructor(name: string, { stack, earlier }: ImagesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Images", name, {}, opts);
        this.earlier = earlier;
        this.backend = this.image("backend", stack);
        this.canvas = this.image("canvas", stack);
        this.postgres = this.image("postgres", stack);
        this.valkey = this.image("valkey", stack);
        if (imageNames(stack).includes("pgbouncer")) this.pgbouncer = this.image("pgbouncer", stack);
        if (imageNames(stack).includes("backup")) this.backup = this.image("backup", stack);
        this.registerOutputs({});
    }

    private image(name: ImageName, stack: ImageSettings): pulumi.Output<string> {
        if (this.earlier !== undefined) return pulumi.output(this.earlier[name]);
        const plan = planImage(name, stack);
        if (plan.kind === "published") return pulumi.output(plan.ref);
        const { caBundleFile } = plan;
        const additional =
            caBundleFile === undefined ? undefined : additionalCas(machine.read(caBundleFile), rootCertificates);
        const built = new docker.Image(
            `image-${name}`,
            {
                context: { location: plan.context, named: plan.named },
                dockerfile: { location: `${plan.context}/Dockerfile` },
                buildArgs: plan.args,
                ...(plan.target !== undefined && { target: plan.target }),
                ...builderOf(stack),
                ...(additional !== undefined && {
                    secrets: { "ca-bundle": pulumi.secret(additional) },
                    // Another gateway is no other image.
                    ignoreSecretsInDiffCalculation: ["ca-bundle"],
                }),
                tags: [`${plan.repository}:${plan.tag}`],
                exports: [{ raw: plan.output }],
                push: false,
                buildOnPreview: false,
            },
            { parent: this, retainOnDelete: true },
        );
        const digest = built.digest.apply((value) => (value === "" ? notBuiltYet(name) : value));
        return pulumi.interpolate`${plan.name}@${digest}`;
    }
}

/** The preview of a rebuild answers with an empty digest where it means one that is not known yet. */
function notBuiltYet(name: ImageName): typeof pulumi.unknown {
    if (pulumi.runtime.isDryRun()) return pulumi.unknown;
    throw new pulumi.RunError(`the build of the ${name} image gave no digest: it was not pushed`);
}

function builderOf({ images }: Pick<Stack, "images">): Partial<docker.ImageArgs> {
    if (images.kind === "published") return {};
    const { builder, platforms } = images;
    return {
        ...(builder !== undefined && { builder: { name: builder } }),
        ...(platforms.length > 0 && { platforms }),
    };
}
