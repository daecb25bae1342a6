/** Prometheus as its operator runs it, with the manifests of the operator's makers, and a blackbox exporter for the probes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { fillIn } from "../../../local/cluster/cluster.ts";
import { ensureImage } from "../../../local/cluster/images.ts";
import { MONITORING } from "../../../local/cluster/monitoring.ts";
import { signInHost } from "../../../local/cluster/sign-in.ts";
import { ENTRANCE_SERVICE_IP, pathsOf } from "../../../local/cluster/spec.ts";
import { projectDir } from "../../../local/paths.ts";
import { ensureToolchain } from "../../../local/toolchain/build.ts";
import { tools } from "../../../local/toolchain/tools.ts";
import { apply, applyFiles, kube, report, spec } from "../platform/harness.ts";
import { metricsServer } from "../platform/metrics-server.ts";
import { strictNamespace } from "../platform/servers.ts";

const toolchain = await ensureToolchain(["cluster", "monitoring", "operator"], report);
const inMonitoring = `--namespace=${MONITORING}`;
const labels = { release: "kube-prometheus-stack" };

/** `monitoring` of a stack that it watches; namespace and labels of its pods are those by default. */
export const operatedMonitoring = {
    kind: "prometheusOperator",
    labels,
    scrapeSeconds: 5,
    probe: { prober: `blackbox-exporter.${MONITORING}.svc:9115`, websocketModule: "orcheo_websocket", seconds: 15 },
};

export const PROMETHEUS = "service/monitoring/prometheus-operated:9090";
export const prometheus = metricsServer(MONITORING, "prometheus-operated:9090");

/** Where their makers have them: Prometheus keeps its data at the root, under its own name. */
const imageOf = (name: string): Promise<string> =>
    ensureImage(spec, toolchain, { name, binaries: [name], folder: "/bin" });
const objectsIn = (text: string): Manifest[] => parseAllDocuments(text).map((document) => document.toJS() as Manifest);

interface Manifest {
    readonly kind: string;
    readonly metadata: object;
}

export async function installDefinitions(): Promise<void> {
    await applyFiles(toolchain.share("prometheus-operator-crds.yaml"));
    await kube("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s");
}

/** What an earlier run on the same cluster left. */
export async function removeOperated(): Promise<void> {
    await kube("delete", "namespace", MONITORING, "--ignore-not-found");
    await kube("delete", "--ignore-not-found", `--filename=${toolchain.share("prometheus-operator-crds.yaml")}`);
}

/** The makers' manifests, for this namespace and the images of this cluster. */
async function manifests(): Promise<readonly object[]> {
    const [operator, reloader] = [await imageOf("prometheus-operator"), await imageOf("prometheus-config-reloader")];
    const text = readFileSync(toolchain.share("prometheus-operator.yaml"), "utf8")
        .replaceAll("namespace: default", `namespace: ${MONITORING}`)
        .replace(/image: .*/, `image: ${operator}`)
        .replace(/(--prometheus-config-reloader)=.*/, `$1=${reloader}`);
    return objectsIn(text).map((each) =>
        each.kind === "ServiceAccount" ? { ...each, metadata: { ...each.metadata, namespace: MONITORING } } : each,
    );
}

async function prometheusObject(): Promise<object> {
    const every = (kind: string) => ({
        [`${kind}Selector`]: { matchLabels: labels },
        [`${kind}NamespaceSelector`]: {},
    });
    return {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "Prometheus",
        metadata: { name: "own", namespace: MONITORING },
        spec: {
            version: `v${tools.find(({ name }) => name === "prometheus")?.version}`,
            image: await imageOf("prometheus"),
            serviceAccountName: "prometheus",
            // As the Helm chart kube-prometheus-stack sets it.
            securityContext: {
                ...{ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 2000, fsGroup: 2000 },
                seccompProfile: { type: "RuntimeDefault" },
            },
            ...every("podMonitor"),
            ...every("probe"),
            ...every("rule"),
        },
    };
}

/** That of the embedded cluster's monitoring, with the name of the entrance that it asks. */
async function prober(): Promise<readonly object[]> {
    const name = "blackbox-exporter";
    const folder = join(projectDir, "local", "cluster", "addons", "monitoring");
    const read = (file: string): string => readFileSync(join(folder, file), "utf8");
    const values = new Map([
        [`image:${name}`, await ensureImage(spec, toolchain, { name, binaries: [name] })],
        ["entranceAddress", ENTRANCE_SERVICE_IP],
        ["httpsPort", String(spec.ports.https)],
        ["host", "orcheo.localhost"],
        ["signInHost", signInHost],
        ["configKey", "tests"],
    ]);
    const its = [read("20-network.yaml"), read("30-metrics.yaml")]
        .flatMap((text) => text.split("\n---\n"))
        .filter((text) => /name: (blackbox-exporter|entrance), namespace/.test(text))
        .flatMap((text) => objectsIn(fillIn(text, values)));
    const data = { "blackbox.yaml": read("blackbox.yaml"), "ca.crt": readFileSync(pathsOf(spec).ingressCa, "utf8") };
    return [...its, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: MONITORING }, data }];
}

/** Once the definitions are there. */
export async function startOperated(): Promise<void> {
    await apply([strictNamespace(MONITORING)]);
    await apply([...(await manifests()), await prometheusObject(), ...(await prober())]);
    for (const deployment of ["prometheus-operator", "blackbox-exporter"])
        await kube("rollout", "status", inMonitoring, `deployment/${deployment}`, "--timeout=180s");
    await kube("wait", inMonitoring, "prometheus/own", "--for=condition=Available", "--timeout=180s");
}
