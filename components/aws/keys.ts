import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { policyDocument } from "./policies.plan";

export interface KeyArgs {
    /** ARN of the key to use instead of a new one. */
    readonly existing: string | undefined;
    /** Name in the console. */
    readonly alias: string;
    readonly description: string;
    readonly policy: readonly aws.iam.PolicyStatement[];
    /** Default that of the provider. */
    readonly region?: string;
}

/** A KMS key that rotates every year. Without it all that it encrypts is lost: protected, and kept on delete. */
export function keyOf(name: string, args: KeyArgs, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
    if (args.existing !== undefined) return pulumi.output(args.existing);
    const placed = args.region === undefined ? {} : { region: args.region };
    const key = new aws.kms.Key(
        name,
        {
            ...placed,
            description: args.description,
            enableKeyRotation: true,
            deletionWindowInDays: 30,
            policy: policyDocument(args.policy),
        },
        { ...opts, protect: true, retainOnDelete: true },
    );
    new aws.kms.Alias(`${name}-alias`, { ...placed, name: `alias/${args.alias}`, targetKeyId: key.keyId }, opts);
    return key.arn;
}
