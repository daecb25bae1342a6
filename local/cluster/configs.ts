/** The configuration files of the node's services: pure functions from the cluster's description to text. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import {
    type ClusterSpec,
    cgroupOf,
    contextOf,
    DNS_SERVICE_IP,
    NODE_IP,
    pathsOf,
    POD_CIDR,
    registryOf,
} from "./spec.ts";

const GIB = 1024 ** 3;

export const kubeconfig = (spec: ClusterSpec, user: string): string => {
    const { pki } = pathsOf(spec);
    const data = (file: string): string => readFileSync(join(pki, file)).toString("base64");
    const name = contextOf(spec);
    return stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": name,
        clusters: [
            {
                name,
                cluster: {
                    server: `https://127.0.0.1:${spec.ports.api}`,
                    "certificate-authority-data": data("cluster-ca.crt"),
                },
            },
        ],
        users: [
            { name, user: { "client-certificate-data": data(`${user}.crt`), "client-key-data": data(`${user}.key`) } },
        ],
        contexts: [{ name, context: { cluster: name, user: name } }],
    });
};

export const secretsAtRest = (spec: ClusterSpec): string =>
    stringify({
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "EncryptionConfiguration",
        resources: [
            {
                resources: ["secrets"],
                providers: [
                    {
                        secretbox: {
                            keys: [
                                {
                                    name: "local",
                                    secret: readFileSync(join(pathsOf(spec).pki, "secrets-at-rest.key"), "utf8"),
                                },
                            ],
                        },
                    },
                    { identity: {} },
                ],
            },
        ],
    });

/** What the cluster's own parts do with Secrets all the time. */
const ofTheCluster = {
    users: ["system:apiserver", "system:kube-controller-manager"],
    userGroups: ["system:nodes"],
};

/**
 * Logs changes, reads of Secrets and whoever enters a pod, without the contents of Secrets; other reads, leases and events are left out.
 * kubectl enters a pod by a GET, which becomes a WebSocket.
 */
export const auditPolicy = (): string => {
    const reads = ["get", "list", "watch"];
    const secrets = [{ group: "", resources: ["secrets"] }];
    const entered = ["pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"];
    return stringify(
        {
            apiVersion: "audit.k8s.io/v1",
            kind: "Policy",
            omitStages: ["RequestReceived"],
            rules: [
                { level: "Metadata", resources: [{ group: "", resources: entered }] },
                { level: "None", users: ofTheCluster.users, verbs: reads, resources: secrets },
                { level: "None", userGroups: ofTheCluster.userGroups, verbs: reads, resources: secrets },
                { level: "Metadata", verbs: reads, resources: secrets },
                { level: "None", verbs: reads },
                { level: "None", resources: [{ group: "coordination.k8s.io" }, { group: "", resources: ["events"] }] },
                {
                    level: "Metadata",
                    resources: [{ group: "", resources: ["secrets", "configmaps", "serviceaccounts/token"] }],
                },
                { level: "Request" },
            ],
        },
        // No anchors.
        { aliasDuplicateObjects: false },
    );
};

/** Only the health endpoints are open to anonymous requests. */
export const authentication = (): string =>
    stringify({
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "AuthenticationConfiguration",
        anonymous: { enabled: true, conditions: ["/livez", "/readyz", "/healthz"].map((path) => ({ path })) },
    });

export const kubelet = (spec: ClusterSpec): string =>
    stringify({
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        address: NODE_IP,
        authentication: {
            anonymous: { enabled: false },
            webhook: { enabled: true },
            x509: { clientCAFile: join(pathsOf(spec).pki, "cluster-ca.crt") },
        },
        authorization: { mode: "Webhook" },
        tlsCertFile: join(pathsOf(spec).pki, "kubelet.crt"),
        tlsPrivateKeyFile: join(pathsOf(spec).pki, "kubelet.key"),
        containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
        cgroupDriver: "cgroupfs",
        cgroupRoot: `/${cgroupOf(spec)}`,
        failCgroupV1: false,
        failSwapOn: false,
        clusterDNS: [DNS_SERVICE_IP],
        clusterDomain: "cluster.local",
        resolvConf: join(pathsOf(spec).config, "resolv.conf"),
        podLogsDir: "/var/log/pods",
        containerLogMaxSize: "10Mi",
        containerLogMaxFiles: 3,
        readOnlyPort: 0,
        serializeImagePulls: false,
        // Processes and threads of one pod; a fork bomb ends here and not at the machine's limit.
        podPidsLimit: 2048,
        // Absolute values, because the disk is shared with the rest of the machine.
        evictionHard: { "memory.available": "200Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi" },
        imageGCHighThresholdPercent: 99,
        imageGCLowThresholdPercent: 98,
        shutdownGracePeriod: "0s",
        nodeStatusUpdateFrequency: "10s",
    });

