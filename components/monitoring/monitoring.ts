import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { planAlertmanagerConfig, planAlertmanagerConfigMap } from "./notifications.plan";
import { planProbes, planProbesFile } from "./outside.plan";
import {
    planDashboardFiles,
    planPrometheusRule,
    planRulesFile,
    planVmuiFiles,
    type AlertSettings,
} from "./monitoring.plan";

export interface MonitoringArgs {
    readonly stack: AlertSettings;
    readonly namespace: pulumi.Input<string>;
}

/** Dashboards, and alerts on what the scraper reads: as a PrometheusRule, or as a rules file for those without the operator. */
export class Monitoring extends pulumi.ComponentResource {
    constructor(name: string, { stack, namespace }: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Monitoring", name, {}, opts);
        const child = { parent: this };
        const { monitoring, kubernetes } = stack;
        switch (monitoring.kind) {
            case "prometheusOperator": {
                const { labels, notifications, probe } = monitoring;
                new k8s.apiextensions.CustomResource(`${name}-rules`, planPrometheusRule(stack, namespace), child);
                if (notifications !== undefined) {
                    const plan = planAlertmanagerConfig(notifications, namespace, labels);
                    new k8s.apiextensions.CustomResource(`${name}-notifications`, plan, child);
                }
                for (const plan of probe === undefined ? [] : planProbes(stack, probe, { namespace, labels }))
                    new k8s.apiextensions.CustomResource(`${name}-${plan.metadata.name}`, plan, child);
                break;
            }
            case "annotations":
            case "otlp": {
                const { notifications } = monitoring;
                new k8s.core.v1.ConfigMap(`${name}-rules`, planRulesFile(stack, namespace), child);
                if (notifications !== undefined) {
                    const plan = planAlertmanagerConfigMap(notifications, kubernetes.namespace, namespace);
                    new k8s.core.v1.ConfigMap(`${name}-notifications`, plan, child);
                }
                if (monitoring.kind === "annotations" && monitoring.probe !== undefined) {
                    const plan = planProbesFile(stack, monitoring.probe, { namespace, name: kubernetes.namespace });
                    new k8s.core.v1.ConfigMap(`${name}-probes`, plan, child);
                }
                break;
            }
            case "none":
                break;
        }
        const dashboards = planDashboardFiles(stack, namespace);
        if (dashboards !== undefined) new k8s.core.v1.ConfigMap(`${name}-dashboards`, dashboards, child);
        const vmui = planVmuiFiles(stack, namespace);
        if (vmui !== undefined) new k8s.core.v1.ConfigMap(`${name}-vmui`, vmui, child);
        this.registerOutputs({});
    }
}
