/** Alertmanager's receivers of the stack's alerts: as the operator's AlertmanagerConfig, and as a file of its own. */
import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { stringify } from "yaml";
import type { Notifications } from "../config/schema.notifications";
import type { SecretKey } from "../kubernetes/alertmanager-config.types";
import type { AlertmanagerConfig } from "../kubernetes/custom-object";
import { objectLabels } from "../kubernetes/labels";

/** Where the operator mounts a Secret of `spec.secrets`: `<folder>/<name>/<key>`. A file's Alertmanager needs them at the same place. */
const secretsFolder = "/etc/alertmanager/secrets";
const name = "alertmanager";

/** A receiver, in the words of both forms. */
interface Receiver {
    readonly name: string;
    /** Undefined: it takes the dead man's switch alone. */
    readonly severities: readonly string[] | undefined;
    readonly operator: Omit<AlertmanagerConfig["spec"]["receivers"][number], "name">;
    readonly file: Readonly<Record<string, readonly object[]>>;
}

const fileOf = ({ name: secret, key }: SecretKey): string => `${secretsFolder}/${secret}/${key}`;

const title = "{{ .CommonLabels.alertname }} in {{ .CommonLabels.namespace }}: {{ .Status }}";
const lines =
    "{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.runbook_url }} {{ .Annotations.dashboard_url }}\n{{ end }}";

function receiversOf(settings: Notifications): readonly Receiver[] {
    const { email, slack, pagerDuty, webhook, deadMansSwitch, sendResolved } = settings;
    const resolved = { send_resolved: sendResolved };
    const found: (Receiver | undefined)[] = [
        email && {
            name: "email",
            severities: email.severities,
            operator: {
                emailConfigs: [
                    {
                        to: email.to.join(", "),
                        from: email.from,
                        smarthost: email.smarthost,
                        authUsername: email.username,
                        authPassword: email.password,
                        requireTLS: true,
                        sendResolved,
                        headers: [{ key: "Subject", value: title }],
                        html: "",
                        text: lines,
                    },
                ],
            },
            file: {
                email_configs: [
                    {
                        to: email.to.join(", "),
                        from: email.from,
                        smarthost: email.smarthost,
                        ...(email.username !== undefined && { auth_username: email.username }),
                        ...(email.password !== undefined && { auth_password_file: fileOf(email.password) }),
                        require_tls: true,
                        ...resolved,
                        headers: { Subject: title },
                        html: "",
                        text: lines,
                    },
                ],
            },
        },
        slack && {
            name: "slack",
            severities: slack.severities,
            operator: {
                slackConfigs: [{ apiURL: slack.url, channel: slack.channel, sendResolved, title, text: lines }],
            },
            file: {
                slack_configs: [
                    { api_url_file: fileOf(slack.url), channel: slack.channel, ...resolved, title, text: lines },
                ],
            },
        },
        pagerDuty && {
            name: "pagerduty",
            severities: pagerDuty.severities,
            operator: {
                pagerdutyConfigs: [
                    {
                        routingKey: pagerDuty.routingKey,
                        sendResolved,
                        description: title,
                        severity: "{{ .CommonLabels.severity }}",
                    },
                ],
            },
            file: {
                pagerduty_configs: [
                    {
                        routing_key_file: fileOf(pagerDuty.routingKey),
                        ...resolved,
                        description: title,
                        severity: "{{ .CommonLabels.severity }}",
                    },
                ],
            },
        },
        webhook && {
            name: "webhook",
            severities: webhook.severities,
            operator: { webhookConfigs: [{ urlSecret: webhook.url, sendResolved }] },
            file: { webhook_configs: [{ url_file: fileOf(webhook.url), ...resolved }] },
        },
        deadMansSwitch && {
            name: "dead-mans-switch",
            severities: undefined,
            operator: { webhookConfigs: [{ urlSecret: deadMansSwitch.url, sendResolved: false }] },
            file: { webhook_configs: [{ url_file: fileOf(deadMansSwitch.url), send_resolved: false }] },
        },
    ];
    return found.filter((each) => each !== undefined);
}

/** Alerts of no severity that somebody asked for end here. */
const nobody = "nobody";
const watchdog = "OrcheoWatchdog";
/** Within the five minutes that the setting promises. */
const often = { wait: "0s", interval: "1m", repeat: "5m" };
const usual = { wait: "30s", interval: "5m" };

