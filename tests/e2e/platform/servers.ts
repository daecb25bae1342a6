/** Servers of the tests' own, in namespaces of their own and as strict as the stack's. */
import { ensureImage } from "../../../local/cluster/images.ts";
import { run } from "../../../local/process.ts";
import { apply, env, spec, toolchain } from "./harness.ts";

export interface Server {
    /** Of the objects; also the binary of the toolchain that `image` has by default. */
    readonly name: string;
    readonly namespace: string;
    readonly image?: string;
    /** In place of what the image starts. */
    readonly command?: readonly string[];
    readonly args?: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
    /** Of its Service; none without them. */
    readonly ports?: readonly number[];
    /** Secrets and ConfigMaps that become directories; one of neither is empty, and gone with the pod. */
    readonly mounts?: readonly { readonly path: string; readonly secret?: string; readonly configMap?: string }[];
    /** What it may do in the cluster; it gets no token without. */
    readonly rules?: readonly object[];
}

export const strictNamespace = (name: string): object => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
});

function rights({ name, namespace, rules }: Server): object[] {
    if (rules === undefined) return [];
    const group = "rbac.authorization.k8s.io";
    return [
        { apiVersion: `${group}/v1`, kind: "ClusterRole", metadata: { name }, rules },
        {
            apiVersion: `${group}/v1`,
            kind: "ClusterRoleBinding",
            metadata: { name },
            roleRef: { apiGroup: group, kind: "ClusterRole", name },
            subjects: [{ kind: "ServiceAccount", name, namespace }],
        },
    ];
}

function pod(server: Server, image: string): object {
    const { name, command, args, environment = {}, mounts = [], rules } = server;
    return {
        serviceAccountName: name,
        automountServiceAccountToken: rules !== undefined,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
            {
                name,
                image,
                command,
                args,
                env: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
                securityContext: {
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ["ALL"] },
                },
                volumeMounts: mounts.map(({ path }, number) => ({ name: `mount-${number}`, mountPath: path })),
            },
        ],
        volumes: mounts.map(({ secret, configMap }, number) => ({
            name: `mount-${number}`,
            ...(secret !== undefined && { secret: { secretName: secret } }),
            ...(configMap !== undefined && { configMap: { name: configMap } }),
            ...(secret === undefined && configMap === undefined && { emptyDir: {} }),
        })),
    };
}

/** Starts it, and waits until it runs. Its namespace is there. */
export async function serve(server: Server): Promise<void> {
    const { name, namespace, ports = [] } = server;
    const image = server.image ?? (await ensureImage(spec, toolchain, { name, binaries: [name] }));
    const metadata = { name, namespace };
    const labels = { app: name };
    const service = {
        apiVersion: "v1",
        kind: "Service",
        metadata,
        spec: { selector: labels, ports: ports.map((port) => ({ name: `port-${port}`, port })) },
    };
    await apply([
        { apiVersion: "v1", kind: "ServiceAccount", metadata, automountServiceAccountToken: false },
        ...rights(server),
        {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata,
            spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod(server, image) } },
        },
        ...(ports.length > 0 ? [service] : []),
    ]);
    const rollout = ["--namespace", namespace, "rollout", "status", `deployment/${name}`, "--timeout=120s"];
    await run("kubectl", rollout, { env });
}
