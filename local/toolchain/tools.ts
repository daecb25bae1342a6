/** The pinned tools: one row each. A row and its module folder under `modules/` decide everything that is built. */

/**
 * The purpose of a tool; `make up` needs all groups except `test`, `aws` (the tests of prod on AWS), `compose` of `make compose-test`,
 * `publish` of `make publish`, `languages` of the tests of pulumi-package, `gitops` of the test of rendered manifests by Flux, `workflows` of `make workflow-test`, `monitoring` of the embedded cluster's monitoring and `operator` of its tests with what users run: the Prometheus operator, Prometheus, a collector.
 */
export type Group =
    | "cluster"
    | "pulumi"
    | "add-ons"
    | "test"
    | "aws"
    | "compose"
    | "publish"
    | "languages"
    | "gitops"
    | "workflows"
    | "monitoring"
    | "operator";

/** What `make up` needs. */
export const upGroups: readonly Group[] = ["pulumi", "cluster", "add-ons"];

/** What `make up` with the monitoring needs. */
export const monitoredUpGroups: readonly Group[] = [...upGroups, "monitoring"];

/** What `make up` and `make test` need. */
export const usualGroups: readonly Group[] = [...upGroups, "test", "aws"];

/** A file in the tool's module folder, or in a Go module that it requires. */
export interface Source {
    readonly goModule?: string;
    readonly file: string;
}

export interface Tool {
    readonly name: string;
    readonly group: Group;
    readonly version: string;
    /** Folder under `modules/` with the pinned go.mod and go.sum. */
    readonly module: string;
    /** A C source in a module instead of Go packages, linked statically. */
    readonly cSource?: { readonly goModule: string; readonly file: string };
    /** Go packages to build, each becoming one binary named after its last path element unless `binary` says otherwise. */
    readonly packages: readonly string[];
    /** Name of the binary if it differs from the package's last path element (one package only). */
    readonly binary?: string;
    /** `-X` assignments for the linker: how upstream stamps its version. */
    readonly stamps?: Readonly<Record<string, string>>;
    readonly tags?: readonly string[];
    /** A program of the module that generates files into a folder before the build; `overlay` refers to them as `generated`. */
    readonly generate?: { readonly package: string; readonly args: (folder: string) => readonly string[] };
    /** Files that the compiler sees `at` another path, without writing to the checkout or the module cache. */
    readonly overlay?: readonly { readonly at: Source; readonly from: Source | { readonly generated: string } }[];
    /**
     * Required Go modules that are compiled from copies, in which files and folders of the module folder replace
     * the original ones: the compiler accepts no overlay below the module cache. `stead` maps the original path to ours;
     * `edits` are single places of a file, each found exactly once.
     */
    readonly patched?: readonly {
        readonly goModule: string;
        readonly stead?: Readonly<Record<string, string>>;
        readonly edits?: readonly { readonly file: string; readonly from: string; readonly to: string }[];
    }[];
    /** Files stored next to the binaries, each joined from one or more sources (YAML documents, separated by `---`). */
    readonly share?: Readonly<Record<string, readonly Source[]>>;
    /** The Go version that compiles it, when it is not the default. */
    readonly go?: string;
    /** Needs a C compiler; all other tools are static and can become an image `FROM scratch`. */
    readonly cgo?: boolean;
    /** Arguments that make a binary print its version; without them, binaries on the PATH are ignored. */
    readonly probe?: readonly string[];
}

