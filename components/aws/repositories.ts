import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { Aws } from "../config/schema.aws";
import { imageNames } from "../images/images.plan";

export interface RepositoriesArgs {
    readonly stack: Pick<Stack, "aws" | "backup" | "database" | "registry">;
    readonly settings: Aws;
    readonly dataKeyArn: pulumi.Output<string>;
}

/** One ECR repository per image, with immutable tags. Running pods pull from it: protected, and retained on delete. */
export class Repositories extends pulumi.ComponentResource {
    constructor(name: string, args: RepositoriesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AwsRepositories", name, {}, opts);
        const { stack, settings, dataKeyArn } = args;
        const path = stack.registry.prefix.slice(stack.registry.prefix.indexOf("/") + 1);
        for (const image of imageNames(stack)) {
            const repository = new aws.ecr.Repository(
                `${name}-${image}`,
                {
                    name: `${path}/${image}`,
                    imageTagMutability: "IMMUTABLE",
                    imageScanningConfiguration: { scanOnPush: true },
                    encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: dataKeyArn }],
                },
                { parent: this, protect: true, retainOnDelete: true },
            );
            new aws.ecr.LifecyclePolicy(
                `${name}-${image}-age`,
                { repository: repository.name, policy: JSON.stringify(planLifecycle(settings.keptImages)) },
                // A repository has one at most: the old one, deleted after the new one was put, would take the new one with it.
                { parent: this, deleteBeforeReplace: true },
            );
        }
        this.registerOutputs({});
    }
}

/**
 * Keys in alphabetical order, as the provider writes them on a refresh: any other order is a change then.
 *
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
 */
function planLifecycle(kept: number): aws.ecr.LifecyclePolicyDocument {
    return {
        rules: [
            {
                action: { type: "expire" },
                description: `the newest ${kept}`,
                rulePriority: 1,
                selection: { countNumber: kept, countType: "imageCountMoreThan", tagStatus: "any" },
            },
        ],
    };
}
