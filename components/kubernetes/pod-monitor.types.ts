/**
 * The fields of a PodMonitor that this program sets.
 *
 * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor
 */
export interface PodMonitorSpec {
    selector: { matchLabels: Record<string, string> };
    podTargetLabels?: string[];
    podMetricsEndpoints: {
        port: string;
        path: string;
        scheme: "https";
        interval: string;
        tlsConfig: { ca: { secret: { name: string; key: string } }; serverName: string };
    }[];
}
