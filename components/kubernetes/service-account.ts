import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { ServiceAccounts } from "../config/schema.pods";
import { planServiceAccount } from "./service-account.plan";

export type AccountSettings = Pick<Stack, "serviceAccounts">;

export interface ServiceAccountArgs {
    readonly stack: AccountSettings;
    readonly namespace: pulumi.Input<string>;
    /** Those that the cloud gives; configured ones come on top. */
    readonly annotations?: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Creates the role's ServiceAccount, or uses the configured one; @returns its name. */
export function serviceAccount(
    name: string,
    role: keyof ServiceAccounts,
    { stack, namespace, annotations }: ServiceAccountArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
    const setting = stack.serviceAccounts[role];
    if (setting.kind === "existing") return pulumi.output(setting.name);
    const plan = planServiceAccount(role, namespace, { ...annotations, ...setting.annotations });
    return new k8s.core.v1.ServiceAccount(name, plan, opts).metadata.name;
}
