/**
 * The fields of an AlertmanagerConfig that this program sets.
 *
 * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1alpha1.AlertmanagerConfig
 */
interface Matcher {
    name: string;
    value: string;
    matchType: "=" | "=~";
}

interface Route {
    receiver: string;
    groupBy?: string[];
    groupWait?: string;
    groupInterval?: string;
    repeatInterval?: string;
    matchers?: Matcher[];
    continue?: boolean;
    routes?: Route[];
}

export interface SecretKey {
    name: string;
    key: string;
}

export interface AlertmanagerConfigSpec {
    route: Route;
    receivers: {
        name: string;
        emailConfigs?: {
            to: string;
            from: string;
            smarthost: string;
            authUsername?: string;
            authPassword?: SecretKey;
            requireTLS: boolean;
            sendResolved: boolean;
            headers: { key: string; value: string }[];
            html: string;
            text: string;
        }[];
        slackConfigs?: { apiURL: SecretKey; channel: string; sendResolved: boolean; title: string; text: string }[];
        pagerdutyConfigs?: { routingKey: SecretKey; sendResolved: boolean; description: string; severity: string }[];
        webhookConfigs?: { urlSecret: SecretKey; sendResolved: boolean }[];
    }[];
}
