/**
 * The fields of a Probe that this program sets.
 *
 * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.Probe
 */
export interface ProbeSpec {
    jobName: string;
    interval: string;
    module: string;
    prober: { url: string };
    targets: { staticConfig: { static: string[]; labels: Record<string, string> } };
}
