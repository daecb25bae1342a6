/** The Gateway API on the embedded cluster: its definitions, Traefik's provider of it, and cert-manager's proof through it. */
import { join } from "node:path";
import { run } from "../../../local/process.ts";
import { goModule } from "../../verdicts/go-module.ts";
import { apply, applyFiles, env, eventually } from "./harness.ts";

export const gatewayClass = "traefik";
const group = "gateway.networking.k8s.io";

async function addArgument(namespace: string, deployment: string, value: string): Promise<void> {
    const patch = JSON.stringify([{ op: "add", path: "/spec/template/spec/containers/0/args/0", value }]);
    await run(
        "kubectl",
        ["--namespace", namespace, "patch", `deployment/${deployment}`, "--type=json", "--patch", patch],
        { env },
    );
    await replaced(namespace, deployment);
}

/** Waits until only new pods of a changed add-on are left. */
export async function replaced(namespace: string, deployment: string): Promise<void> {
    const on = (...args: string[]): Promise<string> => run("kubectl", ["--namespace", namespace, ...args], { env });
    await on("rollout", "status", `deployment/${deployment}`, "--timeout=120s");
    // The one before still takes connections while it ends.
    const pods = async (): Promise<string[]> =>
        (await on("get", "pods", "-l", `app.kubernetes.io/name=${deployment}`, "-o", "name")).trim().split("\n");
    const left = await eventually(60, pods, ({ length }) => length === 1);
    if (left.length !== 1) throw new Error(`pods of ${deployment} that do not go: ${left.join(", ")}`);
}

const rights = (account: string, rules: readonly object[]): object[] => {
    const name = `${account}-gateway-api`;
    const rbac = "rbac.authorization.k8s.io";
    return [
        { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name }, rules },
        {
            apiVersion: `${rbac}/v1`,
            kind: "ClusterRoleBinding",
            metadata: { name },
            roleRef: { apiGroup: rbac, kind: "ClusterRole", name },
            subjects: [{ kind: "ServiceAccount", name: account, namespace: account }],
        },
    ];
};

export async function enableGatewayApi(): Promise<void> {
    const definitions = join(await goModule("sigs.k8s.io/gateway-api@v1.6.1"), "config", "crd", "standard");
    await applyFiles(definitions);
    const look = ["get", "list", "watch"];
    const routes = ["httproutes", "grpcroutes", "tlsroutes"];
    const kinds = ["gatewayclasses", "gateways", ...routes, "referencegrants", "backendtlspolicies"];
    await apply([
        ...rights("traefik", [
            { apiGroups: [""], resources: ["namespaces"], verbs: look },
            { apiGroups: [group], resources: kinds, verbs: look },
            { apiGroups: [group], resources: kinds.map((kind) => `${kind}/status`), verbs: ["update"] },
        ]),
        ...rights("cert-manager", [
            { apiGroups: [group], resources: ["httproutes"], verbs: [...look, "create", "update", "delete"] },
        ]),
        {
            apiVersion: `${group}/v1`,
            kind: "GatewayClass",
            metadata: { name: gatewayClass },
            spec: { controllerName: "traefik.io/gateway-controller" },
        },
    ]);
    await Promise.all([
        addArgument("traefik", "traefik", "--providers.kubernetesgateway=true"),
        addArgument("cert-manager", "cert-manager", "--enable-gateway-api"),
    ]);
}
