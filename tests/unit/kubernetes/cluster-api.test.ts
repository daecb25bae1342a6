/** The cluster's API over real http, and what the preflight makes of one that refuses or is away. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ClusterError, connectCluster, objectPath } from "../../../components/kubernetes/cluster-api";
import { checkCluster } from "../../../components/preflight/cluster-checks";
import { goodProbes, run, settingsOf } from "../../harness";
import { fakeCluster } from "../../fake-cluster";

let server: Server;
let folder: string;
let url: string;
const seen: { path: string; accept?: string; authorization?: string }[] = [];

const item = (name: string) => ({ metadata: { name } });
const answers: Readonly<Record<string, unknown>> = {
    "/version": { minor: "34" },
    "/api/v1/namespaces/orcheo": { kind: "Namespace", metadata: { name: "orcheo" } },
    "/api/v1/pods?limit=500": { apiVersion: "v1", kind: "PodList", items: [item("a")], metadata: { continue: "x+1" } },
    "/api/v1/pods?limit=500&continue=x%2B1": { apiVersion: "v1", kind: "PodList", items: [item("b")] },
};

beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orcheo-kubeconfig-"));
    server = createServer(({ url: path = "", headers: { accept, authorization } }, response) => {
        seen.push({ path, accept, authorization });
        if (path === "/api/v1/secrets?limit=500") {
            response.writeHead(403).end(JSON.stringify({ kind: "Status", message: "secrets is forbidden" }));
            return;
        }
        const answer = answers[path];
        response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? { kind: "Status" }));
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
});

const kubeconfig = (of: { cluster?: string; user?: object; server?: string }): string =>
    JSON.stringify({
        clusters: [{ name: of.cluster ?? "here", cluster: { server: of.server ?? url } }],
        users: [{ name: "me", user: of.user ?? { token: "t0ken" } }],
        contexts: [{ name: "ctx", context: { cluster: "here", user: "me" } }],
        "current-context": "another",
    });

describe("the cluster's API", () => {
    it("answers objects, lists of several pages and text; 404 is nothing", async () => {
        const api = await connectCluster({ context: "ctx", kubeconfig: kubeconfig({}) });
        expect(await api.get("/api/v1/namespaces/orcheo")).toMatchObject({ metadata: { name: "orcheo" } });
        expect(await api.get("/api/v1/namespaces/none")).toBeUndefined();
        expect(await api.list("/api/v1/pods")).toEqual([
            { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } },
            { apiVersion: "v1", kind: "Pod", metadata: { name: "b" } },
        ]);
        expect(await api.list("/apis/example.com/v1/things")).toEqual([]);
        expect(await api.text("/version")).toBe('{"minor":"34"}');
        expect(seen.every(({ authorization }) => authorization === "Bearer t0ken")).toBe(true);
    });

    it("requests only metadata if nothing more is needed", async () => {
        const api = await connectCluster({ context: "ctx", kubeconfig: kubeconfig({}) });
        await api.metadata("/api/v1/namespaces/orcheo");
        expect(seen.at(-1)?.accept).toContain("as=PartialObjectMetadata");
    });

    it("throws the server's message when it refuses, and the reason when it is unreachable", async () => {
        const api = await connectCluster({ context: "ctx", kubeconfig: kubeconfig({}) });
        await expect(api.list("/api/v1/secrets")).rejects.toMatchObject({
            status: 403,
            message: /secrets is forbidden/,
        });
        await expect(api.text("/none")).rejects.toMatchObject({ status: 404 });
        const nobody = await connectCluster({
            context: "ctx",
            kubeconfig: kubeconfig({ server: "https://127.0.0.1:1" }),
        });
        await expect(nobody.get("/version")).rejects.toThrow(/127\.0\.0\.1:1 cannot be asked: .*ECONNREFUSED/);
        await expect(connectCluster({ context: "none", kubeconfig: kubeconfig({}) })).rejects.toThrow(ClusterError);
    });

    it("runs credential plugins, with what they ask for in their environment", async () => {
        const script = 'echo "{\\"status\\":{\\"token\\":\\"$(echo "$KUBERNETES_EXEC_INFO" | tr -cd a-zA-Z)\\"}}"';
        const exec = {
            apiVersion: "client.authentication.k8s.io/v1",
            command: "bash",
            args: ["-c", script],
            env: null,
        };
        const api = await connectCluster({ context: "ctx", kubeconfig: kubeconfig({ user: { exec } }) });
        await api.text("/version");
        expect(seen.at(-1)?.authorization).toMatch(/Bearer kindExecCredential/);
    });

    it("reads several files as kubectl does: the first that has a name decides, missing ones are left out", async () => {
        const [first, second] = [join(folder, "first"), join(folder, "second")];
        writeFileSync(first, kubeconfig({}));
        writeFileSync(second, kubeconfig({ server: "https://127.0.0.1:1" }));
        vi.stubEnv("KUBECONFIG", [join(folder, "none"), first, second].join(":"));
        const api = await connectCluster({ context: "ctx" });
        vi.unstubAllEnvs();
        expect(await api.text("/version")).toContain("34");
    });
});

it.each([
    ["v1", "Namespace", "a", undefined, "/api/v1/namespaces/a"],
    ["networking.k8s.io/v1", "NetworkPolicy", "a", "n", "/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/a"],
    ["networking.k8s.io/v1", "IngressClass", "a", undefined, "/apis/networking.k8s.io/v1/ingressclasses/a"],
    ["gateway.networking.k8s.io/v1", "Gateway", "a", "n", "/apis/gateway.networking.k8s.io/v1/namespaces/n/gateways/a"],
])("%s %s is at its path", (apiVersion, kind, name, namespace, path) => {
    expect(objectPath(apiVersion, kind, name, namespace)).toBe(path);
});

describe("checks against the cluster", () => {
    const { kubernetes } = settingsOf("dev") as { kubernetes: never };
    const away = () => Promise.reject(new ClusterError("https://127.0.0.1:1 cannot be asked: ECONNREFUSED"));

    it("refuse an update of a cluster that does not answer, and warn in a preview", async () => {
        const probes = { cluster: away };
        const update = await run({ stack: "dev", probes }, false);
        expect(update.error).toContain(
            'orcheo:stack.kubernetes.context: the cluster of "orcheo-local" does not answer',
        );
        expect(update.resources).toEqual([]);
        expect((await run({ stack: "dev", probes }, true)).error).toBeUndefined();
        const { warnings } = await checkCluster({ kubernetes }, { ...goodProbes, cluster: away }, false);
        expect(warnings).toEqual([expect.stringContaining("does not know what is in the cluster")]);
    });

    it("that the role does not permit are left out with a warning; the others are made", async () => {
        const forbidden = ["/api/v1/pods"];
        const probes = { ...goodProbes, cluster: () => Promise.resolve(fakeCluster([], {}, forbidden)) };
        const problem = { at: "a", found: "b", remedy: "c" };
        const { problems, warnings } = await checkCluster({ kubernetes }, probes, true, [
            { finds: "pods elsewhere", run: (_, cluster) => cluster.list("/api/v1/pods").then(() => []) },
            { finds: "another", run: () => Promise.resolve([problem]) },
        ]);
        expect(problems).toEqual([problem]);
        expect(warnings).toEqual([expect.stringContaining("not checked: pods elsewhere (status 403")]);
    });
});
