import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import type { AlarmPlan } from "./alarms.plan";
import { planTopicPolicy, policyDocument } from "./policies.plan";

export interface MonitoringArgs {
    readonly settings: Aws;
    readonly dataKeyArn: pulumi.Output<string>;
}

export interface NotificationsArgs extends MonitoringArgs {
    /** Managed Prometheus that notifies the topic, too. */
    readonly workspaceArn?: pulumi.Output<string> | undefined;
}

/** Notifications: the topic of all alarms, and the budget. */
export class Monitoring extends pulumi.ComponentResource {
    readonly topicArn: pulumi.Output<string>;
    /** Until it exists, nobody else may publish to the topic. */
    readonly policy: pulumi.Resource;

    constructor(name: string, args: NotificationsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AwsMonitoring", name, {}, opts);
        const { settings, dataKeyArn, workspaceArn } = args;
        const child = { parent: this };
        const topic = new aws.sns.Topic(
            `${name}-topic`,
            { name: `${settings.name}-alarms`, kmsMasterKeyId: dataKeyArn },
            child,
        );
        this.topicArn = topic.arn;
        const allowed = new aws.sns.TopicPolicy(
            `${name}-topic-policy`,
            { arn: topic.arn, policy: policyDocument(planTopicPolicy(topic.arn, settings.accountId, workspaceArn)) },
            child,
        );
        this.policy = allowed;
        for (const endpoint of settings.alarmEmails)
            new aws.sns.TopicSubscription(
                `${name}-${endpoint}`,
                { topic: topic.arn, protocol: "email", endpoint },
                child,
            );
        const told = {
            comparisonOperator: "GREATER_THAN",
            thresholdType: "PERCENTAGE",
            subscriberSnsTopicArns: [topic.arn],
        } satisfies Partial<aws.types.input.budgets.BudgetNotification>;
        new aws.budgets.Budget(
            `${name}-budget`,
            {
                name: settings.name,
                budgetType: "COST",
                limitAmount: String(settings.budgetUsdPerMonth),
                limitUnit: "USD",
                timeUnit: "MONTHLY",
                // Only resources with the stack's tag, which must be activated for cost allocation once.
                costFilters: [{ name: "TagKeyValue", values: [`user:Stack$${settings.name}`] }],
                notifications: [
                    { ...told, notificationType: "ACTUAL", threshold: 80 },
                    { ...told, notificationType: "FORECASTED", threshold: 100 },
                ],
            },
            { ...child, dependsOn: [allowed] },
        );
        this.registerOutputs({});
    }
}

/** The alarms; the topic is notified when they start and when they end. */
export function declareAlarms(
    plans: readonly AlarmPlan[],
    topicArn: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
): void {
    for (const { name, description, periods, periodSeconds, missingIsBreaching, dimensions, ...metric } of plans)
        new aws.cloudwatch.MetricAlarm(
            name,
            {
                ...metric,
                name,
                alarmDescription: `${description}. What to do: docs/runbooks/alarms.md`,
                dimensions: { ...dimensions },
                period: periodSeconds ?? 300,
                evaluationPeriods: periods,
                ...(missingIsBreaching === true && { treatMissingData: "breaching" }),
                alarmActions: [topicArn],
                okActions: [topicArn],
            },
            opts,
        );
}

/**
 * Made before the service that would otherwise make it, without an end and without our key. Protected, as whatever is kept:
 * forgotten by a destroy, it would be there already when the next update creates it.
 */
export function logGroup(
    name: string,
    path: string,
    { settings, dataKeyArn }: MonitoringArgs,
    opts: pulumi.CustomResourceOptions,
): aws.cloudwatch.LogGroup {
    return new aws.cloudwatch.LogGroup(
        name,
        { name: path, retentionInDays: settings.logRetentionDays, kmsKeyId: dataKeyArn },
        { ...opts, protect: true, retainOnDelete: true },
    );
}
