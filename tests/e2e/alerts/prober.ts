/** A blackbox exporter that asks for Orcheo by its public URL, through the entrance, and reaches nothing else. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ensureImage } from "../../../local/cluster/images.ts";
import { pathsOf } from "../../../local/cluster/spec.ts";
import { projectDir } from "../../../local/paths.ts";
import type { Toolchain } from "../../../local/toolchain/build.ts";
import { at } from "../orcheo.ts";
import { apply, kube, spec } from "../platform/harness.ts";
import { MONITORING, scrapersPod } from "./scrape.ts";

export const prober = { name: "blackbox-exporter", port: 9115 };

/** `monitoring.probe` of the stack. */
export const probeSettings = {
    prober: `${prober.name}.${MONITORING}.svc:${prober.port}`,
    websocketModule: "orcheo_websocket",
    seconds: 15,
};

const labels = { "app.kubernetes.io/name": prober.name };
const caFile = "ingress-ca.crt";
const configFile = "blackbox.yaml";

/** Modules: that of the exporter's own example for pages, and the WebSocket's of docs/monitoring.md; both trust the embedded cluster's CA. */
function modules(): object {
    const page = readFileSync(join(projectDir, "docs", "monitoring.md"), "utf8");
    const [, documented = ""] = /^```yaml\n(modules:\n.*?)^```$/ms.exec(page) ?? [];
    const { modules: found } = parse(documented) as { modules: Record<string, { prober: string; http: object }> };
    const tls_config = { ca_file: `/etc/scrape/${caFile}` };
    const all = Object.entries({ http_2xx: { prober: "http", http: {} }, ...found });
    // The pod's network has no IPv6.
    const http = { tls_config, preferred_ip_protocol: "ip4" };
    return Object.fromEntries(all.map(([name, each]) => [name, { ...each, http: { ...each.http, ...http } }]));
}

/** Files of the ConfigMap that the pods of the monitoring mount. */
export const proberFiles = (): Record<string, string> => ({
    [configFile]: JSON.stringify({ modules: modules() }),
    [caFile]: readFileSync(pathsOf(spec).ingressCa, "utf8"),
});

/** Deny all, but for the scraper's requests and the entrance. */
const policy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: prober.name, namespace: MONITORING },
    spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ["Ingress", "Egress"],
        ingress: [
            {
                from: [{ podSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } } }],
                ports: [{ port: prober.port }],
            },
        ],
        egress: [
            {
                to: [
                    {
                        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "traefik" } },
                        podSelector: { matchLabels: { "app.kubernetes.io/name": "traefik" } },
                    },
                ],
                ports: [{ port: 8443 }],
            },
        ],
    },
};

/** The entrance at the port of the public URL, which is the machine's. */
const entrance = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "entrance", namespace: "traefik" },
    spec: {
        selector: { "app.kubernetes.io/name": "traefik" },
        ports: [{ port: spec.ports.https, targetPort: "websecure" }],
    },
};

/** The namespace and its ConfigMap are there. */
export async function startProber(toolchain: Toolchain): Promise<void> {
    const image = await ensureImage(spec, toolchain, { name: prober.name, binaries: [prober.name] });
    await apply([
        policy,
        entrance,
        {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name: prober.name, namespace: MONITORING },
            spec: { selector: labels, ports: [{ port: prober.port }] },
        },
    ]);
    const address = at(
        JSON.parse(await kube("get", "service", "entrance", "--namespace=traefik", "-o", "json")),
        "spec",
        "clusterIP",
    );
    const pod = scrapersPod(
        prober.name,
        labels,
        {
            image,
            args: [`--config.file=/etc/scrape/${configFile}`],
            readinessProbe: { tcpSocket: { port: prober.port } },
        },
        {
            automountServiceAccountToken: false,
            // Pods do not know names below localhost.
            hostAliases: [{ ip: address, hostnames: ["orcheo.localhost", "sign-in.localhost"] }],
        },
    );
    await apply([pod]);
    await kube("wait", `--namespace=${MONITORING}`, "--for=condition=Ready", "--timeout=120s", `pod/${prober.name}`);
}
