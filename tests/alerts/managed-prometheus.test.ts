/**
 * The way to Amazon Managed Service for Prometheus: the image's own exporter, a real collector with the file of docs/monitoring.md, and a
 * workspace of the stand-in account (tests/aws/prometheus.py), behind which VictoriaMetrics keeps what it is sent.
 */
import { type ChildProcess, execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { planWriterPolicy } from "../../components/aws/policies.plan";
import { planManagedAlertmanager, planRulesText } from "../../components/monitoring/monitoring.plan";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain, type Toolchain } from "../../local/toolchain/build.ts";
import { account } from "../aws-mocks";
import { block } from "../e2e/docs.ts";
import { backend, metricsPackages } from "../local/backend-packages.ts";
import { startCollector, stopCollectors } from "../local/collector.ts";
import { freePort } from "../local/free-port.ts";
import { newFolder, startAlertmanager, startStore, stopAll } from "../local/metrics-store.ts";
import { monitoredStack } from "../monitored-stack";
import { accountVariable, startAccount } from "../verdicts/aws/account.ts";
import { administer, type Credentials, credentialsOf, region } from "../verdicts/aws/cli.ts";

type Labels = Readonly<Record<string, string>>;

const stack = monitoredStack({ kind: "otlp", endpoint: "https://collector.monitoring.svc:4318/v1/metrics" });
const folder = newFolder();
const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
};

let toolchain: Toolchain;
let moto: ChildProcess;
let endpoint: string;
let store: string;
let python: string;
let workspace: string;
let workspaceArn: string;

beforeAll(async () => {
    toolchain = await ensureToolchain(["operator"], consoleReport());
    [store, python] = await Promise.all([startStore(), metricsPackages()]);
    // Nothing of these tests is in a cluster.
    const cluster = { server: "https://127.0.0.1:1", "certificate-authority-data": "" };
    const { server, env } = await startAccount(account, cluster, { PROMETHEUS_STORE: store });
    [moto, endpoint] = [server, env["AWS_ENDPOINT_URL"] ?? ""];
    process.env[accountVariable] = JSON.stringify(env);
    const made = await administer("amp", "create-workspace", "--query", "[workspaceId,arn]", "--output", "text");
    [workspace = "", workspaceArn = ""] = made.split("\t");
    const certificate = ["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt"), "-subj", "/CN=collector"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];
    const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", ["req", "-x509", ...key, ...certificate, ...names], { stdio: "ignore" });
});
afterAll(() => {
    moto.kill("SIGKILL");
    stopCollectors();
    stopAll();
});

interface Collector {
    readonly url: string;
    readonly log: () => string;
}

/** The documented file with the addresses of this machine. */
async function collectorOf(credentials: Credentials): Promise<Collector> {
    const listen = `127.0.0.1:${await freePort()}`;
    const config = block("monitoring.md", "extensions:", "yaml")
        .replace("0.0.0.0:4318", listen)
        .replaceAll("/etc/collector-tls", folder)
        .replace(
            "https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-EXAMPLE",
            `${endpoint}/workspaces/${workspace}`,
        )
        // Its own metrics have a port that another collector of this test has, too.
        .replace("service:\n", "service:\n    telemetry: { metrics: { level: none } }\n");
    const log = await startCollector(config, credentials);
    return { url: `https://${listen}/v1/metrics`, log };
}

/** Of each kind. Prints what a scraper would read of them. */
const program = `
from orcheo_runtime import metrics_otlp
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
registry = CollectorRegistry()
Gauge("orcheo_websockets_open", "Text.", registry=registry).set(3)
Info("orcheo_stack", "Text.", registry=registry).info({"version": "0.46.0"})
requests = Counter("orcheo_http_requests", "Text.", ("route", "method", "status"), registry=registry)
requests.labels("/api/runs/{run_id}", "GET", "2xx").inc(97)
requests.labels("/api/runs/{run_id}", "GET", "5xx").inc(3)
seconds = Histogram("orcheo_http_request_duration_seconds", "Text.", ("route", "method"), buckets=(0.1, 1, 2.5, 10), registry=registry)
for each in (0.05, 0.5, 2, 100):
    seconds.labels("/", "GET").observe(each)
metrics_otlp.Sender(registry, "api").send()
print(generate_latest(registry).decode())
`;

interface Sample {
    readonly name: string;
    readonly labels: Labels;
    readonly value: number;
}

