/** The bench's API and worker, as the stack declares them (ours) or with Orcheo's own commands (plain) in the same pods. */
import { setTimeout as sleep } from "node:timers/promises";
import { clusterInfo } from "../../local/cluster/cluster.ts";
import { inNode } from "../../local/cluster/node.ts";
import type { ClusterSpec } from "../../local/cluster/spec.ts";
import type { Report } from "../../local/report.ts";
import type { Toolchain } from "../../local/toolchain/build.ts";
import { at, type Entrance } from "../e2e/orcheo.ts";

const PATIENCE_SECONDS = 300;
export const NAMESPACE = "orcheo";

export type How = "plain" | "ours";
export const hows: readonly How[] = ["plain", "ours"];

const python = ["run", "/usr/bin/env", "--unset=PYDANTIC_DISABLE_PLUGINS", "/opt/orcheo/bin/python3", "-m"];
/** Orcheo's own commands. */
const plainArgs = {
    api: [...python, "uvicorn", "orcheo_backend.app:app", "--host=0.0.0.0", "--port=8000", "--proxy-headers"],
    worker: [...python, "celery", "-A", "orcheo_backend.worker.celery_app", "worker", "--concurrency=2"],
} as const;
export type Role = keyof typeof plainArgs;

export const requests = { "no database": "/api/system/health", "a list from Postgres": "/api/workflows" } as const;

export interface Bench {
    readonly spec: ClusterSpec;
    readonly toolchain: Toolchain;
    readonly report: Report;
    readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
    /** The bootstrap token's owner at the entrance. */
    readonly entrance: Entrance & { readonly token: string };
}

export interface Pod {
    readonly name: string;
    readonly uid: string;
    readonly ip: string;
}

/** Of the API, with an autoscaler that is content. */
export const keepOneReplica = ({ kubectl }: Bench): Promise<string> =>
    kubectl([
        ...["--namespace", NAMESPACE, "patch", "hpa", "api", "--type=merge"],
        ...["--patch", JSON.stringify({ spec: { minReplicas: 1, maxReplicas: 1 } })],
    ]);

/** The args of both containers as the stack declares them. */
export async function ownCommands(bench: Bench): Promise<Record<Role, readonly string[]>> {
    const of = async (role: Role): Promise<readonly string[]> => {
        const path = "jsonpath={.spec.template.spec.containers[0].args}";
        const text = await bench.kubectl(["--namespace", NAMESPACE, "get", "deployment", role, "--output", path]);
        return JSON.parse(text) as string[];
    };
    return { api: await of("api"), worker: await of("worker") };
}

/** Gives the Deployment the way's command, and waits until just its pods are left. The plain one has none of our probes' answers. */
export async function start(bench: Bench, role: Role, how: How, own: readonly string[], replicas = 1): Promise<void> {
    const container = "/spec/template/spec/containers/0";
    const probes = ["startupProbe", "readinessProbe", "livenessProbe"];
    const { kubectl } = bench;
    const text = await kubectl(["--namespace", NAMESPACE, "get", "deployment", role, "--output=json"]);
    const present = at(JSON.parse(text), "spec", "template", "spec", "containers", 0) as Record<string, unknown>;
    const kept = (parked[role] ??= Object.fromEntries(probes.map((name) => [name, present[name]])));
    const declared = how === "plain" ? plainProbes(role) : kept;
    const patch = [
        { op: "replace", path: `${container}/args`, value: how === "plain" ? plainArgs[role] : own },
        { op: "add", path: "/spec/replicas", value: replicas },
        ...probes.flatMap((name) => [
            // Adding replaces, and what is not there cannot be removed.
            { op: "add", path: `${container}/${name}`, value: declared[name] ?? {} },
            ...(declared[name] === undefined ? [{ op: "remove", path: `${container}/${name}` }] : []),
        ]),
    ];
    await bench.report.step(`start ${role}, ${how}`, undefined, async () => {
        await kubectl([
            ...["--namespace", NAMESPACE, "patch", "deployment", role, "--type=json"],
            ...["--patch", JSON.stringify(patch)],
        ]);
        await kubectl(["--namespace", NAMESPACE, "rollout", "status", `deployment/${role}`, "--timeout=180s"]);
        await until(`${replicas} pods of ${role}`, async () => (await podsOf(bench, role)).length === replicas);
        if (role === "api") await until("an answer of the API", () => answers(bench, how));
    });
}
/** The cluster's policies refuse a server without probes; Orcheo has this one. */
function plainProbes(role: Role): Record<string, unknown> {
    if (role === "worker") return {};
    const probe = { httpGet: { path: requests["no database"], port: 8000 }, periodSeconds: 10, timeoutSeconds: 5 };
    return { readinessProbe: probe, livenessProbe: { ...probe, initialDelaySeconds: 60 } };
}

/** The stack's own probes of a role. */
const parked: Partial<Record<Role, Record<string, unknown>>> = {};

export const podsOf = (bench: Bench, component: string, namespace = NAMESPACE): Promise<Pod[]> =>
    podsBy(bench, namespace, `app.kubernetes.io/${namespace === NAMESPACE ? "component" : "name"}=${component}`);

export async function podsBy({ kubectl }: Bench, namespace: string, selector: string): Promise<Pod[]> {
    const text = await kubectl(["--namespace", namespace, "get", "pods", "--selector", selector, "--output=json"]);
    return (at(JSON.parse(text), "items") as unknown[]).map((pod) => ({
        name: String(at(pod, "metadata", "name")),
        uid: String(at(pod, "metadata", "uid")),
        ip: String(at(pod, "status", "podIP")),
    }));
}

export async function podOf(bench: Bench, component: string, namespace?: string): Promise<Pod> {
    const [pod, ...others] = await podsOf(bench, component, namespace);
    if (pod === undefined || others.length > 0) throw new Error(`one pod of ${component} was expected`);
    return pod;
}

export const originOf = (how: How, { ip }: Pod): string =>
    how === "plain" ? `http://${ip}:8000` : `https://${ip}:8443`;

async function answers(bench: Bench, how: How): Promise<boolean> {
    const url = `${originOf(how, await podOf(bench, "api"))}${requests["no database"]}`;
    const curl = ["curl", "--silent", "--insecure", "--fail", "--max-time", "5", "--output", "/dev/null", url];
    return inNode(bench.spec, curl).then(
        () => true,
        () => false,
    );
}

export async function until(what: string, done: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + PATIENCE_SECONDS * 1000; !(await done());) {
        await sleep(500);
        if (Date.now() > end) throw new Error(`${what}: not within ${PATIENCE_SECONDS} s`);
    }
}

/** The entrance of a deployed stack. */
export const entranceOf = (spec: ClusterSpec, url: string, token: string): Bench["entrance"] => ({
    origin: url,
    caFile: clusterInfo(spec).caFile,
    token,
});
