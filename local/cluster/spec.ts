import { join } from "node:path";
import { cacheDir, stateRoot } from "../paths.ts";

/** Ports on the host, on 127.0.0.1 only. */
export interface Ports {
    readonly api: number;
    readonly registry: number;
    readonly http: number;
    readonly https: number;
}

/** One embedded cluster: its name, ports and data folder. Clusters of different names and ports run side by side. */
export interface ClusterSpec {
    readonly name: string;
    readonly stateDir: string;
    readonly ports: Ports;
}

export const defaultPorts: Ports = { api: 6443, registry: 5000, http: 80, https: 443 };

export const clusterSpec = (name = "local", ports: Ports = defaultPorts, root = stateRoot): ClusterSpec => ({
    name,
    stateDir: join(root, name),
    ports,
});

/** The environment variables that point `make` at this cluster. */
export const variablesOf = ({ name, ports }: ClusterSpec): Record<string, string> => ({
    ORCHEO_CLUSTER: name,
    ORCHEO_API_PORT: String(ports.api),
    ORCHEO_REGISTRY_PORT: String(ports.registry),
    ORCHEO_HTTP_PORT: String(ports.http),
    ORCHEO_HTTPS_PORT: String(ports.https),
});

// Every cluster has its own network, so all of them use the same addresses.
/** The node's address, on a bridge without members, so that it survives a change of the machine's network. */
export const NODE_IP = "10.241.0.1";
export const POD_CIDR = "10.244.0.0/24";
export const SERVICE_CIDR = "10.96.0.0/16";
export const API_SERVICE_IP = "10.96.0.1";
export const DNS_SERVICE_IP = "10.96.0.10";
/** Of the entrance, for probes from within. */
export const ENTRANCE_SERVICE_IP = "10.96.0.20";
/** The ingress controller's node ports, targets of the host's http and https ports. */
export const INGRESS_NODE_PORTS = { http: 30080, https: 30443 };
export const NODE_NAME = "orcheo-node";

export const cgroupOf = (spec: ClusterSpec): string => `orcheo-${spec.name}`;
export const contextOf = (spec: ClusterSpec): string => `orcheo-${spec.name}`;
export const registryOf = (spec: ClusterSpec): string => `127.0.0.1:${spec.ports.registry}`;

/**
 * BuildKit's files: one builder for all clusters of this cache, so that each layer is built and stored once.
 * $ORCHEO_BUILDER_DIR moves it, so that a test that kills the builder does not affect others.
 */
export const builderPaths = (dir = process.env.ORCHEO_BUILDER_DIR ?? join(cacheDir, "builder")) => ({
    dir,
    lock: `${dir}.lock`,
    buildkit: join(dir, "buildkit"),
    registry: join(dir, "registry"),
    config: join(dir, "config"),
    logs: join(dir, "logs"),
    run: join(dir, "run"),
    services: join(dir, "run", "sv"),
    /** One file per cluster that uses it. */
    users: join(dir, "users"),
    socket: join(dir, "run", "buildkitd.sock"),
});

/** Files and folders of a cluster, all below its state folder except the builder's socket. */
export const pathsOf = (spec: ClusterSpec) => ({
    pki: join(spec.stateDir, "pki"),
    config: join(spec.stateDir, "config"),
    logs: join(spec.stateDir, "logs"),
    /** A folder of their own: what collects them sees no other file. */
    auditLogs: join(spec.stateDir, "logs", "audit"),
    run: join(spec.stateDir, "run"),
    services: join(spec.stateDir, "run", "sv"),
    etcd: join(spec.stateDir, "etcd"),
    containerd: join(spec.stateDir, "containerd"),
    kubelet: join(spec.stateDir, "kubelet"),
    registry: join(spec.stateDir, "registry"),
    volumes: join(spec.stateDir, "volumes"),
    podLogs: join(spec.stateDir, "pod-logs"),
    buildx: join(spec.stateDir, "buildx"),
    kubeconfig: join(spec.stateDir, "kubeconfig"),
    ingressCa: join(spec.stateDir, "ca.crt"),
    buildkitSocket: builderPaths().socket,
});
