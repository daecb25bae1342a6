/** Every setting of a stack: the value of `orcheo:stack` in Pulumi.<stack>.yaml. docs/config.md is generated from it. */
import { z } from "zod";
import { cidr } from "./addresses";
import {
    choice,
    domain,
    gitUrl,
    hostName,
    imageSource,
    kind,
    labelKey,
    labelValue,
    name,
    oneOf,
    path,
    pinnedImage,
    semver,
    url,
    whole,
    words,
} from "./fields";
import { auth, canvas, api, worker, beat } from "./schema.apps";
import { aws } from "./schema.aws";
import { backup } from "./schema.backup";
import { cache, database } from "./schema.data";
import { entrance } from "./schema.entrance";
import { pods, serviceAccounts } from "./schema.pods";
import { secrets } from "./schema.secrets";
import { outbound, registry } from "./schema.surroundings";
import { extraObjects, transforms } from "./schema.transforms";

/** Where the canvas of release 0.33 is public; later front ends are not. */
export const publicCanvas = { url: "https://github.com/AI-Colleagues/orcheo.git", ref: "canvas-v0.16.0" };

const kubernetes = z
    .strictObject({
        context: words("the name of a context of the kubeconfig").describe(
            "Context of the kubeconfig to deploy to. Always named, so that no other cluster is ever changed.",
        ),
        kubeconfig: path().optional().describe("Kubeconfig file; default $KUBECONFIG, then ~/.kube/config."),
        namespace: name()
            .default("orcheo")
            .describe("Namespace. It holds the data: one that the stack made is kept by `pulumi destroy`."),
        namespaceKind: choice(["created", "existing"])
            .default("created")
            .describe(
                "`created`: the stack makes the namespace, protects it, and sets its quota. `existing`: it is there for Orcheo alone, enforces Pod Security `restricted`, and has its owner's quota.",
            ),
        clusterDomain: domain()
            .default("cluster.local")
            .describe(
                "DNS domain of the cluster (the kubelet's clusterDomain): in the names of the certificates and in NO_PROXY.",
            ),
        podUser: choice(["fixed", "assigned"])
            .default("fixed")
            .describe(
                "`fixed`: pods run with the images' uid, 1000. `assigned`: pods name no uid, group or fsGroup, for a platform that assigns them, such as OpenShift. Data keeps the uid that wrote it: choose before the first update.",
            ),
        adopt: words("the owner that a refusal named")
            .optional()
            .describe(
                "Former owner whose objects the stack takes over, exactly as the refusal named it; needed once, after a state was lost (docs/runbooks/lost-state.md).",
            ),
        podSecurityVersion: words("`latest` or a Kubernetes minor such as v1.37")
            .default("latest")
            .describe("Version of the Pod Security Standards enforced in the namespace."),
        admission: oneOf([
            z.strictObject({
                kind: kind("enforce"),
                registries: z
                    .array(imageSource())
                    .default([])
                    .describe(
                        "Where images of the namespace's pods may come from (`image-registry`): the stack's own, and those of what others start there, such as CloudNativePG or the solver of cert-manager. None allows all.",
                    ),
                warnOnly: z
                    .array(words("a rule of docs/policies.md that is enforced in the cluster"))
                    .default([])
                    .describe("Rules that only warn: those with an exception in orcheo:policyExceptions."),
            }),
            z.strictObject({ kind: kind("warn") }),
            z.strictObject({ kind: kind("off") }),
        ])
            .prefault({ kind: "enforce" })
            .describe(
                "Whether the cluster's API server holds pods in the namespace to docs/policies.md, whoever starts them. `warn` lets every pod in and tells; `off` is unsafe: only what Pulumi deploys is judged.",
            ),
        quota: z
            .strictObject({
                cpuRequestMillis: whole(100, 10_000_000)
                    .optional()
                    .describe(
                        "Sum of CPU requests, thousandths of a core; default what the workloads need at their peak, and a quarter more.",
                    ),
                memoryRequestMiB: whole(64, 100_000_000)
                    .optional()
                    .describe("Sum of memory requests, MiB; default likewise."),
                memoryLimitMiB: whole(64, 100_000_000)
                    .optional()
                    .describe("Sum of memory limits, MiB; default likewise."),
                ephemeralRequestMiB: whole(64, 100_000_000)
                    .optional()
                    .describe("Sum of the disk set aside on nodes, MiB; default likewise."),
                ephemeralLimitMiB: whole(64, 100_000_000)
                    .optional()
                    .describe("Sum of the disk that pods may fill on nodes, MiB; default likewise."),
                pods: whole(1, 100_000).optional().describe("Number of pods; default likewise."),
                storageGiB: whole(1, 1_000_000)
                    .optional()
                    .describe(
                        "Sum of the volumes, GiB; default what the volumes ask for, and as much again for a restore.",
                    ),
            })
            .prefault({})
            .describe("ResourceQuota of the namespace; refused when smaller than the workloads at their peak."),
    })
    .describe("The cluster.");

const canvasSource = oneOf([
    z.strictObject({
        kind: kind("git"),
        url: gitUrl().default(publicCanvas.url).describe("Repository that holds apps/canvas."),
        ref: words("a tag, branch or commit").default(publicCanvas.ref).describe("Tag or commit to build."),
    }),
    z.strictObject({ kind: kind("directory"), path: path().describe("Directory that holds apps/canvas.") }),
    z.strictObject({
        kind: kind("image"),
        ref: pinnedImage().describe("Ready image that keeps images/canvas' contract."),
    }),
]);