const KUBERNETES = "1.37.2";
/** For tools that only tests need: they follow with their next version, and share nothing until then. */
const GO_1_26 = "go1.26.8";
const CERT_MANAGER = "github.com/cert-manager/cert-manager";
const TRAEFIK = "github.com/traefik/traefik/v3";
const MOBY = "github.com/moby/moby/v2";
const COSIGN = "github.com/sigstore/cosign/v3";
const POLICY_CONTROLLER = "github.com/sigstore/policy-controller";
const COMPOSE = "github.com/docker/compose/v5";
const BLACKBOX_EXPORTER = "github.com/prometheus/blackbox_exporter";
const ALERTMANAGER = "github.com/prometheus/alertmanager";
const PROMETHEUS = "github.com/prometheus/prometheus";
const PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator";
const VICTORIA_METRICS = "github.com/VictoriaMetrics/VictoriaMetrics";
const VICTORIA_LOGS = "github.com/VictoriaMetrics/VictoriaLogs";
const EXTERNAL_SECRETS = "github.com/external-secrets/external-secrets";
const FLUX = "github.com/fluxcd";
const KUBERNETES_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4";

const kubernetes = (name: string): Tool => ({
    name,
    group: "cluster",
    version: KUBERNETES,
    module: "kubernetes",
    packages: [`k8s.io/kubernetes/cmd/${name}`],
    stamps: {
        "k8s.io/component-base/version.gitVersion": `v${KUBERNETES}`,
        "k8s.io/component-base/version.gitMajor": "1",
        "k8s.io/component-base/version.gitMinor": KUBERNETES.split(".")[1] ?? "",
    },
    probe: name === "kubectl" ? ["version", "--client"] : ["--version"],
});

