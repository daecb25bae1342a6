/** Pods inside custom resources: found by shape, with the path in the message, and nothing found where there are none. */
import { describe, expect, test } from "vitest";

import { evaluate } from "../../policies/evaluate.ts";
import { rules } from "../../policies/table.ts";
import { asResource } from "./cases.ts";
import { compliant, container, tokenOf, type Manifest, type Mutable } from "./pods.ts";

/** Messages of every rule that looks at one resource, by rule. */
function broken(manifest: Manifest): Map<string, string> {
    const resource = asResource({ type: tokenOf(manifest), name: manifest.metadata.name, props: manifest });
    const found = rules.flatMap((rule) =>
        rule.scope === "stack" ? [] : [[rule.name, evaluate(rule, resource).join("\n")] as const],
    );
    return new Map(found.filter(([, messages]) => messages !== ""));
}

function custom(apiVersion: string, kind: string, spec: Mutable): Manifest {
    return { apiVersion, kind, metadata: { name: "it", namespace: "shop" }, spec };
}

const podSpec = (main: Mutable, more: Mutable = {}): Mutable => {
    const spec = compliant("Job")["spec"] as { template: { spec: Mutable } };
    return { ...spec.template.spec, containers: [main], ...more };
};
const template = (main: Mutable, more: Mutable = {}): Mutable => ({
    metadata: { labels: { app: "it" } },
    spec: podSpec(main, more),
});
const securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };

/** Kind, where the pod stands in it, and the object around a container. `more` are fields of the pod, where it has any. */
const kinds: readonly (readonly [string, string, (main: Mutable, more: Mutable) => Manifest])[] = [
    [
        "Rollout",
        "spec.template.spec",
        (c, m) => custom("argoproj.io/v1alpha1", "Rollout", { template: template(c, m) }),
    ],
    [
        "ScaledJob",
        "spec.jobTargetRef.template.spec",
        (c, m) => custom("keda.sh/v1alpha1", "ScaledJob", { jobTargetRef: { template: template(c, m) } }),
    ],
    [
        "RayJob",
        "spec.rayClusterSpec.workerGroupSpecs[0].template.spec",
        (c, m) =>
            custom("ray.io/v1", "RayJob", { rayClusterSpec: { workerGroupSpecs: [{ template: template(c, m) }] } }),
    ],
    [
        "PyTorchJob",
        "spec.pytorchReplicaSpecs.Worker.template.spec",
        (c, m) =>
            custom("kubeflow.org/v1", "PyTorchJob", { pytorchReplicaSpecs: { Worker: { template: template(c, m) } } }),
    ],
    ["Notebook", "spec.template.spec", (c, m) => custom("kubeflow.org/v1", "Notebook", { template: template(c, m) })],
    [
        "JobSet",
        "spec.replicatedJobs[0].template.spec.template.spec",
        (c, m) =>
            custom("jobset.x-k8s.io/v1alpha2", "JobSet", {
                replicatedJobs: [{ name: "a", template: { spec: { template: template(c, m) } } }],
            }),
    ],
    [
        "LeaderWorkerSet",
        "spec.leaderWorkerTemplate.workerTemplate.spec",
        (c, m) =>
            custom("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", {
                leaderWorkerTemplate: { workerTemplate: template(c, m) },
            }),
    ],
    [
        "Job",
        "spec.tasks[0].template.spec",
        (c, m) => custom("batch.volcano.sh/v1alpha1", "Job", { tasks: [{ template: template(c, m) }] }),
    ],
    [
        "CloneSet",
        "spec.template.spec",
        (c, m) => custom("apps.kruise.io/v1alpha1", "CloneSet", { template: template(c, m) }),
    ],
    [
        "InferenceService",
        "spec.predictor",
        (c, m) => custom("serving.kserve.io/v1beta1", "InferenceService", { predictor: podSpec(c, m) }),
    ],
    [
        "Prometheus",
        "spec",
        (c, m) => custom("monitoring.coreos.com/v1", "Prometheus", { securityContext, containers: [c], ...m }),
    ],
    [
        "SidecarSet",
        "spec",
        (c, m) => custom("apps.kruise.io/v1alpha1", "SidecarSet", { securityContext, containers: [c], ...m }),
    ],
    [
        "Workflow",
        "spec.templates[0]",
        (c, m) =>
            custom("argoproj.io/v1alpha1", "Workflow", {
                securityContext,
                templates: [{ name: "a", container: c }],
                ...m,
            }),
    ],
    [
        "CronWorkflow",
        "spec.workflowSpec.templates[0]",
        (c, m) =>
            custom("argoproj.io/v1alpha1", "CronWorkflow", {
                workflowSpec: {
                    securityContext,
                    templates: [{ name: "a", script: { ...c, source: "print(1)" } }],
                    ...m,
                },
            }),
    ],
    [
        "WorkflowTemplate",
        "spec.templates[0].containerSet",
        (c, m) =>
            custom("argoproj.io/v1alpha1", "WorkflowTemplate", {
                securityContext,
                templates: [{ name: "a", containerSet: { containers: [c] } }],
                ...m,
            }),
    ],
    [
        "TaskRun",
        "spec.taskSpec",
        (c, m) =>
            custom("tekton.dev/v1", "TaskRun", {
                podTemplate: { securityContext, ...m },
                taskSpec: { steps: [{ ...c, resources: undefined, computeResources: c["resources"] }] },
            }),
    ],
    [
        "PipelineRun",
        "spec.pipelineSpec.tasks[0].taskSpec",
        (c, m) =>
            custom("tekton.dev/v1", "PipelineRun", {
                taskRunTemplate: { podTemplate: { securityContext, ...m } },
                pipelineSpec: { tasks: [{ name: "a", taskSpec: { sidecars: [c] } }] },
            }),
    ],
    [
        "SparkApplication",
        "spec.driver",
        (c, m) =>
            custom("sparkoperator.k8s.io/v1beta2", "SparkApplication", {
                image: c["image"],
                driver: { cores: 1, securityContext: c["securityContext"], ...m },
            }),
    ],
    [
        "Object",
        "spec.forProvider.manifest.spec.template.spec",
        (c, m) =>
            custom("kubernetes.crossplane.io/v1alpha2", "Object", {
                forProvider: {
                    manifest: { apiVersion: "apps/v1", kind: "Deployment", spec: { template: template(c, m) } },
                },
            }),
    ],
    [
        "DeploymentRuntimeConfig",
        "spec.deploymentTemplate.spec.template.spec",
        (c, m) =>
            custom("pkg.crossplane.io/v1beta1", "DeploymentRuntimeConfig", {
                deploymentTemplate: { spec: { template: template(c, m) } },
            }),
    ],
    [
        "ManifestWork",
        "spec.workload.manifests[0].spec",
        (c, m) =>
            custom("work.open-cluster-management.io/v1", "ManifestWork", {
                workload: { manifests: [{ apiVersion: "v1", kind: "Pod", spec: podSpec(c, m) }] },
            }),
    ],
];

