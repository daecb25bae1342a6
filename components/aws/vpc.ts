import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import { logGroup } from "./monitoring";
import { policyDocument, servicePolicy } from "./policies.plan";
import { planSubnets, type OwnNetwork, type Network } from "./vpc.plan";

export interface VpcArgs {
    readonly settings: Aws;
    readonly config: OwnNetwork;
    readonly dataKeyArn: pulumi.Output<string>;
}

/**
 * A VPC of the stack's own: private subnets for everything, public ones for load balancers and NAT gateways only.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
 */
export class Vpc extends pulumi.ComponentResource implements Network {
    readonly vpcId: pulumi.Output<string>;
    readonly subnetIds: pulumi.Output<string[]>;

    constructor(name: string, args: VpcArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AwsVpc", name, {}, opts);
        const { settings, config } = args;
        const child = { parent: this };
        const kept = { ...child, protect: true, retainOnDelete: true };
        const vpc = new aws.ec2.Vpc(
            name,
            { cidrBlock: config.cidr, enableDnsSupport: true, enableDnsHostnames: true, tags: { Name: settings.name } },
            kept,
        );
        this.vpcId = vpc.id;
        // AWS makes one that lets its members talk to each other: emptied, so that nothing falls into it.
        new aws.ec2.DefaultSecurityGroup(`${name}-default`, { vpcId: vpc.id }, child);
        const subnet = (role: string, zone: string, cidrBlock: string, elb: string) =>
            new aws.ec2.Subnet(
                `${name}-${role}-${zone}`,
                {
                    vpcId: vpc.id,
                    availabilityZone: zone,
                    cidrBlock,
                    mapPublicIpOnLaunch: false,
                    tags: { Name: `${settings.name}-${role}-${zone}`, [`kubernetes.io/role/${elb}`]: "1" },
                },
                kept,
            );
        const plan = planSubnets(config);
        const outside = plan.public.map(({ zone, cidr }) => ({ zone, subnet: subnet("public", zone, cidr, "elb") }));
        const inside = plan.private.map(({ zone, cidr }) => ({
            zone,
            subnet: subnet("private", zone, cidr, "internal-elb"),
        }));
        this.subnetIds = pulumi.all(inside.map((each) => each.subnet.id));
        const gateways = this.wayOut(name, vpc, config.natPerZone ? outside : outside.slice(0, 1), outside);
        const tables = inside.map(({ zone, subnet: { id } }, index) => {
            const gateway = gateways[index] ?? gateways[0];
            const route = { cidrBlock: "0.0.0.0/0", natGatewayId: gateway?.id };
            return this.table(`${name}-private-${zone}`, vpc, route, [{ zone, id }]);
        });
        new aws.ec2.VpcEndpoint(
            `${name}-s3`,
            {
                vpcId: vpc.id,
                serviceName: `com.amazonaws.${settings.region}.s3`,
                vpcEndpointType: "Gateway",
                routeTableIds: tables.map(({ id }) => id),
            },
            child,
        );
        this.flowLog(name, vpc, args);
        this.registerOutputs({});
    }

    /** Internet gateway and NAT gateways. */
    private wayOut(name: string, vpc: aws.ec2.Vpc, nat: readonly ZoneSubnet[], all: readonly ZoneSubnet[]) {
        const child = { parent: this };
        const internet = new aws.ec2.InternetGateway(`${name}-internet`, { vpcId: vpc.id }, child);
        const route = { cidrBlock: "0.0.0.0/0", gatewayId: internet.id };
        this.table(
            `${name}-public`,
            vpc,
            route,
            all.map(({ zone, subnet }) => ({ zone, id: subnet.id })),
        );
        return nat.map(({ zone, subnet }) => {
            const address = new aws.ec2.Eip(`${name}-nat-${zone}`, { domain: "vpc" }, child);
            return new aws.ec2.NatGateway(
                `${name}-nat-${zone}`,
                { allocationId: address.id, subnetId: subnet.id },
                { ...child, dependsOn: [internet] },
            );
        });
    }

    private table(
        name: string,
        vpc: aws.ec2.Vpc,
        route: aws.types.input.ec2.RouteTableRoute,
        subnets: readonly { zone: string; id: pulumi.Output<string> }[],
    ): aws.ec2.RouteTable {
        const child = { parent: this };
        const table = new aws.ec2.RouteTable(name, { vpcId: vpc.id, routes: [route] }, child);
        for (const { zone, id } of subnets)
            new aws.ec2.RouteTableAssociation(`${name}-in-${zone}`, { routeTableId: table.id, subnetId: id }, child);
        return table;
    }

    /** Accepted and rejected connections. */
    private flowLog(name: string, vpc: aws.ec2.Vpc, { settings, dataKeyArn }: VpcArgs): void {
        const child = { parent: this };
        const logs = logGroup(`${name}-flow`, `/aws/vpc/${settings.name}/flow`, { settings, dataKeyArn }, child);
        const role = new aws.iam.Role(
            `${name}-flow`,
            {
                namePrefix: `${settings.name}-flow-`,
                assumeRolePolicy: servicePolicy("vpc-flow-logs.amazonaws.com", settings.accountId),
            },
            child,
        );
        const write = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"];
        const policy = policyDocument([
            { Effect: "Allow", Action: write, Resource: [logs.arn, pulumi.interpolate`${logs.arn}:*`] },
        ]);
        const allowed = new aws.iam.RolePolicy(`${name}-flow`, { role: role.name, policy }, child);
        new aws.ec2.FlowLog(
            `${name}-flow`,
            { vpcId: vpc.id, trafficType: "ALL", logDestination: logs.arn, iamRoleArn: role.arn },
            { ...child, dependsOn: [allowed] },
        );
    }
}

interface ZoneSubnet {
    readonly zone: string;
    readonly subnet: aws.ec2.Subnet;
}
