/** The embedded cluster's monitoring, of `make up ORCHEO_MONITORING=1`: its images, its objects, and what it takes from the stack. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { isSettings, type Settings } from "../settings.ts";
import type { Toolchain } from "../toolchain/build.ts";
import { scrapeConfig } from "./addons/monitoring/scrape.ts";
import { ADMINISTRATOR } from "./certificates.ts";
import { fillIn, kubectl, retry } from "./cluster.ts";
import { ensureImage, type SystemImage } from "./images.ts";
import { signInHost } from "./sign-in.ts";
import { type ClusterSpec, ENTRANCE_SERVICE_IP, NODE_IP, pathsOf } from "./spec.ts";

export const MONITORING = "monitoring";
const LOG_AGENT = "log-agent";
const FOLDER = join(import.meta.dirname, "addons", "monitoring");
/** Of everything that goes when the monitoring is turned off. */
const LABEL = "app.kubernetes.io/part-of=orcheo-monitoring";
const ALERTMANAGER = `service/${MONITORING}/alertmanager:9093`;

/** Of the manifests in `addons/monitoring`; the binary has the name of the image. */
export const monitoringImages: readonly SystemImage[] = [
    "victoria-metrics",
    "victoria-logs",
    "vlagent",
    "vmalert",
    "alertmanager",
    "blackbox-exporter",
    "otel-collector",
].map((name) => ({ name, binaries: [name] }));

/** `orcheo:stack.monitoring` of a stack that this monitoring watches. */
export const monitoringSettings = {
    kind: "annotations",
    namespace: MONITORING,
    podLabels: { "app.kubernetes.io/name": "prometheus" },
    probe: { prober: `blackbox-exporter.${MONITORING}.svc:9115`, websocketModule: "orcheo_websocket", seconds: 30 },
    vmui: true,
} as const;

/** `orcheo:stack.tracing` of a stack that this monitoring watches, and that sends its traces nowhere else. */
export const tracingSettings = (caFile: string) => ({
    kind: "otlp",
    endpoint: `https://otel-collector.${MONITORING}.svc:4318/v1/traces`,
    samplePercent: 100,
    authority: { kind: "file", path: caFile },
    reach: { kind: "pods", namespace: MONITORING, podLabels: { "app.kubernetes.io/name": "otel-collector" } },
});

/** @returns what is wrong with a stack's own settings for this monitoring */
export function monitoringProblems({ monitoring }: Settings, file: string): string[] {
    const kind = isSettings(monitoring) ? (monitoring.kind ?? "none") : "none";
    return kind === "none" || kind === monitoringSettings.kind
        ? []
        : [
              `ORCHEO_MONITORING: found 1 beside monitoring.kind ${JSON.stringify(kind)} in ${file}; ` +
                  `accepted: 1 beside "annotations", "none" or no such key`,
          ];
}

/** What a test does otherwise than `make up`. */
export interface Pace {
    readonly seconds: number;
    readonly kubeletSeconds: number;
    /** Queries leave out the newest samples, which may be incomplete. */
    readonly latencyOffset: string;
    /** Between two times that the collector sends metrics of spans. */
    readonly flushSeconds: number;
    /** An alert on an audit log goes on for so long after what it is about. */
    readonly auditWindow: string;
}
const usual: Pace = { seconds: 30, kubeletSeconds: 30, latencyOffset: "30s", flushSeconds: 30, auditWindow: "10m" };

export interface Watched {
    readonly stack: string;
    readonly namespace: string;
    /** Of the public URL. */
    readonly host: string;
}

/** Names the stack that is watched: one at a time. */
const recordOf = (spec: ClusterSpec): string => join(spec.stateDir, "monitoring");
const watchedBy = (spec: ClusterSpec): string | undefined =>
    existsSync(recordOf(spec)) ? readFileSync(recordOf(spec), "utf8") : undefined;

/** Where `make status` asks for the alerts of a stack, if it is watched. */
export const alertsOf = (spec: ClusterSpec, stack: string): string | undefined =>
    watchedBy(spec) === stack ? ALERTMANAGER : undefined;

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** A file of the add-on with its placeholders filled in. */
const filled = (name: string, values: Readonly<Record<string, string>>): string =>
    fillIn(readFileSync(join(FOLDER, name), "utf8"), new Map(Object.entries(values)));