describe.each(kinds)("%s at %s", (kind, path, around) => {
    test("passes where its pod does", () => {
        expect(broken(around(container("main"), {}))).toEqual(new Map());
    });
    test("is refused for a privileged container, by its path", () => {
        const main = container("main");
        main["securityContext"] = { ...(main["securityContext"] as Mutable), privileged: true };
        const found = broken(around(main, {}));
        expect([...found.keys()]).toEqual(["no-privileged-containers"]);
        expect(found.get("no-privileged-containers")).toContain(`${kind} "it" (${path}), container "`);
    });
    test("is refused for the node's network", () => {
        const found = broken(around(container("main"), { hostNetwork: true }));
        expect([...found.keys()]).toEqual(["no-host-namespaces"]);
        expect(found.get("no-host-namespaces")).toContain(`${kind} "it" (spec`);
    });
});

test("a container that an operator creates needs an image by digest; its other fields are the operator's", () => {
    const given = custom("opentelemetry.io/v1beta1", "OpenTelemetryCollector", { image: "otel:1", command: ["otel"] });
    expect([...broken(given).keys()]).toEqual(["image-by-digest"]);
    const patched = { podTemplate: { spec: { containers: [{ name: "elasticsearch", resources: { limits: {} } }] } } };
    expect(broken(custom("elasticsearch.k8s.elastic.co/v1", "Elasticsearch", { nodeSets: [patched] }))).toEqual(
        new Map(),
    );
});