/** Bounds are numbers, which Prometheus' clients write in several ways. */
const comparable = ({ le, ...others }: Labels): Labels =>
    le === undefined ? others : { ...others, le: String(Number(le.replace("+Inf", "Infinity"))) };

function samplesIn(exposition: string): readonly Sample[] {
    return [...exposition.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)]
        .filter(([, name = ""]) => !name.endsWith("_created"))
        .map(([, name = "", labels = "", value]) => ({
            name,
            labels: comparable(
                Object.fromEntries(
                    Array.from(labels.matchAll(/(\w+)="([^"]*)"/g), ([, key = "", content = ""]) => [key, content]),
                ),
            ),
            value: Number(value),
        }));
}

/** Sends once, as a process of this namespace. */
function send(url: string, namespace: string): readonly Sample[] {
    const sent = spawnSync("python3", ["-c", program], {
        cwd: backend,
        encoding: "utf8",
        env: {
            PATH: process.env["PATH"],
            PYTHONPATH: python,
            PYTHONDONTWRITEBYTECODE: "1",
            ORCHEO_OTLP_METRICS_ENDPOINT: url,
            ORCHEO_OTLP_METRICS_CA_FILE: join(folder, "tls.crt"),
            ORCHEO_OTLP_NAMESPACE: namespace,
        },
    });
    expect(sent.stderr).toBe("");
    return samplesIn(sent.stdout);
}

