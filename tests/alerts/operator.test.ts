/** What `monitoring.kind: prometheusOperator` declares, taken by an API server with the operator's CRDs and read by the operator itself. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { Receiver } from "../e2e/alerts/receiver.ts";
import { caText, runBoth, type Run } from "../harness";
import { newFolder, startAlertmanager, stopAll } from "../local/metrics-store.ts";
import { OPERATED, type Operator, startOperator } from "../local/prometheus-operator.ts";
import { notified, notifiedByFiles } from "../variants";

type Fields = Record<string, unknown>;

const namespace = "orcheo";
const roles = ["api", "beat", "canvas", "worker"] as const;
const { notifications, ...monitoring } = notified.monitoring;
const settings = {
    ...notified,
    monitoring: {
        ...monitoring,
        notifications: { ...notifications, email: { ...notifications.email, severities: ["critical"] } },
    },
};

let operator: Operator;
let promtool: string;
let webhook: Receiver;
let deadMansSwitch: Receiver;

const inputsOf = ({ resources }: Run, ...kinds: readonly string[]): Fields[] =>
    resources.filter(({ type }) => kinds.some((kind) => type.endsWith(`:${kind}`))).map(({ inputs }) => inputs);
const own = ["PodMonitor", "Probe", "PrometheusRule", "AlertmanagerConfig"];

/** As a user of the operator's Helm chart has them. */
const selector = { matchLabels: monitoring.labels };
const instances = (apiServer: string) => [
    {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "Prometheus",
        metadata: { name: "own", namespace: OPERATED },
        spec: {
            version: "v3.16.0",
            // For promtool, which runs outside of the cluster.
            apiserverConfig: { host: apiServer },
            ...{ podMonitorSelector: selector, podMonitorNamespaceSelector: {} },
            ...{ probeSelector: selector, probeNamespaceSelector: {} },
            ...{ ruleSelector: selector, ruleNamespaceSelector: {} },
        },
    },
    {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "Alertmanager",
        metadata: { name: "own", namespace: OPERATED },
        spec: { version: "v0.35.0", alertmanagerConfigSelector: selector, alertmanagerConfigNamespaceSelector: {} },
    },
];

const secret = (name: string, stringData: Fields) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    stringData,
});

/** Pods of the program's Deployments, as a ReplicaSet would make them. */
const podsOf = (run: Run): { metadata: { name: string } }[] =>
    inputsOf(run, "Deployment").map(({ metadata, spec }) => {
        const { template } = spec as { template: { metadata: Fields; spec: Fields } };
        const { name } = metadata as { name: string };
        return {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { ...template.metadata, name, namespace },
            spec: { ...template.spec },
        };
    });

async function until<T>(what: string, ask: () => T | undefined): Promise<T> {
    for (const end = Date.now() + 60_000; ;) {
        const answer = ask();
        if (answer !== undefined) return answer;
        if (Date.now() > end) throw new Error(`${what} not within a minute`);
        await sleep(500);
    }
}

beforeAll(async () => {
    promtool = (await ensureToolchain(["operator"], consoleReport())).bin("promtool");
    [webhook, deadMansSwitch] = [await Receiver.start(), await Receiver.start()];
    operator = await startOperator();
    const run = await runBoth({ stack: "dev", settings });
    operator.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }]);
    operator.apply([
        ...inputsOf(run, "ServiceAccount"),
        // Made by cert-manager, and by the stack's user.
        ...roles.map((role) => secret(`${role}-tls`, { "ca.crt": caText })),
        secret("alerting", {
            "smtp-password": "letmein",
            "slack-url": "http://127.0.0.1:1/",
            "pagerduty-key": "0123456789abcdef0123456789abcdef",
            "webhook-url": webhook.url,
            "switch-url": deadMansSwitch.url,
        }),
    ]);
    operator.apply([...podsOf(run), ...inputsOf(run, ...own), ...instances(operator.apiServer)]);
});
afterAll(async () => {
    await operator.stop();
    webhook.stop();
    deadMansSwitch.stop();
    stopAll();
});

/** Prometheus' configuration, with what the operator's config reloader fills in. */
const config = (): Promise<string> =>
    until("the operator writes Prometheus' configuration", () => {
        const text = operator.written("secret", "prometheus-own")["prometheus.yaml"] ?? "";
        return text.includes("probe/") && text.includes("podMonitor/") ? text : undefined;
    }).then((text) => text.replaceAll("$(SHARD)", "0").replaceAll("$(POD_NAME)", "prometheus-own-0"));