/** The operator adds that the alert has to be of this namespace. */
export function planAlertmanagerConfig(
    settings: Notifications,
    namespace: Input<string>,
    labels: Readonly<Record<string, string>>,
): AlertmanagerConfig {
    const receivers = receiversOf(settings);
    return {
        apiVersion: "monitoring.coreos.com/v1alpha1",
        kind: "AlertmanagerConfig",
        metadata: { name, namespace, labels: { ...labels, ...objectLabels() } },
        spec: {
            route: {
                receiver: nobody,
                groupBy: ["alertname", "namespace"],
                groupWait: usual.wait,
                groupInterval: usual.interval,
                repeatInterval: `${settings.repeatHours}h`,
                routes: receivers.map(({ name: receiver, severities }) =>
                    severities === undefined
                        ? {
                              receiver,
                              groupWait: often.wait,
                              groupInterval: often.interval,
                              repeatInterval: often.repeat,
                              matchers: [{ name: "alertname", value: watchdog, matchType: "=" as const }],
                          }
                        : {
                              receiver,
                              continue: true,
                              matchers: [{ name: "severity", value: severities.join("|"), matchType: "=~" as const }],
                          },
                ),
            },
            receivers: [{ name: nobody }, ...receivers.map((each) => ({ name: each.name, ...each.operator }))],
        },
    };
}

/** `alertmanager.yaml` of an Alertmanager that serves this stack. */
export function planAlertmanagerFile(settings: Notifications, namespace: string): string {
    const receivers = receiversOf(settings);
    return stringify(
        {
            route: {
                receiver: nobody,
                group_by: ["alertname", "namespace"],
                group_wait: usual.wait,
                group_interval: usual.interval,
                repeat_interval: `${settings.repeatHours}h`,
                routes: receivers.map(({ name: receiver, severities }) =>
                    severities === undefined
                        ? {
                              receiver,
                              group_wait: often.wait,
                              group_interval: often.interval,
                              repeat_interval: often.repeat,
                              matchers: [`alertname = "${watchdog}"`, `namespace = "${namespace}"`],
                          }
                        : {
                              receiver,
                              continue: true,
                              matchers: [`severity =~ "${severities.join("|")}"`, `namespace = "${namespace}"`],
                          },
                ),
            },
            receivers: [{ name: nobody }, ...receivers.map((each) => ({ name: each.name, ...each.file }))],
        },
        { lineWidth: 0 },
    );
}

/** A topic of SNS, in the region of the workspace. */
export interface Topic {
    readonly arn: string;
    readonly region: string;
}

/**
 * The definition of the alert manager of Amazon Managed Service for Prometheus, which notifies topics of SNS alone: an Alertmanager's file
 * as the text of one key. SNS takes 100 characters as a subject; what is cut off is the end of a long namespace. A topic cannot notice that
 * the dead man's switch stops, so that goes to nobody.
 *
 * @see https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-config.html
 * @see https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-receiver-config.html
 */
export function planManagedAlertmanager({ arn, region }: Topic, namespace: string): string {
    const receiver = "alarms";
    const config = {
        route: {
            receiver: nobody,
            group_by: ["alertname", "namespace"],
            group_wait: usual.wait,
            group_interval: usual.interval,
            repeat_interval: "4h",
            routes: [{ receiver, matchers: ['severity =~ "critical|warning"', `namespace = "${namespace}"`] }],
        },
        receivers: [
            { name: nobody },
            {
                name: receiver,
                sns_configs: [
                    {
                        topic_arn: arn,
                        sigv4: { region },
                        send_resolved: true,
                        subject: "{{ .Status }}: {{ .CommonLabels.alertname }} in {{ .CommonLabels.namespace }}",
                        message: lines,
                    },
                ],
            },
        ],
    };
    const definition = { alertmanager_config: stringify(config, { lineWidth: 0 }) };
    return stringify(definition, { lineWidth: 0 });
}

export function planAlertmanagerConfigMap(
    settings: Notifications,
    stackNamespace: string,
    namespace: Input<string>,
): types.input.core.v1.ConfigMap {
    return {
        metadata: { name, namespace, labels: objectLabels() },
        data: { "alertmanager.yaml": planAlertmanagerFile(settings, stackNamespace) },
    };
}
