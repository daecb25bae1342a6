import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "./cloud";

export interface ServerSecurityGroupArgs {
    readonly account: Account;
    readonly port: number;
    readonly existing: string | undefined;
    readonly description: string;
}

/** Admits the cluster's security group on one port and lets nothing out; or the existing group. */
export function serverSecurityGroup(
    name: string,
    { account, port, existing, description }: ServerSecurityGroupArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
    if (existing !== undefined) return pulumi.output(existing);
    const group = new aws.ec2.SecurityGroup(name, { description, vpcId: account.network.vpcId }, opts);
    new aws.vpc.SecurityGroupIngressRule(
        `${name}-cluster`,
        {
            securityGroupId: group.id,
            referencedSecurityGroupId: account.clusterSecurityGroupId,
            ipProtocol: "tcp",
            fromPort: port,
            toPort: port,
            description: "The cluster's nodes and pods",
        },
        opts,
    );
    return group.id;
}
