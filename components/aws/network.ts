/** Network of the account: ids from the config, or outputs of another stack. */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Aws } from "../config/schema.aws";
import { Vpc } from "./vpc";
import type { Network } from "./vpc.plan";

export interface NetworkArgs {
    readonly settings: Aws;
    readonly dataKeyArn: pulumi.Output<string>;
}

export function networkOf(name: string, args: NetworkArgs, opts: pulumi.ComponentResourceOptions): Network {
    const { network } = args.settings;
    switch (network.kind) {
        case "new":
            return new Vpc(name, { ...args, config: network }, opts);
        case "existing":
            return { vpcId: pulumi.output(network.vpcId), subnetIds: pulumi.output(network.privateSubnetIds) };
        case "stackReference": {
            const other = new pulumi.StackReference(`${name}-stack`, { name: network.stack }, { parent: opts.parent });
            return {
                vpcId: textOf(other, network.vpcIdOutput),
                subnetIds: other
                    .requireOutput(network.privateSubnetIdsOutput)
                    .apply((value: unknown) => z.array(z.string()).parse(value)),
            };
        }
    }
}

/** @throws in the update or preview when the other stack has no such output, or no text in it */
export function textOf(stack: pulumi.StackReference, output: string): pulumi.Output<string> {
    return stack.requireOutput(output).apply((value: unknown) => z.string().parse(value));
}
