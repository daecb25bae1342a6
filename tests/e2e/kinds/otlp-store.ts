/** A server for OTLP as a user has it: VictoriaMetrics with a certificate of the cluster's CA, and vmalert with the stack's rules. */
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { ensureImage } from "../../../local/cluster/images.ts";
import { ensureToolchain } from "../../../local/toolchain/build.ts";
import { monitoredUpGroups } from "../../../local/toolchain/tools.ts";
import { apply, kube, report, spec } from "../platform/harness.ts";
import { metricsServer } from "../platform/metrics-server.ts";
import { serve, strictNamespace } from "../platform/servers.ts";

const namespace = "metrics-store";
const name = "victoria-metrics";
const port = 8428;
const origin = `https://${name}.${namespace}.svc:${port}`;
const tls = { path: "/tls", secret: `${name}-tls` };

export const otlpStore = { namespace, label: `app=${name}`, port } as const;
export const ruler = { namespace, label: "app=vmalert", port: 8880 } as const;

/** `monitoring` of a stack that sends its metrics there. */
export const otlpMonitoring = () => ({
    kind: "otlp",
    endpoint: `${origin}/opentelemetry/v1/metrics`,
    authority: { kind: "file", path: clusterInfo(spec).caFile },
    reach: { kind: "pods", namespace, podLabels: { app: name } },
    exportSeconds: 5,
});

export const store = metricsServer(namespace, `https:${name}:${port}`);
export const evaluated = metricsServer(namespace, `vmalert:${ruler.port}`);

const imageOf = async (binary: string): Promise<string> =>
    ensureImage(spec, await ensureToolchain(monitoredUpGroups, report), { name: binary, binaries: [binary] });

export async function startOtlpStore(): Promise<void> {
    await apply([strictNamespace(namespace)]);
    await apply([
        {
            apiVersion: "cert-manager.io/v1",
            kind: "Certificate",
            metadata: { name, namespace },
            spec: {
                secretName: tls.secret,
                dnsNames: [new URL(origin).hostname],
                issuerRef: { kind: "ClusterIssuer", name: "orcheo-local-ca" },
            },
        },
    ]);
    const args = [
        ...["-tls", "-tlsCertFile=/tls/tls.crt", "-tlsKeyFile=/tls/tls.key"],
        ...["-storageDataPath=/data", "-search.latencyOffset=1s", "-memory.allowedBytes=128MiB"],
    ];
    const mounts = [tls, { path: "/data" }];
    await serve({ name, namespace, image: await imageOf(name), args, ports: [port], mounts });
}

/** Evaluates the rules of the stack, as they are. */
export async function startRuler(): Promise<void> {
    const rules = await kube("get", "configmap", "alert-rules", "-o", "jsonpath={.data.rules\\.yaml}");
    const metadata = { name: "alert-rules", namespace };
    await apply([{ apiVersion: "v1", kind: "ConfigMap", metadata, data: { "rules.yaml": rules } }]);
    const to = (server: string): string[] => [`-${server}.url=${origin}`, `-${server}.tlsCAFile=/tls/ca.crt`];
    await serve({
        ...{ name: "vmalert", namespace, image: await imageOf("vmalert"), ports: [ruler.port] },
        args: ["-rule=/rules/rules.yaml", ...to("datasource"), ...to("remoteWrite"), "-notifier.blackhole"],
        mounts: [tls, { path: "/rules", configMap: metadata.name }],
    });
}

export async function stopOtlpStore(): Promise<void> {
    await kube("scale", `--namespace=${namespace}`, `deployment/${name}`, "--replicas=0");
    await kube("wait", "pods", `--namespace=${namespace}`, "-l", otlpStore.label, "--for=delete", "--timeout=60s");
}

/** With nothing of what it had. */
export async function restartOtlpStore(): Promise<void> {
    await kube("scale", `--namespace=${namespace}`, `deployment/${name}`, "--replicas=1");
    await kube("rollout", "status", `--namespace=${namespace}`, `deployment/${name}`, "--timeout=120s");
}
