/**
 * Real servers around a stack: VictoriaMetrics in the cluster, which scrapes it; vmalert with the stack's own rules, Alertmanager and
 * a receiver on loopback.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { retry } from "../../../local/cluster/cluster.ts";
import { ensureMonitoring, MONITORING } from "../../../local/cluster/monitoring.ts";
import { ensureToolchain } from "../../../local/toolchain/build.ts";
import { monitoredUpGroups } from "../../../local/toolchain/tools.ts";
import { freePort } from "../../local/free-port.ts";
import { newFolder, startAlertmanager, startRules, stopAll } from "../../local/metrics-store.ts";
import { at } from "../orcheo.ts";
import { env, kube, NAMESPACE, report, spec, STACK } from "../platform/harness.ts";
import { FASTER, faster } from "./faster.ts";
import { Receiver, routeTo } from "./receiver.ts";

export interface Monitors {
    readonly receiver: Receiver;
    readonly vmalert: ChildProcess;
    /** By name: the worst severity with which it fires. */
    readonly severities: ReadonlyMap<string, string>;
    /** Values of an instant query. */
    query(expression: string): Promise<readonly number[]>;
    stop(): void;
}

const inMonitoring = `--namespace=${MONITORING}`;

/** Starts what stands for kube-state-metrics. */
export async function startObjectStates(): Promise<void> {
    await kube("scale", inMonitoring, "deployment/object-states", "--replicas=1");
    await kube("rollout", "status", inMonitoring, "deployment/object-states", "--timeout=120s");
}

export async function stopObjectStates(): Promise<void> {
    await kube("scale", inMonitoring, "deployment/object-states", "--replicas=0");
    const its = ["pods", "--selector=app.kubernetes.io/name=object-states"];
    await kube("wait", inMonitoring, ...its, "--for=delete", "--timeout=60s");
}

/** About as fast as the rules, and slow enough for a busy machine. */
const pace = { seconds: 2 * Math.ceil(30 / FASTER), kubeletSeconds: 5, latencyOffset: "1s" };

/** As `make up` starts it, but for its rules: this test evaluates them faster. */
async function startScraper(): Promise<void> {
    const toolchain = await ensureToolchain([...monitoredUpGroups, "test"], report);
    await ensureMonitoring(spec, toolchain, { stack: STACK, namespace: NAMESPACE, host: "orcheo.localhost" }, pace);
    await kube("scale", inMonitoring, "deployment/vmalert", "deployment/alertmanager", "--replicas=0");
}

/** The scraper through the API server, which reaches pods also while the kubelet is away. */
async function openStore(): Promise<{ url: string; proxy: ChildProcess }> {
    const port = await freePort();
    const name = "jsonpath={.items[0].metadata.name}";
    const pod = await kube("get", "pods", inMonitoring, "--selector=app.kubernetes.io/name=prometheus", "-o", name);
    const proxy = spawn("kubectl", ["proxy", `--port=${port}`], { env, stdio: "ignore" });
    const url = `http://127.0.0.1:${port}/api/v1/namespaces/${MONITORING}/pods/${pod}:8428/proxy`;
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
    // What the stack wrote, as its user would include it.
    const own = await kube("get", "configmap", "alert-rules", "--output=jsonpath={.data.rules\\.yaml}");
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
