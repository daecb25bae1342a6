/** The addresses of the stack's own VPC: a /16 in three zones or more. */
import type * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";

export type OwnNetwork = Extract<Aws["network"], { kind: "new" }>;

export interface SubnetPlan {
    readonly zone: string;
    readonly cidr: string;
}

/** 4,091 addresses for pods, nodes, database and cache in each zone; 251 for load balancers and NAT gateways. */
export function planSubnets({ cidr, zones }: OwnNetwork): {
    readonly private: readonly SubnetPlan[];
    readonly public: readonly SubnetPlan[];
} {
    const [base = ""] = cidr.split(".0.0/");
    return {
        private: zones.map((zone, index) => ({ zone, cidr: `${base}.${index * 16}.0/20` })),
        public: zones.map((zone, index) => ({ zone, cidr: `${base}.${240 + index}.0/24` })),
    };
}

/** Where database and cache are: what pods may reach of the private network. */
export function serverCidrs(network: Aws["network"]): readonly string[] {
    return network.kind === "new" ? planSubnets(network).private.map(({ cidr }) => cidr) : network.cidrs;
}

export interface Network {
    readonly vpcId: pulumi.Output<string>;
    readonly subnetIds: pulumi.Output<string[]>;
}
