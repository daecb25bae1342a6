/** A pod of the Kubernetes plans as a service of Docker Compose. What it does not know it refuses, instead of leaving it out. */
import type { types } from "@pulumi/kubernetes";
import type { Role } from "../components/kubernetes/labels";

type PodTemplate = types.input.core.v1.PodTemplateSpec;

/** A key that has no value is left out of the file. */
export interface Service {
    readonly [key: string]: unknown;
    readonly image: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly secrets?: readonly FileMount[];
    readonly configs?: readonly FileMount[];
    readonly volumes?: readonly string[];
    readonly networks: readonly string[] | Readonly<Record<string, unknown>>;
}

interface FileMount {
    readonly source: string;
    readonly target: string;
}

/** What Kubernetes takes from elsewhere: the node, the image, the cluster. */
export interface Host {
    readonly image: string;
    /** ENTRYPOINT of the image, for pods whose init containers run in the same container here. */
    readonly entrypoint: readonly string[];
    /** Asks the process inside the container; in the cluster the kubelet asks over the network. */
    readonly check?: readonly string[];
    /** The kubelet's `podPidsLimit` counts whole pods; this is the container's. */
    readonly pids: number;
    readonly networks: Service["networks"];
    readonly restart: "unless-stopped" | "no";
    readonly dependsOn?: Readonly<
        Record<string, "service_healthy" | "service_completed_successfully" | "service_started">
    >;
}

interface Mount {
    readonly name: string;
    readonly mountPath: string;
}
interface Items {
    readonly name?: string;
    readonly secretName?: string;
    readonly items?: readonly { readonly key: string; readonly path: string }[];
}
interface Volume {
    readonly name: string;
    readonly emptyDir?: { readonly sizeLimit: string; readonly medium?: string };
    readonly projected?: { readonly sources: readonly { readonly secret: Items }[] };
    readonly secret?: Items;
    readonly configMap?: Items;
    readonly persistentVolumeClaim?: { readonly claimName: string };
}
interface Probe {
    readonly exec?: { readonly command: readonly string[] };
    readonly httpGet?: unknown;
    readonly periodSeconds: number;
    readonly failureThreshold: number;
    readonly timeoutSeconds: number;
}
interface Container {
    readonly command?: readonly string[];
    readonly args?: readonly string[];
    readonly env?: readonly { readonly name: string; readonly value: string }[];
    readonly resources: Readonly<Record<"requests" | "limits", { readonly cpu: string; readonly memory: string }>>;
    readonly startupProbe?: Probe;
    readonly readinessProbe?: Probe;
    readonly volumeMounts: readonly Mount[];
}
/** The plans' types allow for values that Pulumi only knows later; those of a Compose file are all known. */
interface Spec {
    readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
    readonly terminationGracePeriodSeconds: number;
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
    readonly volumes: readonly Volume[];
}

/** Files of a certificate Secret; a pod that mounts it whole sees all three. */
const certificateFiles = ["tls.crt", "tls.key", "ca.crt"];
/** Files of ConfigMaps that are mounted whole. */
const configFiles: Readonly<Record<string, readonly string[]>> = {
    "postgres-config": ["postgresql.conf"],
    "private-ca": ["private-ca.crt"],
};

/** Compose interpolates `$`, and Kubernetes `$(NAME)`: no value of these plans holds one. */
function literal(value: string): string {
    if (value.includes("$")) throw new Error(`the value ${JSON.stringify(value)} holds a $`);
    return value;
}

/** `250m` and `2000m` as Compose counts CPUs. */
const cpus = (quantity: string): string =>
    quantity.endsWith("m") ? String(Number(quantity.slice(0, -1)) / 1000) : quantity;
/** Compose's M is a MiB, its G a GiB. */
const bytes = (quantity: string): string => {
    if (!/^\d+[MG]i$/.test(quantity)) throw new Error(`memory ${quantity}; accepted: whole MiB or GiB`);
    return quantity.slice(0, -1);
};
const seconds = (count: number): string => `${count}s`;

/** Name of a secret in the file; the file itself is secrets/<Secret>/<key>. */
export const secretSource = (secret: string, key: string): string => `${secret}-${key.replaceAll(".", "-")}`;

const filesOf = (volume: Volume): readonly { source: string; path: string }[] => {
    const of = ({ name, secretName, items }: Items, usual: readonly string[]) =>
        (items ?? usual.map((key) => ({ key, path: key }))).map(({ key, path }) => ({
            source: secretSource(secretName ?? name ?? "", key),
            path,
        }));
    if (volume.projected) return volume.projected.sources.flatMap(({ secret }) => of(secret, []));
    if (volume.secret) return of(volume.secret, certificateFiles);
    if (volume.configMap) return of(volume.configMap, configFiles[volume.configMap.name ?? ""] ?? []);
    return [];
};

