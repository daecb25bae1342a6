/** Reads all that a bug report needs of a stack; what cannot be read is its own line. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { leavingOut, type Cluster, type KubernetesObject } from "../cluster.ts";
import { readStack, type ReadOptions } from "../status/read.ts";
import { at, listAt, textAt } from "../status/reading.ts";
import { screen } from "../status/screen.ts";
import { statusOf } from "../status/status.plan.ts";
import { redactor, type Redactor } from "./redact.ts";

export interface File {
    readonly path: string;
    readonly text: string;
}

const lastHour = 3600;
const logBytes = 2 * 1024 * 1024;

/** Kinds in the namespace, by path. Secrets are not among them: of those, names and keys only. */
const kinds: Readonly<Record<string, string>> = {
    ...Object.fromEntries(
        [
            "configmaps",
            "events",
            "limitranges",
            "persistentvolumeclaims",
            "pods",
            "resourcequotas",
            "serviceaccounts",
            "services",
        ].map((kind) => [kind, `/api/v1/namespaces/NAMESPACE/${kind}`]),
    ),
    ...Object.fromEntries(
        ["deployments", "replicasets", "statefulsets"].map((kind) => [
            kind,
            `/apis/apps/v1/namespaces/NAMESPACE/${kind}`,
        ]),
    ),
    ...Object.fromEntries(["cronjobs", "jobs"].map((kind) => [kind, `/apis/batch/v1/namespaces/NAMESPACE/${kind}`])),
    ...Object.fromEntries(
        ["ingresses", "networkpolicies"].map((kind) => [
            kind,
            `/apis/networking.k8s.io/v1/namespaces/NAMESPACE/${kind}`,
        ]),
    ),
    ...Object.fromEntries(
        ["certificates", "certificaterequests", "issuers"].map((kind) => [
            kind,
            `/apis/cert-manager.io/v1/namespaces/NAMESPACE/${kind}`,
        ]),
    ),
    ...Object.fromEntries(
        ["gateways", "httproutes"].map((kind) => [
            kind,
            `/apis/gateway.networking.k8s.io/v1/namespaces/NAMESPACE/${kind}`,
        ]),
    ),
    horizontalpodautoscalers: "/apis/autoscaling/v2/namespaces/NAMESPACE/horizontalpodautoscalers",
    poddisruptionbudgets: "/apis/policy/v1/namespaces/NAMESPACE/poddisruptionbudgets",
    externalsecrets: "/apis/external-secrets.io/v1/namespaces/NAMESPACE/externalsecrets",
    middlewares: "/apis/traefik.io/v1alpha1/namespaces/NAMESPACE/middlewares",
    "cluster/nodes": "/api/v1/nodes",
    "cluster/storageclasses": "/apis/storage.k8s.io/v1/storageclasses",
    "cluster/ingressclasses": "/apis/networking.k8s.io/v1/ingressclasses",
};