const images = oneOf([
    z.strictObject({
        kind: kind("build"),
        builder: words("the name of a buildx builder")
            .optional()
            .describe("Buildx builder; default the one buildx has selected."),
        platforms: z
            .array(choice(["linux/amd64", "linux/arm64"]))
            .max(2)
            .default([])
            .describe("Platforms to build; none builds the builder's own."),
        baseImage: words("an image reference")
            .default("debian:trixie-slim")
            .describe("Base of all images: Debian trixie."),
        caBundleFile: path()
            .optional()
            .describe(
                "PEM file of authorities that builds trust besides the usual, for networks that inspect TLS. A build secret: nothing of it stays in the image.",
            ),
        buildArgs: z
            .record(z.string(), z.string({ error: "a string" }))
            .default({})
            .describe("Further build arguments for every image, such as NPM_REGISTRY; never secrets."),
        sourceDateEpoch: whole(0, 4_102_444_800)
            .default(1_767_225_600)
            .describe(
                "Time stamp of everything in the images, seconds since 1970: the same input gives the same digest.",
            ),
        revision: words("a git commit")
            .default("unknown")
            .describe("Commit for the images' labels. Another value is another digest."),
        canvas: z
            .strictObject({
                source: canvasSource.prefault({ kind: "git" }).describe("Where the front end comes from."),
            })
            .prefault({})
            .describe("The canvas image."),
    }),
    z.strictObject({
        kind: kind("published"),
        backend: pinnedImage().describe("API, worker, beat and initialisation."),
        canvas: pinnedImage().describe("The front end."),
        postgres: pinnedImage().describe("PostgreSQL."),
        valkey: pinnedImage().describe("Valkey."),
        backup: pinnedImage().optional().describe("The dump; only where `backup` makes some."),
    }),
]).describe("Built by the stack, or published ones by digest.");

const network = z
    .strictObject({
        ingressNamespace: name()
            .default("traefik")
            .describe("Namespace of the ingress controller: the only one that may reach canvas and API."),
        ingressPodLabels: z
            .record(labelKey(), labelValue())
            .default({ "app.kubernetes.io/name": "traefik" })
            .describe("Labels of its pods."),
        ingressCidrs: z
            .array(cidr())
            .default([])
            .describe("Addresses of an ingress controller that runs outside the pod network (host network)."),
        dnsNamespace: name().default("kube-system").describe("Namespace of the cluster's DNS."),
        dnsPort: whole(1, 65_535)
            .default(53)
            .describe("Port of the DNS server's pods, which policies name, not that of its Service."),
        dnsCidrs: z
            .array(cidr())
            .default([])
            .describe(
                "Addresses of DNS servers that are no pods: NodeLocal DNSCache, or an existing cluster in EKS Auto Mode (the address of its kube-dns Service). A new one's are known.",
            ),
        privateCidrs: z
            .array(cidr())
            .default([])
            .describe(
                "Private ranges that workflows may reach; all others are refused. Addresses of machines and pods: a Service's own address is none of them, use peers.",
            ),
        peers: z
            .array(
                z.strictObject({
                    namespace: name(),
                    podLabels: z
                        .record(labelKey(), labelValue())
                        .refine((labels) => Object.keys(labels).length > 0, { error: "at least one label" }),
                    ports: z.array(whole(1, 65_535)).min(1, { error: "at least one port" }),
                }),
            )
            .default([])
            .describe(
                "Pods of the cluster that workflows may reach, such as a language model's: {namespace, podLabels, ports}. The ports are those of the pods (TCP), not of their Service.",
            ),
    })
    .prefault({})
    .describe("NetworkPolicies: everything not listed is refused.");

const tracing = z
    .strictObject({ otlpEndpoint: url().describe("OTLP over HTTP, such as https://otel.example.com/v1/traces.") })
    .optional()
    .describe("OpenTelemetry traces; off when left out.");

export const stackSchema = z.strictObject({
    kubernetes,
    registry,
    release: choice(["0.33", "0.46"])
        .default("0.33")
        .describe(
            "Generation of Orcheo. There is no upgrade in place from 0.33 to 0.46: the initialisation Job refuses it.",
        ),
    version: semver().describe("Version of this deployment's images: their tag."),
    images: images.prefault({ kind: "build" }),
    host: hostName().default("orcheo.localhost").describe("Public host name."),
    entrance,
    database,
    cache,
    api,
    worker,
    beat,
    canvas,
    auth,
    tracing,
    network,
    aws,
    backup,
    outbound,
    secrets,
    pods,
    serviceAccounts,
    transforms,
    extraObjects,
});

/** A stack's settings, defaults filled in. */
export type Stack = z.output<typeof stackSchema>;

/** The settings of one kind of database or cache. */
export type DatabaseOf<K extends Stack["database"]["kind"]> = Extract<Stack["database"], { kind: K }>;
export type CacheOf<K extends Stack["cache"]["kind"]> = Extract<Stack["cache"], { kind: K }>;

/** What the preflight looks at. */
export type Sections = Pick<
    Stack,
    | "kubernetes"
    | "registry"
    | "images"
    | "host"
    | "entrance"
    | "network"
    | "outbound"
    | "database"
    | "cache"
    | "aws"
    | "backup"
>;
