/**
 * Real servers around a stack: VictoriaMetrics in the cluster, which scrapes it; vmalert with the stack's own rules, Alertmanager and
 * a receiver on loopback.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { retry } from "../../../local/cluster/cluster.ts";
import { ensureImage } from "../../../local/cluster/images.ts";
import { ensureToolchain } from "../../../local/toolchain/build.ts";
import { freePort } from "../../local/free-port.ts";
import { newFolder, startAlertmanager, startRules, stopAll } from "../../local/metrics-store.ts";
import { at } from "../orcheo.ts";
import { apply, env, kube, NAMESPACE, report, spec } from "../platform/harness.ts";
import { strictNamespace } from "../platform/servers.ts";
import { faster } from "./faster.ts";
import { proberFiles, startProber } from "./prober.ts";
import { Receiver, routeTo } from "./receiver.ts";
import { account, MONITORING, objectStates, rules, scrapeConfigWith, scrapersPod } from "./scrape.ts";

export interface Monitors {
    readonly receiver: Receiver;
    readonly vmalert: ChildProcess;
    /** By name: the worst severity with which it fires. */
    readonly severities: ReadonlyMap<string, string>;
    /** Values of an instant query. */
    query(expression: string): Promise<readonly number[]>;
    stop(): void;
}

const STORE = "victoria-metrics";

async function objectsPod(): Promise<object> {
    // Any Python will do.
    const image = await kube(
        ...["get", "deployment", "worker", "-o", "jsonpath={.spec.template.spec.containers[0].image}"],
    );
    const command = ["python3", "/etc/scrape/objects.py", NAMESPACE, String(objectStates.port)];
    return scrapersPod(objectStates.name, { app: objectStates.name }, { image, command });
}

const ready = (name: string): Promise<string> =>
    kube("wait", `--namespace=${MONITORING}`, "--for=condition=Ready", "--timeout=120s", `pod/${name}`);

/** Starts what stands for kube-state-metrics. */
export async function startObjectStates(): Promise<void> {
    await apply([await objectsPod()]);
    await ready(objectStates.name);
}

export const stopObjectStates = (): Promise<string> =>
    kube("delete", `--namespace=${MONITORING}`, "pod", objectStates.name, "--wait=true");

/** What the stack wrote, as its user would include it. */
const written = (configMap: string, file: string): Promise<string> =>
    kube("get", "configmap", configMap, `--output=jsonpath={.data.${file.replace(".", "\\.")}}`);

async function probeJobs(): Promise<readonly object[]> {
    return (parse(await written("probes", "probes.yaml")) as { scrape_configs: readonly object[] }).scrape_configs;
}

async function startScraper(): Promise<void> {
    const toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi", "test", "alerts"], report);
    const image = await ensureImage(spec, toolchain, { name: STORE, binaries: [STORE] });
    const ca = await kube("get", "secret", "api-tls", "-o", "jsonpath={.data.ca\\.crt}");
    const group = "rbac.authorization.k8s.io";
    const args = [
        "-promscrape.config=/etc/scrape/scrape.yaml",
        "-promscrape.suppressDuplicateScrapeTargetErrors",
        "-storageDataPath=/data",
        "-retentionPeriod=1d",
        "-search.latencyOffset=1s",
    ];
    await apply([strictNamespace(MONITORING)]);
    await apply([
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account, namespace: MONITORING } },
        { apiVersion: `${group}/v1`, kind: "ClusterRole", metadata: { name: account }, rules },
        {
            apiVersion: `${group}/v1`,
            kind: "ClusterRoleBinding",
            metadata: { name: account },
            roleRef: { apiGroup: group, kind: "ClusterRole", name: account },
            subjects: [{ kind: "ServiceAccount", name: account, namespace: MONITORING }],
        },
        {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "scrape", namespace: MONITORING },
            data: {
                "scrape.yaml": stringify(scrapeConfigWith(await probeJobs())),
                ...proberFiles(),
                "ca.crt": Buffer.from(ca, "base64").toString(),
                "objects.py": readFileSync(join(import.meta.dirname, "objects.py"), "utf8"),
            },
        },
        // The labels by which the stack's NetworkPolicy knows its scraper.
        scrapersPod(STORE, { "app.kubernetes.io/name": "prometheus" }, { image, args }),
    ]);
    await ready(STORE);
    await startObjectStates();
    await startProber(toolchain);
}

/** The scraper through the API server, which reaches pods also while the kubelet is away. */
async function openStore(): Promise<{ url: string; proxy: ChildProcess }> {
    const port = await freePort();
    const proxy = spawn("kubectl", ["proxy", `--port=${port}`], { env, stdio: "ignore" });
    const url = `http://127.0.0.1:${port}/api/v1/namespaces/${MONITORING}/pods/${STORE}:8428/proxy`;
    await retry(30, async () => {
        if (!(await fetch(`${url}/health`)).ok) throw new Error("the store does not answer");
    });
    return { url, proxy };
}

function worst(rulesFile: string): Map<string, string> {
    const found = new Map<string, string>();
    for (const [, name = "", severity = ""] of rulesFile.matchAll(/alert: (\w+)$.*?severity: (\w+)$/gms))
        if (severity === "critical" || !found.has(name)) found.set(name, severity);
    return found;
}

/** Around the stack that runs. */
export async function startMonitors(): Promise<Monitors> {
    await startScraper();
    const { url, proxy } = await openStore();
    const receiver = await Receiver.start();
    const folder = newFolder();
    const file = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
    };
    const own = await written("alert-rules", "rules.yaml");
    const alertmanager = await startAlertmanager(file("alertmanager.yaml", stringify(routeTo(receiver.url))));
    const { child } = await startRules(file("rules.yaml", faster(own)), url, alertmanager);
    return {
        receiver,
        vmalert: child,
        severities: worst(own),
        async query(expression) {
            const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`);
            const found = at(await answer.json(), "data", "result");
            if (!Array.isArray(found)) throw new Error(`"${expression}" is answered with ${answer.status}`);
            return found.map((each) => Number(at(each, "value", 1)));
        },
        stop() {
            receiver.stop();
            proxy.kill();
            stopAll();
        },
    };
}
