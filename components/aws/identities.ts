import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import { planTrust } from "./identities.plan";
import { policyDocument } from "./policies.plan";

export interface PodRoleArgs {
    readonly settings: Aws;
    readonly clusterName: pulumi.Input<string>;
    readonly namespace: string;
    readonly serviceAccounts: readonly string[];
    /** Part of the role's name. */
    readonly purpose: string;
    /** ARN of the role to use instead of a new one. */
    readonly existing?: string | undefined;
}

/** IAM role of some pods. The owner of each resource attaches the permissions. */
export class PodRole extends pulumi.ComponentResource {
    readonly roleArn: pulumi.Output<string>;
    /** Undefined when the role is an existing one, whose policies are its owner's. */
    readonly roleName?: pulumi.Output<string>;

    constructor(name: string, args: PodRoleArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AwsPodIdentity", name, {}, opts);
        const { settings, clusterName, namespace, serviceAccounts, purpose, existing } = args;
        const child = { parent: this };
        if (existing !== undefined) this.roleArn = pulumi.output(existing);
        else {
            const trust = planTrust({ settings, clusterName, namespace, serviceAccount: serviceAccounts });
            const role = new aws.iam.Role(
                name,
                { namePrefix: `${settings.name}-${purpose}-`, assumeRolePolicy: policyDocument([trust]) },
                child,
            );
            this.roleArn = role.arn;
            this.roleName = role.name;
        }
        if (settings.identities.kind === "podIdentity")
            for (const serviceAccount of serviceAccounts)
                new aws.eks.PodIdentityAssociation(
                    `${name}-${serviceAccount}`,
                    { clusterName, namespace, serviceAccount, roleArn: this.roleArn },
                    child,
                );
        this.registerOutputs({});
    }

    /** Lets the role do this; nothing for an existing role. */
    allow(name: string, statements: readonly aws.iam.PolicyStatement[], opts: pulumi.CustomResourceOptions): void {
        if (this.roleName !== undefined)
            new aws.iam.RolePolicy(name, { role: this.roleName, policy: policyDocument(statements) }, opts);
    }
}
