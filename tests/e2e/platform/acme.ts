/** An ACME authority in the cluster: pebble, which asks for hosts by name and over http, as any authority does. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../local/process.ts";
import { apply, artifacts, env, eventually } from "./harness.ts";
import { serve, strictNamespace } from "./servers.ts";

const namespace = "acme";
export const directory = `https://pebble.${namespace}.svc:14000/dir`;

const config = {
    pebble: {
        listenAddress: ":14000",
        managementListenAddress: ":15000",
        certificate: "/etc/pebble/tls/tls.crt",
        privateKey: "/etc/pebble/tls/tls.key",
        httpPort: 80,
        tlsPort: 443,
        keyAlgorithm: "ecdsa",
    },
};

/** Starts it. @returns the file of its root certificate, which it makes anew with each start */
export async function startAuthority(): Promise<string> {
    const tls = "pebble-tls";
    const files = { "config.json": JSON.stringify(config) };
    await apply([
        strictNamespace(namespace),
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "pebble", namespace }, data: files },
        {
            apiVersion: "cert-manager.io/v1",
            kind: "Certificate",
            metadata: { name: "pebble", namespace },
            spec: {
                secretName: tls,
                dnsNames: [`pebble.${namespace}.svc`],
                issuerRef: { kind: "ClusterIssuer", name: "orcheo-local-ca" },
            },
        },
    ]);
    await serve({
        name: "pebble",
        namespace,
        args: ["-config", "/etc/pebble/config/config.json"],
        // It looks at once, and each time anew.
        environment: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_AUTHZREUSE: "0" },
        ports: [14000, 15000],
        mounts: [
            { path: "/etc/pebble/config", configMap: "pebble" },
            { path: "/etc/pebble/tls", secret: tls },
        ],
    });
    const path = `/api/v1/namespaces/${namespace}/services/https:pebble:15000/proxy/roots/0`;
    const root = await eventually(
        30,
        () => run("kubectl", ["get", "--raw", path], { env }).catch((error: unknown) => String(error)),
        (seen) => seen.startsWith("-----BEGIN CERTIFICATE-----"),
    );
    const file = join(artifacts, "acme-root.pem");
    writeFileSync(file, root);
    return file;
}

/** Inside the cluster too, the public name of a host leads to the ingress controller. */
export async function publish(host: string): Promise<void> {
    const system = ["--namespace", "kube-system"];
    const path = "jsonpath={.data.Corefile}";
    const before = await run("kubectl", [...system, "get", "configmap", "coredns", "-o", path], { env });
    const line = `    rewrite name exact ${host} traefik.traefik.svc.cluster.local\n`;
    const metadata = { name: "coredns", namespace: "kube-system" };
    const Corefile = before.replace("    errors\n", `    errors\n${line}`);
    await apply([{ apiVersion: "v1", kind: "ConfigMap", metadata, data: { Corefile } }]);
    await run("kubectl", [...system, "rollout", "restart", "deployment/coredns"], { env });
    await run("kubectl", [...system, "rollout", "status", "deployment/coredns", "--timeout=120s"], { env });
}

/** Asks cert-manager to renew a certificate now, as `cmctl renew` does. */
export async function renew(certificate: string, of: string): Promise<void> {
    const value = {
        type: "Issuing",
        status: "True",
        reason: "ManuallyTriggered",
        message: "the test asked for it",
        lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ""),
    };
    const patch = JSON.stringify([{ op: "add", path: "/status/conditions/-", value }]);
    const what = ["patch", "certificate", certificate, "--subresource=status", "--type=json", "--patch", patch];
    await run("kubectl", ["--namespace", of, ...what], { env });
}
