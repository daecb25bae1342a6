import type * as pulumi from "@pulumi/pulumi";
import { madeByAws } from "../config/kinds";
import type { Stack } from "../config/schema";
import type { ClusterContext } from "./cluster-api";

/**
 * The stack's cluster; undefined while AWS has yet to make it.
 *
 * @param kubeconfig  of a cluster that is made in the same update
 */
export async function contextOf(
    stack: Pick<Stack, "aws" | "kubernetes">,
    kubeconfig?: pulumi.Output<string>,
): Promise<ClusterContext | undefined> {
    const { context } = stack.kubernetes;
    if (!madeByAws(stack)) return stack.kubernetes;
    if (kubeconfig === undefined) return undefined;
    const output = kubeconfig as unknown as { isKnown: Promise<boolean>; promise(): Promise<string> };
    const text = await output.promise();
    return (await output.isKnown) ? { context, kubeconfig: text } : undefined;
}
