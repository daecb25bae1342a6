/** Alerts on audit logs: what causes them, and what the cluster's own Alertmanager says of them. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathsOf } from "../../../local/cluster/spec.ts";
import { apply, attempt, exec, kube, spec } from "../platform/harness.ts";
import { strictNamespace } from "../platform/servers.ts";
import { Receiver } from "./receiver.ts";
import type { Story, Watching } from "./story.ts";

/** Of no business with the stack. */
export const STRANGERS = "strangers";
const stranger = { name: "stranger", namespace: STRANGERS };

/** A service account that somebody gave too many rights. */
export async function letStrangersIn(): Promise<void> {
    const group = "rbac.authorization.k8s.io";
    const rules = [
        { apiGroups: [""], resources: ["secrets"], verbs: ["list"] },
        { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["get", "patch"] },
    ];
    await apply([strictNamespace(STRANGERS)]);
    await apply([
        { apiVersion: "v1", kind: "ServiceAccount", metadata: stranger },
        { apiVersion: `${group}/v1`, kind: "ClusterRole", metadata: { name: STRANGERS }, rules },
        {
            apiVersion: `${group}/v1`,
            kind: "ClusterRoleBinding",
            metadata: { name: STRANGERS },
            roleRef: { apiGroup: group, kind: "ClusterRole", name: STRANGERS },
            subjects: [{ kind: "ServiceAccount", ...stranger }],
        },
    ]);
}

/** A pod of theirs, whose way out nothing closes. Any Python will do. */
export async function startStranger(): Promise<void> {
    const first = "jsonpath={.spec.template.spec.containers[0].image}";
    const securityContext = {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
    };
    const image = await kube("get", "deployment", "worker", "-o", first);
    await apply([
        {
            apiVersion: "v1",
            kind: "Pod",
            metadata: stranger,
            spec: {
                automountServiceAccountToken: false,
                terminationGracePeriodSeconds: 1,
                securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } },
                containers: [{ name: stranger.name, image, command: ["sleep", "infinity"], securityContext }],
            },
        },
    ]);
    await kube("wait", `--namespace=${STRANGERS}`, "pod/stranger", "--for=condition=Ready", "--timeout=120s");
}

async function asStranger(...command: string[]): Promise<void> {
    const token = (await kube("create", "token", stranger.name, `--namespace=${STRANGERS}`)).trim();
    // The administrator's certificate would be asked for first.
    const login = [
        "--kubeconfig=/dev/null",
        `--server=https://127.0.0.1:${spec.ports.api}`,
        `--certificate-authority=${join(pathsOf(spec).pki, "cluster-ca.crt")}`,
        `--token=${token}`,
    ];
    const { code, output } = await attempt("kubectl", [...login, "--namespace=orcheo", ...command]);
    if (code !== 0) throw new Error(output);
}

async function succeeds(target: string, ...command: string[]): Promise<void> {
    const { code, output } = await exec(target, ...command);
    if (code !== 0) throw new Error(output);
}
const psql = (statement: string): Promise<void> =>
    succeeds("postgres-0", "psql", "-h", "/tmp", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qc", statement);

const wrongPassword = `import os, psycopg
for _ in range(3):
    try:
        psycopg.connect(os.environ["ORCHEO_POSTGRES_DSN"], password="wrong")
    except psycopg.OperationalError as error:
        assert "password authentication failed" in str(error), error
    else:
        raise SystemExit("it let anybody in")`;

const POLICY = "deny-all";
/** By themselves they end when the window is over. */
export const auditStories: readonly Story[] = [
    { alerts: ["OrcheoPodEntered"], cause: () => succeeds("postgres-0", "true") },
    { alerts: ["OrcheoSecretsRead"], cause: () => asStranger("get", "secrets") },
    {
        alerts: ["OrcheoAccessChanged"],
        cause: () => asStranger("label", "networkpolicy", POLICY, "changed-by=stranger"),
        remedy: () => kube("label", "networkpolicy", POLICY, "changed-by-").then(() => undefined),
    },
    {
        alerts: ["OrcheoPostgresSignInFailed"],
        // With the connection's settings of Orcheo's own processes.
        cause: () =>
            succeeds(
                "deployment/worker",
                "python3",
                "-m",
                "orcheo_runtime.start",
                "run",
                "python3",
                "-c",
                wrongPassword,
            ),
    },
    {
        alerts: ["OrcheoPostgresRolesChanged"],
        cause: () => psql("create role intruder; grant pg_read_all_data to intruder"),
        remedy: () => psql("drop role intruder"),
    },
];

/** What Alertmanager in the cluster has, as if it had notified somebody. */
export async function watchAlertmanager(rulesFile: string): Promise<Watching & { stop(): void }> {
    const receiver = await Receiver.start();
    const path = "/api/v1/namespaces/monitoring/services/alertmanager:http/proxy/api/v2/alerts";
    let stopped = false;
    const look = async (): Promise<void> => {
        let before: Parameters<Receiver["take"]>[0]["alerts"] = [];
        while (!stopped) {
            const found = await kube("get", "--raw", path).catch(() => undefined);
            if (found !== undefined) {
                const now = (JSON.parse(found) as typeof before).map((each) => ({
                    ...each,
                    status: "firing" as const,
                }));
                const ended = before.filter((each) => !now.some(({ fingerprint }) => fingerprint === each.fingerprint));
                receiver.take({ alerts: [...now, ...ended.map((each) => ({ ...each, status: "resolved" as const }))] });
                before = now;
            }
            await sleep(1000);
        }
    };
    void look();
    const severities = new Map<string, string>();
    for (const [, name = "", severity = ""] of rulesFile.matchAll(/alert: (\w+)$.*?severity: (\w+)/gms))
        severities.set(name, severity);
    return {
        receiver,
        severities,
        query: (text) => Promise.reject(new Error(`no page on audit logs has a query of metrics: ${text}`)),
        stop() {
            stopped = true;
            receiver.stop();
        },
    };
}
