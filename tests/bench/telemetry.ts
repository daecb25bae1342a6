/** The price of metrics and traces: APIs with and without them, asked in turn and at the same rate, so that all meet the same drift of the machine. */
import { loadavg } from "node:os";
import { inNode } from "../../local/cluster/node.ts";
import { at } from "../e2e/orcheo.ts";
import { median } from "../local/percentile.ts";
import { attack, CALLERS } from "./load.ts";
import { cpuSeconds } from "./pods.ts";
import { type Bench, keepOneReplica, NAMESPACE, originOf, type Pod, podsBy, requests } from "./twins.ts";

/** Each with new processes, whose memory lies elsewhere. */
const ROUNDS = 3;
const TURNS = 6;
const SECONDS = 6;
/** So few that an answer takes as long as its work, and not as a queue. */
const RATE = 40;

const LABEL = "bench-telemetry";
const RECEIVER = LABEL;
const port = 4318;

type Variables = Readonly<Record<string, string>>;
/** As the settings give them to the API's pods (components/monitoring). */
const traces = (percent: number): Variables => ({
    ORCHEO_OTLP_NAMESPACE: NAMESPACE,
    ORCHEO_OTLP_TRACES_ENDPOINT: `http://traces.${RECEIVER}.svc:${port}/v1/traces`,
    ORCHEO_OTLP_TRACES_PERCENT: String(percent),
});
const METRICS = "metrics";
const BASE = "without both";
const ways: Readonly<Record<string, Variables>> = {
    [BASE]: {},
    // What differs here is chance.
    "without both, a second one": {},
    [METRICS]: { ORCHEO_METRICS_PORT: "9464" },
    "traces, 0 %": traces(0),
    "traces, 10 %": traces(10),
    "traces, 100 %": traces(100),
};

/** Takes everything and keeps nothing, so that its own work weighs little. */
const receiver = `from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
ThreadingHTTPServer(("", ${port}), Handler).serve_forever()`;

interface Deployment {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
        readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
        readonly template: {
            readonly metadata: { readonly labels: Readonly<Record<string, string>> };
            readonly spec: { readonly containers: readonly Container[] };
        };
    };
}
interface Container {
    readonly image: string;
    readonly env?: readonly { readonly name: string }[];
    readonly resources: { readonly requests: Readonly<Record<string, string>> };
}

const list = (items: readonly object[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });

/** The stack's own. */
const declared = async ({ kubectl }: Bench): Promise<Deployment> =>
    JSON.parse(await kubectl(["--namespace", NAMESPACE, "get", "deployment", "api", "--output=json"])) as Deployment;

async function startReceiver({ kubectl }: Bench, image: string): Promise<void> {
    const labels = { "app.kubernetes.io/name": "traces" };
    const metadata = { name: "traces", namespace: RECEIVER, labels };
    const receivers = {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": RECEIVER } },
        podSelector: { matchLabels: labels },
    };
    const container = {
        name: "traces",
        image,
        command: ["python3", "-c", receiver],
        readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    };
    const items = [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: RECEIVER } },
        { apiVersion: "v1", kind: "Service", metadata, spec: { selector: labels, ports: [{ port }] } },
        {
            ...{ apiVersion: "v1", kind: "Pod", metadata },
            spec: { automountServiceAccountToken: false, containers: [container] },
        },
        {
            apiVersion: "networking.k8s.io/v1",
            kind: "NetworkPolicy",
            metadata: { name: LABEL, namespace: NAMESPACE },
            spec: {
                podSelector: { matchExpressions: [{ key: LABEL, operator: "Exists" }] },
                policyTypes: ["Egress"],
                egress: [{ to: [receivers], ports: [{ port }] }],
            },
        },
    ];
    await kubectl(["apply", "--filename=-"], list(items));
    await kubectl(["--namespace", RECEIVER, "wait", "--for=condition=Ready", "--timeout=60s", "pod/traces"]);
}

/** The stack's API once more, with further variables. */
function copyOf({ metadata, spec }: Deployment, number: number, variables: Variables): object {
    const own = { [LABEL]: String(number) };
    const { template } = spec;
    const [api, ...others] = template.spec.containers;
    if (api === undefined) throw new Error("the API's pods have no container");
    const env = Object.entries(variables).map(([name, value]) => ({ name, value }));
    // So many requests of processor time may be more than the node has left.
    const resources = { ...api.resources, requests: { ...api.resources.requests, cpu: "20m" } };
    const containers = [{ ...api, env: [...(api.env ?? []), ...env], resources }, ...others];
    return {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: `${LABEL}-${number}`, namespace: NAMESPACE, labels: { ...metadata.labels, ...own } },
        spec: {
            ...spec,
            replicas: 1,
            selector: { matchLabels: { ...spec.selector.matchLabels, ...own } },
            template: {
                metadata: { ...template.metadata, labels: { ...template.metadata.labels, ...own } },
                spec: { ...template.spec, containers },
            },
        },
    };
}

