import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { Aws } from "../config/schema.aws";
import { planTrust, serviceAccountsOf, type Identity } from "./identities.plan";
import { policyDocument } from "./policies.plan";

export interface PodRoleArgs {
    readonly stack: Pick<Stack, "kubernetes">;
    readonly settings: Aws;
    readonly identity: Identity;
    readonly clusterName: pulumi.Input<string>;
}

/** IAM role of some pods. The owner of each resource attaches the permissions. */
export class PodRole extends pulumi.ComponentResource {
    readonly roleArn: pulumi.Output<string>;
    /** Undefined when the role is an existing one, whose policies are its owner's. */
    readonly roleName?: pulumi.Output<string>;

    constructor(name: string, args: PodRoleArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AwsPodIdentity", name, {}, opts);
        const { stack, settings, identity, clusterName } = args;
        const { namespace } = stack.kubernetes;
        const child = { parent: this };
        const existing = settings.roles[identity];
        if (existing !== undefined) this.roleArn = pulumi.output(existing);
        else {
            const role = new aws.iam.Role(
                name,
                {
                    namePrefix: `${settings.name}-${identity}-`,
                    assumeRolePolicy: policyDocument([planTrust(identity, { settings, clusterName, namespace })]),
                },
                child,
            );
            this.roleArn = role.arn;
            this.roleName = role.name;
        }
        if (settings.identities.kind === "podIdentity")
            for (const serviceAccount of serviceAccountsOf[identity])
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