export const containerd = (spec: ClusterSpec, pause: string, cniDir: string, runc: string): string => `version = 3
root = "${join(pathsOf(spec).containerd, "root")}"
state = "/run/containerd"
# Without CAP_SYS_RESOURCE no process may lower its OOM score.
oom_score = 0

[grpc]
address = "/run/containerd/containerd.sock"

[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
# The registry has them; unpacked, nothing reads them again.
discard_unpacked_layers = true
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "${pause}"
[plugins."io.containerd.cri.v1.images".registry]
config_path = "${join(pathsOf(spec).config, "certs.d")}"

[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["${cniDir}"]
conf_dir = "${join(pathsOf(spec).config, "cni")}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "${runc}"
SystemdCgroup = false
`;

export const registryHosts = (spec: ClusterSpec): string => `server = "http://${registryOf(spec)}"
[host."http://${registryOf(spec)}"]
capabilities = ["pull", "resolve"]
`;

export const cni = (): string =>
    JSON.stringify(
        {
            cniVersion: "1.0.0",
            name: "orcheo",
            plugins: [
                {
                    type: "bridge",
                    bridge: "cni0",
                    isGateway: true,
                    ipMasq: true,
                    hairpinMode: true,
                    ipam: {
                        type: "host-local",
                        ranges: [[{ subnet: POD_CIDR }]],
                        routes: [{ dst: "0.0.0.0/0" }],
                        dataDir: "/run/cni-ipam",
                    },
                },
                { type: "portmap", capabilities: { portMappings: true } },
            ],
        },
        undefined,
        2,
    );

/**
 * Size limit of BuildKit's cache: enough for the images of this project and its tests, see docs/embedded-cluster.md. What
 * exceeds it first are the layers of build stages, which a build whose inputs are the same never reads again.
 */
export const BUILD_CACHE_GIB = 6;
/** BuildKit removes its least recently used layers to keep this much of the disk free. */
const FREE_GIB = 4;

export interface BuildkitArgs {
    readonly root: string;
    readonly socket: string;
    readonly cgroup: string;
    readonly runc: string;
    /** Address of the registry with the base image, for when Docker Hub cannot be reached. */
    readonly mirror: string;
}

export const buildkit = ({ root, socket, cgroup, runc, mirror }: BuildkitArgs): string => `root = "${root}"
[grpc]
address = ["unix://${socket}"]
[worker.containerd]
enabled = false
[worker.oci]
enabled = true
snapshotter = "overlayfs"
binary = "${runc}"
# Build steps use the builder's own network: they fetch packages.
networkMode = "host"
defaultCgroupParent = "/${cgroup}/buildkit"
gc = true
maxUsedSpace = "${BUILD_CACHE_GIB * GIB}"
minFreeSpace = "${FREE_GIB * GIB}"
[registry."${mirror}"]
http = true
# A base image that this registry has is taken from there, all others from Docker Hub.
[registry."docker.io"]
mirrors = ["${mirror}"]
`;

export const registry = (rootdirectory: string, addr: string): string =>
    stringify({
        version: 0.1,
        log: { level: "warn", accesslog: { disabled: true } },
        storage: { filesystem: { rootdirectory }, delete: { enabled: true } },
        http: { addr },
    });

/** A buildx builder, which the docker-build provider finds by name. */
export const buildxInstance = (name: string, socket: string): string =>
    JSON.stringify({
        Name: name,
        Driver: "remote",
        Nodes: [
            {
                Name: `${name}0`,
                Endpoint: `unix://${socket}`,
                Platforms: null,
                DriverOpts: null,
                Flags: null,
                Files: null,
            },
        ],
        Dynamic: false,
    });

/** The host's resolver configurations; systemd-resolved keeps the real name servers in a separate file. */
export const hostNameServers = (): string[] =>
    ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]
        .filter((file) => existsSync(file))
        .map((file) => readFileSync(file, "utf8"));

/** Drops name servers on the host's loopback, which the node's network cannot reach. */
export const resolvConf = (candidates: readonly string[]): string => {
    const reachable = candidates.find((text) => /^nameserver\s+(?!127\.|::1)/m.test(text));
    if (reachable === undefined) {
        throw new Error(
            "no name server outside 127.0.0.0/8 is configured: add one to /etc/resolv.conf, then run `make up` again",
        );
    }
    return reachable
        .split("\n")
        .filter((line) => !/^nameserver\s+(127\.|::1)/.test(line))
        .join("\n");
};