const bad = { name: "main", image: "nginx", securityContext: { privileged: true } };
test.each([
    ["Crossplane's Deployment", custom("devops.example.com/v1", "Deployment", { stage: "prod" })],
    ["another group's Job", custom("jobs.example.com/v1", "Job", { template: "nightly" })],
    ["another group's Namespace", custom("tenancy.example.com/v1", "Namespace", {})],
    ["another group's budget", custom("x.example.com/v1", "PodDisruptionBudget", { maxUnavailable: 0 })],
    ["another group's Ingress", custom("config.example.com/v1", "Ingress", { domain: "a.example.com" })],
    ["another group's Service", custom("serving.knative.dev/v1", "Service", { type: "LoadBalancer" })],
    ["another group's ClusterRole", { ...custom("x.example.com/v1", "ClusterRole", {}), rules: [{ verbs: ["*"] }] }],
    [
        "Kyverno's pattern",
        custom("kyverno.io/v1", "ClusterPolicy", {
            rules: [{ validate: { pattern: { spec: { containers: [bad] } } } }],
        }),
    ],
    [
        "Gatekeeper's template",
        custom("mutations.gatekeeper.sh/v1", "Assign", { parameters: { assign: { value: bad } } }),
    ],
    [
        "an autoscaler on one container",
        custom("autoscaling/v2", "HorizontalPodAutoscaler", {
            metrics: [{ type: "ContainerResource", containerResource: { name: "cpu", container: "main" } }],
        }),
    ],
    ["a monitor", custom("monitoring.coreos.com/v1", "PodMonitor", { podMetricsEndpoints: [{ port: "web" }] })],
    [
        "a vertical autoscaler",
        custom("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", {
            resourcePolicy: { containerPolicies: [{ containerName: "main", minAllowed: { cpu: 1 } }] },
        }),
    ],
    [
        "names of containers",
        custom("apps.kruise.io/v1alpha1", "ContainerRecreateRequest", { containers: [{ name: "main" }] }),
    ],
    [
        "steps of a rollout",
        custom("argoproj.io/v1alpha1", "Rollout", { strategy: { canary: { steps: [{ setWeight: 20 }] } } }),
    ],
    [
        "a cloud's containers",
        custom("run.cnrm.cloud.google.com/v1beta1", "RunService", { template: { containers: [bad] } }),
    ],
    [
        "a schema",
        custom("apiextensions.k8s.io/v1", "CustomResourceDefinition", {
            versions: [{ schema: { openAPIV3Schema: { default: { containers: [bad] } } } }],
        }),
    ],
    [
        "a schema of Crossplane",
        custom("apiextensions.crossplane.io/v1", "CompositeResourceDefinition", {
            versions: [{ schema: { openAPIV3Schema: { default: { containers: [bad] } } } }],
        }),
    ],
    ["a status", { ...custom("x.example.com/v1", "App", {}), status: { containers: [bad] } }],
    [
        "a history of another controller",
        { ...custom("apps/v1", "ControllerRevision", {}), data: { spec: { containers: [bad] } } },
    ],
])("%s is no pod", (_, manifest) => {
    expect(broken(manifest)).toEqual(new Map());
});

test("a kind named like a member of JavaScript's objects is searched like any other", () => {
    const found = broken({ ...custom("v1", "toString", { template: { spec: { containers: [bad] } } }) });
    expect(found.get("no-privileged-containers")).toContain('toString "it" (spec.template.spec)');
});

test("the search is bounded, and reports what it skipped", () => {
    let deep: Mutable = { containers: [bad] };
    for (let level = 0; level < 100; level++) deep = { inner: deep };
    expect(broken(custom("x.example.com/v1", "App", deep)).get("readable-pod-template")).toContain(
        'App "it" is too deep or too large to be searched for pods',
    );
    const cyclic: Mutable = { containers: [bad] };
    cyclic["self"] = cyclic;
    expect([...broken(custom("x.example.com/v1", "App", cyclic)).keys()]).toContain("no-privileged-containers");
});

test("lists are unpacked for every rule, whatever they contain", () => {
    const item = { metadata: { name: "i" }, spec: { type: "LoadBalancer" } };
    const services = { apiVersion: "v1", kind: "ServiceList", metadata: { name: "all" }, items: [item] };
    expect(broken(services).get("service-type")).toContain('Service "i": type is LoadBalancer');
    const mixed = { ...services, kind: "List", items: [{ apiVersion: "v1", kind: "Service", ...item }, services] };
    expect(broken(mixed).get("service-type")?.split("\n")).toHaveLength(2);
});