/** @throws when a known secret would be in the archive all the same, or no stack is found */
export async function collect(cluster: Cluster, options: ReadOptions): Promise<readonly File[]> {
    const { api } = cluster;
    const { namespace } = options;
    const notRead: string[] = [];
    const read = leavingOut(notRead);
    const reading = await readStack(cluster, options);
    const secrets = await read("Secrets", api.list(`/api/v1/namespaces/${namespace}/secrets`), undefined);
    const clean = redactor((secrets ?? []).flatMap(valuesOf));
    const objects = await Promise.all(
        Object.entries(kinds).map(async ([name, path]): Promise<File> => {
            const items = await read(name, api.list(path.replace("NAMESPACE", namespace)), []);
            return { path: `objects/${name}.json`, text: json(clean.object(items)) };
        }),
    );
    const status = statusOf(reading);
    const logs = await Promise.all(reading.pods.flatMap((pod) => logsOf(cluster, namespace, pod, clean)));
    const files: File[] = [
        { path: "status.txt", text: clean.text(screen(status, reading.now)) },
        { path: "status.json", text: json(clean.object(status)) },
        { path: "versions.json", text: json(clean.object(versionsOf(reading.version, reading.nodes, status))) },
        { path: "objects/secrets.json", text: json((secrets ?? []).map(namesOf)) },
        ...objects,
        ...logs.flat(),
    ];
    if (secrets === undefined)
        notRead.push(
            "Secrets could not be read: secrets were removed by their names and formats only. Check the archive before you share it.",
        );
    files.push({
        path: "README.txt",
        text: about(
            reading.now,
            [...reading.notRead, ...notRead].map((each) => clean.text(each)),
        ),
    });
    const leaks = files.filter(({ text }) => clean.finds(text)).map(({ path }) => path);
    if (leaks.length > 0)
        throw new Error(
            `no archive was written: a value of a Secret would still be in ${leaks.join(", ")}; please report this`,
        );
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

const valuesOf = (secret: KubernetesObject): readonly (readonly [string, string])[] =>
    Object.entries((at(secret, "data") ?? {}) as Record<string, string>).map(
        ([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")] as const,
    );

const namesOf = (secret: KubernetesObject) => ({
    name: secret.metadata.name,
    type: textAt(secret, "type"),
    created: textAt(secret, "metadata", "creationTimestamp"),
    keys: Object.keys(at(secret, "data") ?? {}),
});

/** The last hour of each container, and of the one before its last restart. */
function logsOf(
    { api }: Cluster,
    namespace: string,
    pod: KubernetesObject,
    clean: Redactor,
): Promise<readonly File[]>[] {
    const { name } = pod.metadata;
    const containers = [
        ...listAt(pod, "status", "initContainerStatuses"),
        ...listAt(pod, "status", "containerStatuses"),
    ];
    return containers.map(async (status) => {
        const container = textAt(status, "name") ?? "";
        const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?container=${container}&timestamps=true&limitBytes=${logBytes}`;
        const restarted = at(status, "restartCount") !== 0;
        const log = async (file: string, query: string): Promise<readonly File[]> => {
            const text = await api.text(`${path}&${query}`).catch((error: unknown) => `not read: ${String(error)}\n`);
            return text === "" ? [] : [{ path: `logs/${name}/${file}`, text: clean.text(text) }];
        };
        const [now, before] = await Promise.all([
            log(`${container}.log`, `sinceSeconds=${lastHour}`),
            restarted ? log(`${container}.previous.log`, "previous=true&tailLines=2000") : [],
        ]);
        return [...now, ...before];
    });
}

function versionsOf(
    kubernetes: string,
    nodes: readonly KubernetesObject[],
    { versions, workloads }: ReturnType<typeof statusOf>,
) {
    return {
        ...versions,
        kubernetes,
        images: Object.fromEntries(workloads.map(({ name, image }) => [name, image])),
        nodes: nodes.map((node) => at(node, "status", "nodeInfo")),
        tools: { node: process.version, commit: commit() },
    };
}

/** Of this checkout; undefined when it is none. */
function commit(): string | undefined {
    const cwd = join(import.meta.dirname, "../..");
    const { status, stdout } = spawnSync("git", ["describe", "--always", "--dirty"], {
        cwd,
        encoding: "utf8",
        timeout: 5000,
    });
    return status === 0 ? stdout.trim() : undefined;
}

const about = (now: string, notRead: readonly string[]): string =>
    [
        `Written at ${now} by \`npm run diagnose\`, for a bug report.`,
        "",
        "status.txt, status.json   state of the stack",
        "versions.json             of Orcheo, images, Kubernetes and nodes",
        "objects/                  objects of the namespace and a few of the cluster, events included",
        "logs/                     last hour of each container, and of the one before its last restart",
        "",
        "No value of a Secret is in here, and what looked like a secret is ***. Read it once before you publish it.",
        ...(notRead.length === 0 ? [] : ["", "Not read:", ...notRead.map((each) => `- ${each}`)]),
        "",
    ].join("\n");
