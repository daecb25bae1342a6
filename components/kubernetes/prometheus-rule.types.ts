/**
 * The fields of a PrometheusRule that this program sets; a Prometheus rules file has the same groups.
 *
 * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
 */
export interface PrometheusRuleSpec {
    groups: RuleGroup[];
}

export interface RuleGroup {
    name: string;
    interval?: string;
    rules: (AlertingRule | RecordingRule)[];
}

export interface AlertingRule {
    alert: string;
    expr: string;
    for?: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
}

export interface RecordingRule {
    record: string;
    expr: string;
    labels: Record<string, string>;
}
