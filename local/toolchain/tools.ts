/** The pinned tools: one row each. A row and its module folder under `modules/` decide everything that is built. */

/** What a tool is for; `make up` needs all but `test`. */
export type Group = "cluster" | "pulumi" | "add-ons" | "test";

export interface Tool {
    readonly name: string;
    readonly group: Group;
    readonly version: string;
    /** Folder under `modules/` with the pinned go.mod and go.sum. */
    readonly module: string;
    /** A C source below a module's folder instead of Go packages: built static, with the C compiler alone. */
    readonly cSource?: { readonly goModule: string; readonly file: string };
    /** Go packages to build, each becoming one binary named after its last path element unless `binary` says otherwise. */
    readonly packages: readonly string[];
    /** Name of the binary where the package's last path element is not the tool's name (one package only). */
    readonly binary?: string;
    /** `-X` assignments for the linker: how upstream stamps its version. */
    readonly stamps?: Readonly<Record<string, string>>;
    readonly tags?: readonly string[];
    /** Needs a C compiler; everything else is static and can become an image `FROM scratch`. */
    readonly cgo?: boolean;
    /** Arguments that make a binary on the PATH print its version; without them the PATH is never asked. */
    readonly probe?: readonly string[];
}

const KUBERNETES = "1.34.4";

const kubernetes = (name: string): Tool => ({
    name,
    group: "cluster",
    version: KUBERNETES,
    module: "kubernetes",
    packages: [`k8s.io/kubernetes/cmd/${name}`],
    stamps: {
        "k8s.io/component-base/version.gitVersion": `v${KUBERNETES}`,
        "k8s.io/component-base/version.gitMajor": "1",
        "k8s.io/component-base/version.gitMinor": "34",
    },
    probe: name === "kubectl" ? ["version", "--client"] : ["--version"],
});

export const tools: readonly Tool[] = [
    kubernetes("kube-apiserver"),
    kubernetes("kube-controller-manager"),
    kubernetes("kube-scheduler"),
    kubernetes("kubelet"),
    kubernetes("kube-proxy"),
    kubernetes("kubectl"),
    {
        name: "etcd",
        group: "cluster",
        version: "3.6.16",
        module: "etcd",
        packages: ["go.etcd.io/etcd/server/v3"],
        binary: "etcd",
        probe: ["--version"],
    },
    {
        name: "containerd",
        group: "cluster",
        version: "2.2.9",
        module: "containerd",
        packages: ["containerd", "containerd-shim-runc-v2", "ctr"].map(
            (name) => `github.com/containerd/containerd/v2/cmd/${name}`,
        ),
        stamps: { "github.com/containerd/containerd/v2/version.Version": "v2.2.9" },
    },
    {
        name: "runc",
        group: "cluster",
        version: "1.4.3",
        module: "runc",
        packages: ["github.com/opencontainers/runc"],
        tags: ["seccomp"],
        cgo: true,
        probe: ["--version"],
    },
    {
        name: "cni",
        group: "cluster",
        version: "1.9.1",
        module: "cni",
        packages: ["main/bridge", "main/loopback", "ipam/host-local", "meta/portmap"].map(
            (name) => `github.com/containernetworking/plugins/plugins/${name}`,
        ),
    },
    {
        name: "registry",
        group: "cluster",
        version: "3.1.1",
        module: "registry",
        packages: ["github.com/distribution/distribution/v3/cmd/registry"],
    },
    {
        name: "buildkit",
        group: "cluster",
        version: "0.34.2",
        module: "buildkit",
        packages: ["buildkitd", "buildctl"].map((name) => `github.com/moby/buildkit/cmd/${name}`),
        stamps: { "github.com/moby/buildkit/version.Version": "v0.34.2" },
    },
    {
        name: "kube-router",
        group: "cluster",
        version: "2.2.1",
        module: "kube-router",
        packages: ["github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"],
    },
    {
        name: "coredns",
        group: "cluster",
        version: "1.15.0",
        module: "coredns",
        packages: ["github.com/coredns/coredns"],
    },
    {
        name: "pause",
        group: "cluster",
        version: KUBERNETES,
        module: "kubernetes",
        packages: [],
        binary: "pause",
        cSource: { goModule: "k8s.io/kubernetes", file: "build/pause/linux/pause.c" },
    },
    {
        name: "metrics-server",
        group: "add-ons",
        version: "0.9.0",
        module: "metrics-server",
        packages: ["sigs.k8s.io/metrics-server/cmd/metrics-server"],
    },
    {
        name: "local-path-provisioner",
        group: "add-ons",
        version: "0.0.30",
        module: "local-path-provisioner",
        packages: ["github.com/rancher/local-path-provisioner"],
        stamps: { "main.VERSION": "v0.0.30" },
    },
];
