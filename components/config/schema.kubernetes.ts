/** Settings of the cluster and of the namespace. */
import { z } from "zod";
import { choice, domain, imageSource, kind, name, oneOf, path, whole, words } from "./fields";

export const kubernetes = z
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
                "Whether the API server enforces docs/policies.md on every pod in the namespace. `warn` accepts every pod and reports violations; `off` is unsafe: only resources that Pulumi deploys are evaluated.",
            ),
        quota: z
            .strictObject({
                cpuRequestMillis: whole(100, 10_000_000)
                    .optional()
                    .describe(
                        "Sum of CPU requests, thousandths of a core; default the workloads' needs at their peak plus 25 %.",
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
                    .describe("Sum of the volumes, GiB; default twice the size of the volumes, for a restore."),
            })
            .prefault({})
            .describe("ResourceQuota of the namespace; refused when smaller than the workloads at their peak."),
    })
    .describe("The cluster.");

export type Kubernetes = z.output<typeof kubernetes>;