const remove = ({ kubectl }: Bench): Promise<string> => {
    const how = ["--cascade=foreground", "--wait=true", "--timeout=180s"];
    return kubectl(["--namespace", NAMESPACE, "delete", "deployments", "--selector", LABEL, ...how]);
};

/** @returns the pods of the ways in their order */
async function start(bench: Bench, deployment: Deployment): Promise<Pod[]> {
    await remove(bench);
    const copies = Object.values(ways).map((variables, number) => copyOf(deployment, number, variables));
    await bench.kubectl(["apply", "--filename=-"], list(copies));
    const pods: Pod[] = [];
    for (const number of copies.keys()) {
        const own = ["--namespace", NAMESPACE, "rollout", "status", `deployment/${LABEL}-${number}`];
        await bench.kubectl([...own, "--timeout=180s"]);
        pods.push(...(await podsBy(bench, NAMESPACE, `${LABEL}=${number}`)));
    }
    if (pods.length !== copies.length) throw new Error(`${copies.length} pods were expected, there are ${pods.length}`);
    return pods;
}

interface Price {
    readonly p95Ms: number;
    /** Processor seconds of the API for 1,000 requests. */
    readonly cpu: number;
}

async function measure(bench: Bench, way: string, pod: Pod): Promise<Price> {
    const url = `${originOf("ours", pod)}${requests["a list from Postgres"]}`;
    const before = cpuSeconds(bench.spec, pod.uid);
    const command = ["curl", "--silent", "--insecure", "--fail", "--output", "/dev/null"];
    const scraped = way === METRICS ? inNode(bench.spec, [...command, `https://${pod.ip}:9464/metrics`]) : undefined;
    const [seen] = await Promise.all([attack(bench, url, SECONDS, CALLERS, RATE), scraped]);
    const used = cpuSeconds(bench.spec, pod.uid) - before;
    if (seen.success < 1) throw new Error(`${way}: ${JSON.stringify(seen.status_codes)}`);
    return { p95Ms: seen.latencies["95th"] / 1e6, cpu: (used / seen.requests) * 1000 };
}

/** @returns for each turn, the prices of the ways in their order */
async function inTurn(bench: Bench, pods: readonly Pod[]): Promise<Price[][]> {
    const names = Object.keys(ways);
    const found: Price[][] = [];
    // The first turn warms each process up.
    for (let turn = 0; turn <= TURNS; turn++) {
        const prices: Price[] = [];
        for (const place of names.keys()) {
            // Another one begins in each turn.
            const number = (place + turn) % names.length;
            prices[number] = await measure(bench, names[number] ?? "", pods[number] as Pod);
        }
        if (turn > 0) found.push(prices);
    }
    return found;
}

/** @returns lines of a table */
export async function measureTelemetry(bench: Bench): Promise<readonly string[]> {
    const deployment = await declared(bench);
    // It would take the load of the copies for that of its own pods.
    await keepOneReplica(bench);
    await startReceiver(bench, String(at(deployment, "spec", "template", "spec", "containers", 0, "image")));
    const turns: Price[][] = [];
    const loads: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
        const pods = await bench.report.step(`start an API for each way, ${round}`, undefined, () =>
            start(bench, deployment),
        );
        const found = bench.report.step(`requests to each of them in turn, ${round}`, undefined, () =>
            inTurn(bench, pods),
        );
        turns.push(...(await found));
        loads.push(loadavg()[0] ?? Number.NaN);
    }
    await remove(bench);
    await bench.kubectl(["--namespace", NAMESPACE, "delete", "networkpolicy", LABEL]);
    await bench.kubectl(["delete", "namespace", RECEIVER, "--wait=false"]);
    const of = (prices: readonly Price[], number: number, field: keyof Price): number =>
        prices[number]?.[field] ?? Number.NaN;
    const middle = (number: number, field: keyof Price): number =>
        median(turns.map((prices) => of(prices, number, field)));
    /** Beside the first way of the same turn. */
    const more = (number: number, field: keyof Price): string => {
        const times = turns.map((prices) => of(prices, number, field) / of(prices, 0, field));
        return `${((median(times) - 1) * 100).toFixed(1)} %`;
    };
    const rows = Object.keys(ways).map((way, number) => {
        const latency = [middle(number, "p95Ms").toFixed(1), more(number, "p95Ms")];
        const cells = [...latency, middle(number, "cpu").toFixed(2), more(number, "cpu")];
        return `| ${[way, ...cells].join(" | ")} |`;
    });
    return [
        "",
        `## Metrics and traces (${RATE} requests a second to one after the other, for ${SECONDS} s; median of ${ROUNDS * TURNS}; load ${median(loads).toFixed(1)})`,
        "",
        "| a list from Postgres | p95 ms | more | CPU s/1,000 API | more | target of metrics |",
        "| --- | --- | --- | --- | --- | --- |",
        ...rows.map((line, number) => `${line} ${Object.keys(ways)[number] === METRICS ? "<= 3 %" : ""} |`),
    ];
}