// In build order. The kubernetes provider starts early, because it is a single compilation that takes minutes on one core.
export const tools: readonly Tool[] = [
    {
        name: "pulumi-resource-kubernetes",
        group: "pulumi",
        version: "4.25.0",
        module: "pulumi-resource-kubernetes",
        packages: ["."],
        binary: "pulumi-resource-kubernetes",
        stamps: { [`${KUBERNETES_PROVIDER}/pkg/version.Version`]: "4.25.0" },
        overlay: ["schema.json", "terraform-mapping.json"].map((file) => ({
            at: { file },
            from: { goModule: KUBERNETES_PROVIDER, file: `cmd/pulumi-resource-kubernetes/${file}` },
        })),
        // The edits of the three providers follow pulumi/pkg: with the CLI's version, it is compiled once.
        patched: [
            {
                goModule: "github.com/pulumi/pulumi-kubernetes/sdk/v4",
                stead: { "go/kubernetes/yaml/v2/kinds.go": "any-kind/kinds.go" },
            },
            {
                goModule: "github.com/fluxcd/pkg/ssa",
                stead: { "normalize/normalize.go": "no-normalize/normalize.go" },
            },
            {
                goModule: KUBERNETES_PROVIDER,
                edits: [
                    {
                        file: "pkg/gen/schema.go",
                        from: "Provider: pschema.ResourceSpec{",
                        to: "Provider: &pschema.ResourceSpec{",
                    },
                ],
            },
        ],
    },
    {
        name: "pulumi",
        group: "pulumi",
        version: "3.276.0",
        module: "pulumi",
        packages: ["github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
        stamps: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.276.0" },
    },
    {
        name: "pulumi-language-nodejs",
        group: "pulumi",
        version: "3.190.0",
        module: "pulumi-language-nodejs",
        packages: ["github.com/pulumi/pulumi/sdk/nodejs/cmd/pulumi-language-nodejs/v3"],
        binary: "pulumi-language-nodejs",
    },
    {
        name: "pulumi-resource-docker-build",
        group: "pulumi",
        version: "0.0.22",
        module: "pulumi-resource-docker-build",
        packages: ["github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build"],
        stamps: { "github.com/pulumi/pulumi-docker-build/provider.Version": "0.0.22" },
        patched: [
            {
                goModule: "github.com/pulumi/pulumi-go-provider",
                edits: [
                    {
                        file: "middleware/schema/schema.go",
                        from: "pkg.Provider = prov\n",
                        to: "pkg.Provider = &prov\n",
                    },
                ],
            },
        ],
    },
    {
        name: "pulumi-resource-random",
        group: "pulumi",
        version: "4.21.2",
        module: "pulumi-resource-random",
        packages: ["."],
        binary: "pulumi-resource-random",
        generate: { package: "./tfgen", args: (folder) => ["schema", "--out", folder] },
        patched: [
            {
                goModule: "github.com/pulumi/pulumi-terraform-bridge/v3",
                edits: ["pkg/tf2pulumi/convert/eject.go", "pkg/tfgen/generate.go"].map((file) => ({
                    file,
                    from: "pluginHost, nil, cwd, nil, false, nil",
                    to: "pluginHost, nil, cwd, nil, false, nil, nil",
                })),
            },
        ],
        overlay: ["schema.json", "bridge-metadata.json"].map((file) => ({ at: { file }, from: { generated: file } })),
    },
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
        version: "2.3.7",
        module: "containerd",
        packages: ["containerd", "containerd-shim-runc-v2", "ctr"].map(
            (name) => `github.com/containerd/containerd/v2/cmd/${name}`,
        ),
        stamps: { "github.com/containerd/containerd/v2/version.Version": "v2.3.7" },
    },
    {
        name: "runc",
        group: "cluster",
        version: "1.5.3",
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
        version: "3.1.2",
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
        packages: ["."],
        binary: "coredns",
    },
    {
        name: "crane",
        group: "cluster",
        version: "0.22.1",
        module: "crane",
        packages: ["github.com/google/go-containerregistry/cmd/crane"],
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
    {
        name: "cert-manager",
        group: "add-ons",
        version: "1.21.2",
        module: "cert-manager",
        packages: ["."],
        binary: "cert-manager",
        stamps: { [`${CERT_MANAGER}/pkg/util.AppVersion`]: "v1.21.2" },
        patched: [{ goModule: CERT_MANAGER, stead: { "pkg/issuer/acme/dns": "no-dns" } }],
        share: {
            "cert-manager-crds.yaml": [
                "acme.cert-manager.io_challenges",
                "acme.cert-manager.io_orders",
                "cert-manager.io_certificaterequests",
                "cert-manager.io_certificates",
                "cert-manager.io_clusterissuers",
                "cert-manager.io_issuers",
            ].map((name) => ({ goModule: CERT_MANAGER, file: `deploy/crds/${name}.yaml` })),
        },
    },
    {
        name: "acmesolver",
        group: "add-ons",
        version: "1.21.2",
        module: "cert-manager",
        packages: ["./acmesolver"],
    },
    {
        name: "traefik",
        group: "add-ons",
        version: "3.7.13",
        module: "traefik",
        packages: [`${TRAEFIK}/cmd/traefik`],
        stamps: { [`${TRAEFIK}/pkg/version.Version`]: "3.7.13" },
        patched: [
            {
                goModule: "github.com/go-acme/lego/v5",
                stead: { "providers/dns/zz_gen_dns_providers.go": "lego-dns/providers.go" },
            },
            {
                goModule: TRAEFIK,
                stead: {
                    "pkg/provider/ecs": "no-ecs",
                    "pkg/observability/logs/otel.go": "no-otlp-logs/otel.go",
                },
                // The access log has its own way to OTLP, left out likewise.
                edits: [
                    { from: '\t"go.opentelemetry.io/contrib/bridges/otellogrus"\n', to: "" },
                    {
                        from: "otelLoggerProvider, err := config.OTLP.NewLoggerProvider(ctx)",
                        to: "_, err := config.OTLP, logs.ErrNoOTLP",
                    },
                    {
                        from: 'logger.Hooks.Add(otellogrus.NewHook("traefik", otellogrus.WithLoggerProvider(otelLoggerProvider)))',
                        to: "",
                    },
                ].map((edit) => ({ file: "pkg/middlewares/accesslog/logger.go", ...edit })),
            },
        ],
        share: {
            "traefik-crds.yaml": [
                {
                    goModule: TRAEFIK,
                    file: "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml",
                },
            ],
        },
    },
    {
        name: "envoy-gateway",
        group: "test",
        version: "1.9.1",
        module: "envoy-gateway",
        go: GO_1_26,
        packages: ["github.com/envoyproxy/gateway/cmd/envoy-gateway"],
    },
    // The newest version that is a single Go module: since 1.0 each provider is a separate module, and no module proxy has them.
    {
        name: "external-secrets",
        group: "test",
        version: "0.20.4",
        module: "external-secrets",
        go: GO_1_26,
        packages: [EXTERNAL_SECRETS],
        patched: [
            {
                goModule: EXTERNAL_SECRETS,
                stead: {
                    "pkg/provider/register": "register-providers",
                    "pkg/generator/register": "register-generators",
                },
            },
        ],
        share: {
            "external-secrets-crds.yaml": [
                "external-secrets.io_clustersecretstores",
                "external-secrets.io_externalsecrets",
                "external-secrets.io_secretstores",
                "generators.external-secrets.io_generatorstates",
            ].map((name) => ({ goModule: EXTERNAL_SECRETS, file: `config/crds/bases/${name}.yaml` })),
        },
    },
    {
        name: "helm",
        group: "test",
        version: "4.3.1",
        module: "helm",
        packages: ["helm.sh/helm/v4/cmd/helm"],
        stamps: { "helm.sh/helm/v4/internal/version.version": "v4.3.1" },
        probe: ["version"],
    },
    {
        name: "pebble",
        group: "test",
        version: "2.10.3",
        module: "pebble",
        packages: ["github.com/letsencrypt/pebble/v2/cmd/pebble"],
    },
    {
        name: "vegeta",
        group: "test",
        version: "12.13.0",
        module: "vegeta",
        go: GO_1_26,
        packages: ["github.com/tsenart/vegeta/v12"],
        binary: "vegeta",
    },
    {
        name: "pulumi-resource-aws",
        group: "aws",
        version: "7.48.0",
        module: "pulumi-resource-aws",
        packages: ["."],
        binary: "pulumi-resource-aws",
        patched: [
            {
                goModule: "github.com/hashicorp/terraform-provider-aws",
                stead: {
                    "internal/conns/awsclient_gen.go": "cut/awsclient_gen.go",
                    "internal/provider/sdkv2/service_packages_gen.go": "cut/service_packages_gen.go",
                },
            },
        ],
        generate: { package: "./tfgen", args: (folder) => ["schema", "--out", folder] },
        overlay: ["schema.json", "bridge-metadata.json"].map((file) => ({ at: { file }, from: { generated: file } })),
    },
    {
        // `docker login` for the tests of a registry in ECR; main.go says why no more of it.
        name: "docker",
        group: "aws",
        version: "29.8.2",
        module: "docker",
        packages: ["."],
        binary: "docker",
    },
    {
        name: "moby",
        group: "compose",
        version: "2.0.0-beta.24",
        module: "moby",
        packages: ["dockerd", "docker-proxy"].map((name) => `${MOBY}/cmd/${name}`),
        stamps: { [`${MOBY}/dockerversion.Version`]: "2.0.0-beta.24" },
    },
    {
        name: "docker-compose",
        group: "compose",
        version: "5.6.0",
        module: "docker-compose",
        packages: [`${COMPOSE}/cmd`],
        binary: "docker-compose",
        stamps: { [`${COMPOSE}/internal.Version`]: "v5.6.0" },
    },
    {
        name: "cosign",
        group: "publish",
        version: "3.1.3",
        module: "cosign",
        packages: [`${COSIGN}/cmd/cosign`],
        stamps: { "sigs.k8s.io/release-utils/version.gitVersion": "v3.1.3" },
    },
    {
        // The tests of signatures in a cluster; `make publish` has no use for it.
        name: "policy-controller",
        group: "publish",
        version: "0.15.1",
        module: "policy-controller",
        packages: [`${POLICY_CONTROLLER}/cmd/webhook`],
        binary: "policy-controller",
        stamps: { "sigs.k8s.io/release-utils/version.gitVersion": "v0.15.1" },
        share: {
            "policy-controller.yaml": [
                "100-namespace",
                "200-serviceaccount",
                "200-role",
                "200-clusterrole",
                "201-rolebinding",
                "201-clusterrolebinding",
                "300-clusterimagepolicy",
                "300-trustroot",
                "400-webhook-service",
                "500-webhook-configuration",
                "501-policy-webhook-configurations",
                "config-observability",
                "config-logging",
                "config-leader-election",
                "config-image-policies",
                "config-sigstore-keys",
                "config-policy-controller",
                "webhook",
            ].map((name) => ({ goModule: POLICY_CONTROLLER, file: `config/${name}.yaml` })),
        },
    },
    {
        name: "syft",
        group: "publish",
        version: "1.57.1",
        module: "syft",
        packages: ["github.com/anchore/syft/cmd/syft"],
        stamps: { "main.version": "1.57.1" },
    },
    {
        // Newer ones name versions of their own modules that the module proxy does not have.
        name: "flux",
        group: "gitops",
        version: "1.9.1",
        module: "flux",
        go: GO_1_26,
        packages: [`${FLUX}/kustomize-controller`, `${FLUX}/source-controller`],
        share: {
            "flux-crds.yaml": [
                {
                    goModule: `${FLUX}/kustomize-controller`,
                    file: "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
                },
                ...[
                    "buckets",
                    "externalartifacts",
                    "gitrepositories",
                    "helmcharts",
                    "helmrepositories",
                    "ocirepositories",
                ].map((name) => ({
                    goModule: `${FLUX}/source-controller`,
                    file: `config/crd/bases/source.toolkit.fluxcd.io_${name}.yaml`,
                })),
            ],
        },
    },
    {
        // Pulumi in YAML for the tests of pulumi-package: it speaks to any CLI, so it keeps the packages that it was released with.
        name: "pulumi-language-yaml",
        group: "languages",
        version: "1.32.0",
        module: "pulumi-language-yaml",
        packages: ["github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"],
        stamps: { "github.com/pulumi/pulumi-yaml/pkg/version.Version": "v1.32.0" },
    },
    {
        // The same for Python. The script that runs the programs belongs to the SDK.
        name: "pulumi-language-python",
        group: "languages",
        version: "3.190.0",
        module: "pulumi-language-python",
        packages: ["github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3"],
        binary: "pulumi-language-python",
        share: {
            "pulumi-language-python-exec": [
                { goModule: "github.com/pulumi/pulumi/sdk/v3", file: "python/cmd/pulumi-language-python-exec" },
            ],
        },
    },
    {
        name: "actionlint",
        group: "workflows",
        version: "1.7.12",
        module: "actionlint",
        packages: ["github.com/rhysd/actionlint/cmd/actionlint"],
        stamps: { "github.com/rhysd/actionlint.version": "1.7.12" },
    },
    {
        name: "act",
        group: "workflows",
        version: "0.2.89",
        module: "act",
        packages: ["github.com/nektos/act"],
    },
    {
        name: "alertmanager",
        group: "monitoring",
        version: "0.35.0",
        module: "alertmanager",
        packages: [`${ALERTMANAGER}/cmd/alertmanager`],
        stamps: { "github.com/prometheus/common/version.Version": "0.35.0" },
        // The module comes without its built pages: this one has the API alone.
        patched: [
            {
                goModule: ALERTMANAGER,
                edits: [{ file: "ui/web.go", from: "//go:embed app/dist", to: "//go:embed web.go" }],
            },
        ],
    },
    {
        name: "blackbox-exporter",
        group: "monitoring",
        version: "0.28.0",
        module: "blackbox-exporter",
        packages: [BLACKBOX_EXPORTER],
        binary: "blackbox-exporter",
        stamps: { "github.com/prometheus/common/version.Version": "0.28.0" },
    },
    {
        // The newest version that module proxies have; its CRDs are in the module.
        name: "prometheus-operator",
        group: "operator",
        version: "0.92.1",
        module: "prometheus-operator",
        packages: [`${PROMETHEUS_OPERATOR}/cmd/operator`],
        binary: "prometheus-operator",
        stamps: { "github.com/prometheus/common/version.Version": "0.92.1" },
        share: {
            "prometheus-operator-crds.yaml": [
                "alertmanagerconfigs",
                "alertmanagers",
                "podmonitors",
                "probes",
                "prometheusagents",
                "prometheuses",
                "prometheusrules",
                "scrapeconfigs",
                "servicemonitors",
                "thanosrulers",
            ].map((name) => ({
                goModule: PROMETHEUS_OPERATOR,
                file: `example/prometheus-operator-crd/monitoring.coreos.com_${name}.yaml`,
            })),
            // Its deployment and the rights of a Prometheus, as its makers show them.
            "prometheus-operator.yaml": [
                ...["cluster-role", "cluster-role-binding", "deployment", "service-account"].map(
                    (name) => `prometheus-operator/prometheus-operator-${name}`,
                ),
                ...["cluster-role", "cluster-role-binding", "service-account"].map(
                    (name) => `prometheus/prometheus-${name}`,
                ),
            ].map((name) => ({ goModule: PROMETHEUS_OPERATOR, file: `example/rbac/${name}.yaml` })),
        },
    },
    {
        // Beside each Prometheus of the operator's: it makes the configuration whole, and has Prometheus read it again.
        name: "prometheus-config-reloader",
        group: "operator",
        version: "0.92.1",
        module: "prometheus-operator",
        packages: [`${PROMETHEUS_OPERATOR}/cmd/prometheus-config-reloader`],
        stamps: { "github.com/prometheus/common/version.Version": "0.92.1" },
    },
    {
        // Of services it discovers pods alone: the clients of all clouds are left out. Without its built pages, which the module lacks.
        name: "prometheus",
        group: "operator",
        version: "3.16.0",
        module: "prometheus",
        packages: ["promtool", "prometheus"].map((name) => `${PROMETHEUS}/cmd/${name}`),
        tags: ["remove_all_sd", "enable_kubernetes_sd"],
        stamps: { "github.com/prometheus/common/version.Version": "3.16.0" },
    },
    {
        name: "victoria-metrics",
        group: "monitoring",
        version: "1.151.0",
        module: "victoria-metrics",
        packages: ["vmalert-tool", "vmalert", "victoria-metrics"].map((name) => `${VICTORIA_METRICS}/app/${name}`),
        stamps: { [`${VICTORIA_METRICS}/lib/buildinfo.Version`]: "victoria-metrics-v1.151.0" },
    },
    {
        name: "victoria-logs",
        group: "monitoring",
        version: "1.52.1",
        module: "victoria-logs",
        packages: ["victoria-logs", "vlagent"].map((name) => `${VICTORIA_LOGS}/app/${name}`),
        stamps: { [`${VICTORIA_METRICS}/lib/buildinfo.Version`]: "victoria-logs-v1.52.1" },
    },
    {
        name: "otel-collector",
        group: "monitoring",
        version: "0.165.0",
        // main.go has the few parts that the monitoring uses.
        module: "otel-collector",
        packages: ["."],
        binary: "otel-collector",
        stamps: { "main.version": "0.165.0" },
    },
    {
        // With the parts that the documentation configures.
        name: "otel-collector-of-users",
        group: "operator",
        version: "0.165.0",
        module: "otel-collector",
        packages: ["./of-users"],
        binary: "otel-collector-of-users",
        stamps: { "main.version": "0.165.0" },
    },
];
