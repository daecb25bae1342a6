/** A server with Prometheus' API in the cluster, asked through the API server: Prometheus, VictoriaMetrics or vmalert. */
import { at } from "../orcheo.ts";
import { kube } from "./harness.ts";

export interface Series {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
}

export interface MetricsServer {
    /** What a path is answered. */
    readonly get: (path: string) => Promise<string>;
    /** Field `data` of an answer of the API. */
    readonly data: (path: string) => Promise<unknown>;
    /** An instant query. */
    readonly query: (expression: string, more?: Readonly<Record<string, string>>) => Promise<readonly Series[]>;
    /** Its values. */
    readonly numbers: (expression: string) => Promise<number[]>;
    /** The rules that it evaluates, by their names. */
    readonly rules: () => Promise<readonly Rule[]>;
}

/** As far as Prometheus and vmalert tell the same. */
export interface Rule {
    readonly name: string;
    readonly type: "alerting" | "recording";
    /** `inactive`, `pending` or `firing`; of an alert alone. */
    readonly state?: string;
    readonly lastError?: string;
    readonly lastEvaluation: string;
}

/** @param service  with its port, such as `vmalert:8880`, or `https:store:8428` */
export function metricsServer(namespace: string, service: string): MetricsServer {
    const get = (path: string): Promise<string> =>
        kube("get", "--raw", `/api/v1/namespaces/${namespace}/services/${service}/proxy${path}`);
    const data = async (path: string): Promise<unknown> => at(JSON.parse(await get(path)), "data");
    const query: MetricsServer["query"] = async (expression, more = {}) => {
        const asked = new URLSearchParams({ query: expression, ...more }).toString();
        return at(await data(`/api/v1/query?${asked}`), "result") as readonly Series[];
    };
    return {
        ...{ get, data, query },
        rules: async () => {
            const groups = at(await data("/api/v1/rules"), "groups") as readonly { readonly rules: readonly Rule[] }[];
            return groups.flatMap(({ rules }) => rules);
        },
        numbers: async (expression) => (await query(expression)).map(({ value }) => Number(value[1])),
    };
}