async function query(expression: string): Promise<readonly Sample[]> {
    const answer = await fetch(`${store}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = (await answer.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric: { __name__: name = "", ...labels }, value }) => ({
        name,
        labels: comparable(labels),
        value: Number(value[1]),
    }));
}

/** Everything of the namespace, once there is so much. */
async function arrived(namespace: string, count: number): Promise<readonly Sample[]> {
    for (const end = Date.now() + 30_000; ;) {
        const found = await query(`{namespace="${namespace}"}`);
        if (found.length >= count || Date.now() > end) return found;
        await sleep(200);
    }
}

async function until(what: string, done: () => boolean): Promise<void> {
    for (const end = Date.now() + 30_000; !done();) {
        if (Date.now() > end) throw new Error(`${what} not within 30 s`);
        await sleep(100);
    }
}

const sorted = (samples: readonly Sample[]): readonly string[] =>
    samples.map(({ name, labels, value }) => JSON.stringify([name, Object.entries(labels).sort(), value])).sort();

describe("metrics", () => {
    let writer: Credentials;
    beforeAll(async () => {
        writer = await credentialsOf(account, "writer", planWriterPolicy(workspaceArn));
    });

    it("of the image's own exporter arrive under the names and labels of a scrape, and the stack's rules find them", async () => {
        const { url } = await collectorOf(writer);
        const scraped = send(url, "orcheo");
        expect(scraped.length).toBeGreaterThan(10);
        const found = await arrived("orcheo", scraped.length);
        const { pod = "", instance = "" } = found[0]?.labels ?? {};
        expect(instance).toMatch(new RegExp(`^${pod}/\\d+$`));
        // What a scraper adds.
        const added = { namespace: "orcheo", pod, job: "orcheo/orcheo-api", instance };
        expect(sorted(found)).toEqual(
            sorted(scraped.map((each) => ({ ...each, labels: { ...each.labels, ...added } }))),
        );
        expect(await query("target_info")).toEqual([]);

        const { groups } = parse(planRulesText(stack)) as { groups: { rules: { alert?: string; expr: string }[] }[] };
        const rules = groups.flatMap((group) => group.rules);
        const down = rules.filter(({ alert }) => alert === "OrcheoApiDown" || alert === "OrcheoWorkersDown");
        expect(await Promise.all(down.map(async ({ expr }) => (await query(expr)).length))).toEqual([0, 1]);
    });

    it("are refused with another secret, and from a role that may only read", async () => {
        const reads = [{ Effect: "Allow", Action: "aps:QueryMetrics", Resource: workspaceArn }];
        for (const [namespace, credentials, reason] of [
            [
                "wrong-key",
                { ...writer, AWS_SECRET_ACCESS_KEY: "another" },
                "request signature we calculated does not match",
            ],
            ["reader", await credentialsOf(account, "reader", reads), "not authorized to perform: aps:RemoteWrite"],
        ] as const) {
            const collector = await collectorOf(credentials);
            send(collector.url, namespace);
            await until(`${namespace}: the collector is refused`, () => collector.log().includes(reason));
            expect(collector.log()).toContain('"status_code": 403');
            expect(await query(`{namespace="${namespace}"}`)).toEqual([]);
        }
    });
});

describe("the workspace", () => {
    it("takes the rules, which Prometheus accepts, too", async () => {
        const rules = file("rules.yaml", planRulesText(stack));
        const said = execFileSync(toolchain.bin("promtool"), ["check", "rules", "--lint-fatal", rules], {
            encoding: "utf8",
        });
        expect(said).toMatch(/SUCCESS: [1-9]\d+ rules found/);
        const given = ["--workspace-id", workspace, "--name", "orcheo", "--data", `fileb://${rules}`];
        expect(await administer("amp", "create-rule-groups-namespace", ...given)).toContain("ACTIVE");
    });

    it("takes the definition, by which a real Alertmanager tells the topic of an alert's start and end, and of neither watchdog nor hints", async () => {
        const topic = await administer(
            "sns",
            "create-topic",
            "--name",
            "alarms",
            "--query",
            "TopicArn",
            "--output",
            "text",
        );
        const told: { Subject: string; Message: string }[] = [];
        const mailbox = createServer((request, response) => {
            void text(request).then((body) => {
                const { Type, ...mail } = JSON.parse(body) as (typeof told)[number] & { Type: string };
                if (Type === "Notification") told.push(mail);
                response.end();
            });
        });
        mailbox.listen(0, "127.0.0.1");
        await once(mailbox, "listening");
        const address = `http://127.0.0.1:${(mailbox.address() as AddressInfo).port}/`;
        await administer(
            "sns",
            "subscribe",
            "--topic-arn",
            topic,
            "--protocol",
            "http",
            "--notification-endpoint",
            address,
        );
        const definition = planManagedAlertmanager({ arn: topic, region }, "orcheo");
        const given = ["--workspace-id", workspace, "--data", `fileb://${file("definition.yaml", definition)}`];
        expect(await administer("amp", "create-alert-manager-definition", ...given)).toContain("ACTIVE");

        const { alertmanager_config: own = "" } = parse(definition) as Record<string, string>;
        const config = parse(own) as {
            route: Record<string, unknown>;
            receivers: { sns_configs?: { sigv4: object }[] }[];
        };
        // The only differences: AWS knows itself where SNS is, and by whose keys; and it does not wait for minutes.
        Object.assign(config.route, { group_wait: "0s", group_interval: "1s" });
        for (const sns of config.receivers.flatMap(({ sns_configs = [] }) => sns_configs))
            Object.assign(sns, { api_url: endpoint, sigv4: { ...sns.sigv4, access_key: "test", secret_key: "test" } });
        const alertmanager = await startAlertmanager(file("alertmanager.yaml", stringify(config)));
        const alert = (alertname: string, severity: string, namespace = "orcheo") => ({
            labels: { alertname, severity, namespace },
            annotations: {
                summary: `${alertname} in words.`,
                runbook_url: `docs/runbooks/page.md#${alertname.toLowerCase()}`,
            },
        });
        const post = async (alerts: readonly object[]): Promise<void> => {
            const headers = { "content-type": "application/json" };
            const answer = await fetch(`${alertmanager}/api/v2/alerts`, {
                method: "POST",
                headers,
                body: JSON.stringify(alerts),
            });
            expect(answer.status).toBe(200);
        };
        const subjects = async (count: number): Promise<readonly string[]> => {
            await until(`${count} messages`, () => told.length >= count);
            return told.map(({ Subject }) => Subject);
        };
        await post([
            alert("OrcheoWatchdog", "none"),
            alert("OrcheoNoKubernetesMetrics", "info"),
            alert("OrcheoApiDown", "critical", "another"),
            alert("OrcheoApiDown", "critical"),
        ]);
        expect(await subjects(1)).toEqual(["firing: OrcheoApiDown in orcheo"]);
        expect(told[0]?.Message).toBe("OrcheoApiDown in words. docs/runbooks/page.md#orcheoapidown \n");
        await post([{ ...alert("OrcheoApiDown", "critical"), endsAt: new Date(Date.now() - 1000).toISOString() }]);
        expect(await subjects(2)).toEqual(["firing: OrcheoApiDown in orcheo", "resolved: OrcheoApiDown in orcheo"]);
        mailbox.close();
    });
});