interface Job extends Fields {
    readonly job_name: string;
    readonly tls_config: { readonly ca_file: string; readonly server_name: string };
}

describe("the API server", () => {
    it("refuses a field that the operator's CRDs do not have", () => {
        const spec = { selector: {}, podMetricsEndpoints: [{ port: "metrics", serverName: "api" }] };
        const monitor = {
            apiVersion: "monitoring.coreos.com/v1",
            kind: "PodMonitor",
            metadata: { name: "typo", namespace },
            spec,
        };
        expect(() => {
            operator.apply([monitor]);
        }).toThrow(/serverName/);
    });
});

describe("the operator", () => {
    it("accepts each PodMonitor, Probe and the PrometheusRule", async () => {
        const kinds = "podmonitors,probes,prometheusrules";
        const verdicts = await until("a verdict on each", () => {
            const found = parse(operator.kubectl(["get", kinds, `--namespace=${namespace}`, "--output=json"])) as {
                items: {
                    kind: string;
                    metadata: { name: string };
                    status?: { bindings: { conditions: Fields[] }[] };
                }[];
            };
            return found.items.every(({ status }) => status !== undefined) ? found.items : undefined;
        });
        expect(
            verdicts.map(({ kind, metadata, status }) => [
                `${kind} ${metadata.name}`,
                status?.bindings.flatMap(({ conditions }) => conditions.map(({ type, status: met }) => [type, met])),
            ]),
        ).toEqual(
            [
                ...roles.map((role) => `PodMonitor ${role}`),
                ...["Probe entrance", "Probe entrance-websocket", "PrometheusRule alert-rules"],
            ].map((each) => [each, [["Accepted", "True"]]]),
        );
    });

    it("has Prometheus scrape each role by https at the port of its metrics, with its CA and the name of its certificate", async () => {
        const file = join(newFolder(), "prometheus.yaml");
        writeFileSync(file, await config());
        const assets = operator.written("secret", "prometheus-own-tls-assets-0");
        const { scrape_configs } = parse(await config()) as { scrape_configs: Job[] };
        for (const [index, role] of roles.entries()) {
            const address = `10.0.0.${index + 1}`;
            const ip = JSON.stringify({ status: { podIP: address, podIPs: [{ ip: address }] } });
            operator.kubectl([
                "patch",
                "pod",
                role,
                `--namespace=${namespace}`,
                "--subresource=status",
                `--patch=${ip}`,
            ]);
        }
        for (const [index, role] of roles.entries()) {
            const job_name = `podMonitor/${namespace}/${role}/0`;
            const job = scrape_configs.find((each) => each.job_name === job_name);
            expect(job, role).toMatchObject({
                scheme: "https",
                tls_config: { server_name: `${role}.${namespace}.svc` },
            });
            expect(assets[job?.tls_config.ca_file.replace("/etc/prometheus/certs/", "") ?? ""], role).toBe(caText);
            const found = execFileSync(promtool, ["check", "service-discovery", "--timeout=3s", file, job_name], {
                encoding: "utf8",
            });
            const targets = (parse(found) as { labels?: Fields }[]).flatMap(({ labels }) =>
                labels === undefined || Object.keys(labels).length === 0 ? [] : [labels],
            );
            expect(targets, role).toEqual([
                expect.objectContaining({
                    __address__: `10.0.0.${index + 1}:9464`,
                    __scheme__: "https",
                    __metrics_path__: "/metrics",
                    namespace,
                    pod: role,
                }),
            ]);
        }
    });

    it("writes a configuration and rules that Prometheus accepts, with every alert of the stack", async () => {
        const folder = newFolder();
        const place = (path: string, files: Readonly<Record<string, string>>): void => {
            mkdirSync(join(folder, path), { recursive: true });
            for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, path, name), text);
        };
        place("certs", operator.written("secret", "prometheus-own-tls-assets-0"));
        const rules = operator.written("configmap", "prometheus-own-rulefiles-0");
        place("rules/prometheus-own-rulefiles-0", rules);
        place(".", { "prometheus.yaml": (await config()).replaceAll("/etc/prometheus/", `${folder}/`) });
        const said = execFileSync(promtool, ["check", "config", "--lint-fatal", join(folder, "prometheus.yaml")], {
            encoding: "utf8",
        });
        const [text = "", ...others] = Object.values(rules);
        expect(others).toEqual([]);
        const alertsIn = (groups: readonly { rules: Fields[] }[]): unknown[] =>
            groups.flatMap((group) =>
                group.rules.map(({ alert, record, expr, for: duration, labels, annotations }) => ({
                    alert,
                    record,
                    expr,
                    for: duration,
                    labels,
                    annotations,
                })),
            );
        const declared = parse(
            operator.kubectl(["get", "prometheusrule", "alert-rules", `--namespace=${namespace}`, "--output=json"]),
        ) as { spec: { groups: { rules: Fields[] }[] } };
        const written = alertsIn((parse(text) as { groups: { rules: Fields[] }[] }).groups);
        expect(written).toEqual(alertsIn(declared.spec.groups));
        expect(said).toContain(`SUCCESS: ${written.length} rules found`);
    });

    it("has Prometheus ask the prober for each URL, by its module", async () => {
        const { scrape_configs } = parse(await config()) as { scrape_configs: Job[] };
        const asked = scrape_configs
            .filter(({ job_name }) => job_name.startsWith("probe/"))
            .map(({ params, static_configs, relabel_configs }) => [
                params,
                static_configs,
                JSON.stringify(relabel_configs),
            ]);
        const prober = expect.stringContaining(
            '{"target_label":"__address__","replacement":"blackbox-exporter.monitoring.svc:9115"}',
        ) as string;
        const origin = "https://orcheo.localhost";
        expect(asked).toEqual([
            [
                { module: ["http_2xx"] },
                [{ targets: [`${origin}/`, `${origin}/api/system/health`], labels: { namespace } }],
                prober,
            ],
            [
                { module: ["orcheo_websocket"] },
                [{ targets: [`${origin}/ws/workflow/probe`], labels: { namespace } }],
                prober,
            ],
        ]);
    });

    it("has Alertmanager notify the stack's receivers of the stack's alerts alone", async () => {
        const text = await until("the operator writes Alertmanager's configuration", () => {
            const { "alertmanager.yaml": found = "" } = operator.written("secret", "alertmanager-own-generated");
            return found.includes("dead-mans-switch") ? found : undefined;
        });
        const file = join(newFolder(), "alertmanager.yaml");
        writeFileSync(file, text);
        const url = await startAlertmanager(file);
        const alert = (alertname: string, severity: string, from: string) => ({
            labels: { alertname, severity, namespace: from },
            annotations: { summary: "A test." },
        });
        // Of no severity that goes to a server of others.
        const alerts = [
            alert("OrcheoWatchdog", "none", namespace),
            alert("OrcheoQueueGrows", "warning", namespace),
            alert("OrcheoQueueGrows", "warning", "another"),
        ];
        const posted = await fetch(`${url}/api/v2/alerts`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(alerts),
        });
        expect(posted.status).toBe(200);
        await deadMansSwitch.until(10, "the dead man's switch is called", () => deadMansSwitch.names().length > 0);
        await webhook.until(60, "the webhook is called", () => webhook.names().length > 0);
        expect(deadMansSwitch.names()).toEqual(["OrcheoWatchdog"]);
        expect(webhook.names()).toEqual(["OrcheoQueueGrows"]);
        expect(webhook.firing("OrcheoQueueGrows", "warning").map(({ labels }) => labels["namespace"])).toEqual([
            namespace,
        ]);
    });
});

it("without the operator, Prometheus accepts the files with the rules and the probes", async () => {
    const maps = inputsOf(await runBoth({ stack: "dev", settings: notifiedByFiles }), "ConfigMap");
    const files = maps.map(({ data }) => Object.entries((data ?? {}) as Record<string, string>)).flat();
    const folder = newFolder();
    for (const name of ["rules.yaml", "probes.yaml"])
        writeFileSync(join(folder, name), files.find(([file]) => file === name)?.[1] ?? "");
    const including = { rule_files: ["rules.yaml"], scrape_config_files: ["probes.yaml"] };
    writeFileSync(join(folder, "prometheus.yaml"), stringify(including));
    const said = execFileSync(promtool, ["check", "config", "--lint-fatal", join(folder, "prometheus.yaml")], {
        encoding: "utf8",
    });
    expect(said).toMatch(/SUCCESS: 1 rule files found[\s\S]*SUCCESS: [1-9]\d+ rules found/);
});
