/** Traefik and cert-manager: from the host through the Ingress to a pod, with a certificate of the local authority. */
import { expect, test } from "vitest";
import { pathsOf } from "../../../local/cluster/spec.ts";
import { run } from "../../../local/process.ts";
import { apply, eventually, kube, NAMESPACE, outcome, policy, spec } from "./harness.ts";

const HOST = "probe.example.org";

/** What curl on the host gets for a path; `verify` is how it judges the server's certificate. */
const curl = (scheme: "http" | "https", path: string, verify: readonly string[] = []): Promise<string> => {
    const port = spec.ports[scheme];
    return outcome(
        run("curl", [
            ...["-sS", "--max-time", "10", "--resolve", `${HOST}:${port}:127.0.0.1`, ...verify],
            `${scheme}://${HOST}:${port}${path}`,
        ]),
    );
};

export const https = (path = "/"): Promise<string> => curl("https", path, ["--cacert", pathsOf(spec).ingressCa]);

const certificate = (name: string, names: object) => ({
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: { name, namespace: NAMESPACE },
    spec: { secretName: name, issuerRef: { kind: "ClusterIssuer", name: "orcheo-local-ca" }, ...names },
});

export function ingress(): void {
    test("an Ingress gets its certificate from the local authority, and the host verifies it", async () => {
        const backend = { service: { name: "server", port: { number: 80 } } };
        await apply([
            {
                apiVersion: "networking.k8s.io/v1",
                kind: "Ingress",
                metadata: {
                    name: "server",
                    namespace: NAMESPACE,
                    annotations: { "cert-manager.io/cluster-issuer": "orcheo-local-ca" },
                },
                spec: {
                    ingressClassName: "traefik",
                    tls: [{ hosts: [HOST], secretName: "server-tls" }],
                    rules: [{ host: HOST, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
                },
            },
            // The pod admits nobody but by rule, as every pod of Orcheo does.
            policy("allow-ingress", {
                podSelector: { matchLabels: { app: "server" } },
                ingress: [
                    {
                        from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "traefik" } } }],
                        ports: [{ port: 8080 }],
                    },
                ],
                policyTypes: ["Ingress"],
            }),
        ]);
        await kube(
            "wait",
            "--namespace",
            NAMESPACE,
            "--for=condition=Ready",
            "certificate/server-tls",
            "--timeout=60s",
        );
        expect(await eventually(30, https, (seen) => seen === "kept\n")).toBe("kept\n");
    });

    test("without the authority's certificate the host refuses", async () => {
        expect(await curl("https", "/")).toMatch(/certificate/);
    });

    test("http is answered as well", async () => {
        expect(await curl("http", "/")).toBe("kept\n");
    });

    test("queries, which may carry tokens, are not in the access log", async () => {
        expect(await https("/index.html?access_token=never-logged")).toBe("kept\n");
        const log = await eventually(
            10,
            () => kube("logs", "--namespace", "traefik", "deployment/traefik"),
            (seen) => seen.includes("/index.html"),
        );
        expect(log).toContain("/index.html");
        expect(log).not.toContain("never-logged");
    });

    test("Traefik runs under the strictest Pod Security level", async () => {
        const level = await kube("get", "namespace", "traefik", "--output=jsonpath={.metadata.labels}");
        expect(JSON.parse(level)).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
    });

    test("cert-manager's webhook refuses a Certificate without names, and lets one with a name through", async () => {
        expect(await outcome(apply([certificate("nameless", {})]))).toMatch(
            /webhook "webhook\.cert-manager\.io" denied/,
        );
        await apply([certificate("named", { dnsNames: [HOST] })]);
        await kube("wait", "--namespace", NAMESPACE, "--for=condition=Ready", "certificate/named", "--timeout=60s");
    });
}