function mounts(spec: Spec): Pick<Service, "secrets" | "configs" | "volumes"> & Record<string, unknown> {
    const all = new Map(
        [...(spec.initContainers ?? []), ...spec.containers]
            .flatMap(({ volumeMounts }) => volumeMounts)
            .map((mount) => [mount.mountPath, mount]),
    );
    const secrets: FileMount[] = [];
    const configs: FileMount[] = [];
    const volumes: string[] = [];
    const tmpfs: string[] = [];
    let shm: string | undefined;
    const { runAsUser, runAsGroup } = spec.securityContext;
    for (const { name, mountPath } of all.values()) {
        const volume = spec.volumes.find((each) => each.name === name);
        const files = volume === undefined ? [] : filesOf(volume);
        const mounted = files.map(({ source, path }) => ({ source, target: `${mountPath}/${path}` }));
        if (volume?.emptyDir) {
            const size = bytes(volume.emptyDir.sizeLimit).toLowerCase();
            if (mountPath === "/dev/shm") shm = size;
            // Orcheo loads compiled code from its state directory; nothing is run from the others.
            else
                tmpfs.push(
                    `${mountPath}:size=${size},mode=0700,uid=${runAsUser},gid=${runAsGroup}${mountPath === "/var/lib/orcheo" ? ",exec" : ""}`,
                );
        } else if (volume?.persistentVolumeClaim) {
            volumes.push(`${volume.persistentVolumeClaim.claimName}:${mountPath}`);
        } else if (volume?.configMap) configs.push(...mounted);
        else if (mounted.length > 0) secrets.push(...mounted);
        else throw new Error(`the volume ${name} has no counterpart in Compose`);
    }
    return {
        ...(tmpfs.length > 0 && { tmpfs }),
        ...(shm !== undefined && { shm_size: shm }),
        ...(volumes.length > 0 && { volumes }),
        ...(secrets.length > 0 && { secrets }),
        ...(configs.length > 0 && { configs }),
    };
}

/** Ready, as Kubernetes understands it: what depends on the service starts then. Docker restarts nothing for it. */
function healthcheck({ startupProbe: startup, readinessProbe: ready }: Container, check: Host["check"]) {
    if (ready === undefined || startup === undefined) return {};
    const command = ready.httpGet === undefined ? ready.exec?.command : check;
    if (command === undefined) throw new Error("a probe over the network needs a command that asks inside");
    return {
        healthcheck: {
            test: ["CMD", ...command],
            interval: seconds(ready.periodSeconds),
            timeout: seconds(ready.timeoutSeconds),
            retries: ready.failureThreshold,
            start_period: seconds(startup.periodSeconds * startup.failureThreshold),
            start_interval: seconds(startup.periodSeconds),
        },
    };
}

/** Init containers run first in the same container: they are of the same image and write to its scratch directories. */
function command(spec: Spec, container: Container, { entrypoint }: Host): Partial<Service> {
    const before = spec.initContainers ?? [];
    const line = ({ command, args = [] }: Container) => [...(command ?? entrypoint), ...args].map(quoted).join(" ");
    if (before.length > 0) {
        const script = ["set -e", ...before.map(line), `exec ${line(container)}`].join("\n");
        return { entrypoint: ["sh", "-c", script] };
    }
    return {
        ...(container.command && { entrypoint: container.command.map(literal) }),
        ...(container.args && { command: container.args.map(literal) }),
    };
}

const quoted = (word: string): string =>
    /^[\w./@:=-]+$/.test(word) ? word : `'${literal(word).replaceAll("'", "'\\''")}'`;

export const logging = { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } };

/** What every container has, and none may give up. */
export const confined = {
    read_only: true,
    cap_drop: ["ALL"],
    // Docker's own seccomp profile applies unless something else is said here.
    security_opt: ["no-new-privileges=true"],
};

export function planService(role: Role, template: PodTemplate, host: Host): Service {
    const spec = template.spec as unknown as Spec;
    const [container, ...others] = spec.containers;
    if (container === undefined || others.length > 0) throw new Error(`${role}: a service is one container`);
    const { requests, limits } = container.resources;
    const env = [...(spec.initContainers ?? []), container].flatMap(({ env = [] }) => env);
    const environment = Object.fromEntries(env.map(({ name, value }) => [name, literal(value)]));
    return {
        image: host.image,
        ...command(spec, container, host),
        user: `${spec.securityContext.runAsUser}:${spec.securityContext.runAsGroup}`,
        ...(Object.keys(environment).length > 0 && { environment }),
        ...confined,
        ...mounts(spec),
        ...healthcheck(container, host.check),
        ...(host.dependsOn && {
            depends_on: Object.fromEntries(
                Object.entries(host.dependsOn).map(([name, condition]) => [name, { condition }]),
            ),
        }),
        networks: host.networks,
        deploy: {
            resources: {
                limits: { cpus: cpus(limits.cpu), memory: bytes(limits.memory), pids: host.pids },
                reservations: { cpus: cpus(requests.cpu), memory: bytes(requests.memory) },
            },
        },
        stop_grace_period: seconds(spec.terminationGracePeriodSeconds),
        restart: host.restart,
        logging,
    };
}
