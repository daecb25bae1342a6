import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import type { PrometheusSettings } from "../config/schema.aws.prometheus";
import { planManagedAlertmanager } from "../monitoring/monitoring.plan";
import { PodRole } from "./identities";
import { logGroup, type Monitoring, type MonitoringArgs } from "./monitoring";
import { planWriterPolicy } from "./policies.plan";

export interface PrometheusArgs extends MonitoringArgs {
    readonly config: PrometheusSettings;
    /** Rules file of the stack. */
    readonly rules: string;
}

/**
 * A workspace of Amazon Managed Service for Prometheus with the stack's rules. Who writes to it is in the cluster, and not the stack's.
 * Protected, and kept on delete, as whatever holds data.
 */
export class Prometheus extends pulumi.ComponentResource {
    readonly workspaceId: pulumi.Output<string>;
    readonly workspaceArn: pulumi.Output<string>;
    readonly remoteWriteUrl: pulumi.Output<string>;

    constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AwsPrometheus", name, {}, opts);
        const { settings, dataKeyArn, config, rules } = args;
        const child = { parent: this };
        // The only place that says why a rule or a notification fails. AWS' own policy of logs covers names that begin so.
        const logs = logGroup(`${name}-logs`, `/aws/vendedlogs/prometheus/${settings.name}`, args, child);
        const workspace = new aws.amp.Workspace(
            name,
            {
                alias: settings.name,
                kmsKeyArn: dataKeyArn,
                loggingConfiguration: { logGroupArn: pulumi.interpolate`${logs.arn}:*` },
            },
            { ...child, protect: true, retainOnDelete: true },
        );
        this.workspaceId = workspace.id;
        this.workspaceArn = workspace.arn;
        this.remoteWriteUrl = pulumi.interpolate`${workspace.prometheusEndpoint}api/v1/remote_write`;
        const { workspaceId } = this;
        new aws.amp.WorkspaceConfiguration(
            `${name}-retention`,
            { workspaceId, retentionPeriodInDays: config.retentionDays },
            child,
        );
        new aws.amp.RuleGroupNamespace(`${name}-rules`, { workspaceId, name: settings.name, data: rules }, child);
        this.registerOutputs({});
    }
}

export interface ConnectionArgs {
    readonly settings: Aws;
    readonly config: PrometheusSettings;
    readonly clusterName: pulumi.Output<string>;
    /** Namespace of the stack, which its alerts name. */
    readonly namespace: string;
    readonly monitoring: Monitoring;
}

/** Lets the writer write to the workspace, and has its alerts sent to the topic of the alarms. Answers what the writer has to know. */
export function connect(
    name: string,
    { workspaceId, workspaceArn, remoteWriteUrl }: Prometheus,
    { settings, config, clusterName, namespace, monitoring: { topicArn, policy } }: ConnectionArgs,
    opts: pulumi.CustomResourceOptions,
): Readonly<Record<string, pulumi.Output<string>>> {
    const { writer } = config;
    const role = new PodRole(
        `${name}-writer`,
        {
            ...{ settings, clusterName, purpose: "metrics" },
            ...{ namespace: writer.namespace, serviceAccounts: [writer.serviceAccount] },
        },
        opts,
    );
    role.allow(`${name}-writer-policy`, planWriterPolicy(workspaceArn), opts);
    const definition = topicArn.apply((arn) => planManagedAlertmanager({ arn, region: settings.region }, namespace));
    new aws.amp.AlertManagerDefinition(`${name}-alerts`, { workspaceId, definition }, { ...opts, dependsOn: [policy] });
    return { prometheusRemoteWriteUrl: remoteWriteUrl, prometheusWriterRoleArn: role.roleArn };
}