/** Files for the pods, as ConfigMaps. */
async function filesFor(
    spec: ClusterSpec,
    toolchain: Toolchain,
    namespace: string,
    pace: Pace,
): Promise<Record<string, Record<string, string>>> {
    const get = async (kind: string, name: string): Promise<Record<string, string>> => {
        const found = await kubectl(spec, toolchain, ["get", kind, name, "--namespace", namespace, "-o", "json"]);
        return (JSON.parse(found) as { data: Record<string, string> }).data;
    };
    const [rules, probes, dashboards, certificate] = await Promise.all([
        get("configmap", "alert-rules"),
        get("configmap", "probes"),
        get("configmap", "vmui-dashboards"),
        get("secret", "api-tls"),
    ]);
    const { scrape_configs } = parse(probes["probes.yaml"] ?? "") as { scrape_configs: readonly object[] };
    return {
        scrape: {
            "scrape.yaml": stringify(scrapeConfig({ namespace, ...pace, probes: scrape_configs })),
            "ca.crt": Buffer.from(certificate["ca.crt"] ?? "", "base64").toString(),
        },
        dashboards: { ...dashboards, "orcheo-spans.json": filled("spans-dashboard.json", { namespace }) },
        rules,
        "audit-rules": { "audit.yaml": auditRules(namespace, pace) },
        "object-states": { "objects.py": readFileSync(join(FOLDER, "objects.py"), "utf8") },
        "blackbox-exporter": {
            "blackbox.yaml": readFileSync(join(FOLDER, "blackbox.yaml"), "utf8"),
            "ca.crt": readFileSync(pathsOf(spec).ingressCa, "utf8"),
        },
        "otel-collector": {
            "collector.yaml": filled("collector.yaml", { flushSeconds: String(pace.flushSeconds) }),
        },
        // What fires is looked at; nobody is called.
        alertmanager: {
            "alertmanager.yaml": stringify({ route: { receiver: "nobody" }, receivers: [{ name: "nobody" }] }),
        },
    };
}

/** Rules for vmalert on what VictoriaLogs holds of audit logs. */
export const auditRules = (namespace: string, { auditWindow }: Pick<Pace, "auditWindow"> = usual): string =>
    filled("audit-rules.yaml", { namespace, deployer: ADMINISTRATOR, window: auditWindow });

/** The manifests, in the order of their names. */
export const monitoringManifests = (): readonly string[] =>
    readdirSync(FOLDER)
        .filter((file) => /^\d\d-.*\.yaml$/.test(file))
        .sort()
        .map((file) => readFileSync(join(FOLDER, file), "utf8"));

/** Starts it, or brings it up to date with the stack, which is deployed with `monitoringSettings`. */
export async function ensureMonitoring(
    spec: ClusterSpec,
    toolchain: Toolchain,
    { stack, namespace, host }: Watched,
    changed: Partial<Pace> = {},
): Promise<void> {
    const pace = { ...usual, ...changed };
    writeFileSync(recordOf(spec), stack);
    const files = await filesFor(spec, toolchain, namespace, pace);
    const worker = ["get", "deployment", "worker", "--namespace", namespace];
    const values = new Map([
        [
            "image:worker",
            await kubectl(spec, toolchain, [...worker, "-o", "jsonpath={.spec.template.spec.containers[0].image}"]),
        ],
        ["stackNamespace", namespace],
        ["host", host],
        ["signInHost", signInHost],
        ["nodeAddress", NODE_IP],
        ["apiPort", String(spec.ports.api)],
        ["httpsPort", String(spec.ports.https)],
        ["entranceAddress", ENTRANCE_SERVICE_IP],
        ["latencyOffset", pace.latencyOffset],
        ["auditLogs", pathsOf(spec).auditLogs],
        ["configKey", hash(JSON.stringify(files))],
    ]);
    for (const image of monitoringImages) values.set(`image:${image.name}`, await ensureImage(spec, toolchain, image));
    const [data = "", ...others] = monitoringManifests().map((text) => fillIn(text, values));
    const configMaps = Object.entries(files).map(([name, content]) =>
        JSON.stringify({
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name, namespace: MONITORING, labels: Object.fromEntries([LABEL.split("=")]) as object },
            data: content,
        }),
    );
    const apply = (...texts: readonly string[]): Promise<string> =>
        kubectl(spec, toolchain, ["apply", "--server-side", "--force-conflicts", "-f", "-"], texts.join("\n---\n"));
    await retry(60, () => apply(data));
    await retry(60, () => apply(...configMaps, ...others));
    for (const namespace of [MONITORING, LOG_AGENT])
        for (const name of await deployments(spec, toolchain, namespace))
            await kubectl(spec, toolchain, ["rollout", "status", name, "--namespace", namespace, "--timeout=180s"]);
}

async function deployments(spec: ClusterSpec, toolchain: Toolchain, namespace: string): Promise<string[]> {
    const all = ["get", "deployments", "--namespace", namespace, "-l", LABEL, "-o", "name"];
    return (await kubectl(spec, toolchain, all)).trim().split("\n");
}

/**
 * Removes it, if it watches this stack; namespaces, metrics and logs stay.
 *
 * @returns whether there was anything to remove
 */
export async function removeMonitoring(spec: ClusterSpec, toolchain: Toolchain, stack: string): Promise<boolean> {
    if (watchedBy(spec) !== stack) return false;
    const gone = (kinds: readonly string[], ...where: readonly string[]): Promise<string> =>
        kubectl(spec, toolchain, ["delete", kinds.join(","), "-l", LABEL, ...where]);
    const namespaced = [
        ...["certificates.cert-manager.io", "deployments", "services", "networkpolicies", "configmaps"],
        ...["secrets", "serviceaccounts"],
    ];
    await gone(namespaced, "--all-namespaces");
    await gone(["clusterroles", "clusterrolebindings"]);
    rmSync(recordOf(spec));
    return true;
}
