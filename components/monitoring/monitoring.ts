import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { planDashboardFiles, planPrometheusRule, planRulesFile, type AlertSettings } from "./monitoring.plan";

export interface MonitoringArgs {
    readonly stack: AlertSettings;
    readonly namespace: pulumi.Input<string>;
}

/** Dashboards, and alerts on what the scraper reads: as a PrometheusRule, or as a rules file for those without the operator. */
export class Monitoring extends pulumi.ComponentResource {
    constructor(name: string, { stack, namespace }: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Monitoring", name, {}, opts);
        const child = { parent: this };
        switch (stack.monitoring.kind) {
            case "prometheusOperator":
                new k8s.apiextensions.CustomResource(`${name}-rules`, planPrometheusRule(stack, namespace), child);
                break;
            case "annotations":
                new k8s.core.v1.ConfigMap(`${name}-rules`, planRulesFile(stack, namespace), child);
                break;
            case "none":
                break;
        }
        const dashboards = planDashboardFiles(stack, namespace);
        if (dashboards !== undefined) new k8s.core.v1.ConfigMap(`${name}-dashboards`, dashboards, child);
        this.registerOutputs({});
    }
}
