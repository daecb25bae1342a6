/** Fields and objects that no setting covers: what is accepted reaches the object, what weakens it is refused. */
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { parseStack } from "../../../components/stack/read";
import { transformedKinds } from "../../../components/config/schema.transforms";
import type { Problem } from "../../../components/config/problems";
import { resourceName, typeToken } from "../../../components/stack/extra-objects.plan";
import { acceptedFields, isMeant, patched, type Transform } from "../../../components/stack/transforms.plan";
import { run, runBoth, settingsOf, type Registered } from "../../harness";

const problemsOf = (more: object): readonly Problem[] =>
    parseStack({ stack: "dev", keys: [], json: JSON.stringify({ ...settingsOf("dev"), ...more }), secret: false })
        .problems;
const transform = (kind: string, patch: object, name?: string) => ({
    kind,
    patch,
    ...(name !== undefined && { name }),
});
const pod = (spec: object) => ({ spec: { template: { spec } } });
const container = (fields: object) => pod({ containers: { api: fields } });

describe("a patch", () => {
    it.each([
        [
            "host names of an internal server",
            "Deployment",
            pod({ hostAliases: [{ ip: "10.1.2.3", hostnames: ["llm"] }] }),
        ],
        [
            "a probe's patience",
            "StatefulSet",
            pod({ containers: { postgres: { livenessProbe: { timeoutSeconds: 9 } } } }),
        ],
        ["a volume of a CSI driver", "Deployment", pod({ volumes: { own: { csi: { driver: "x.example.com" } } } })],
        ["labels of the object", "Service", { metadata: { labels: { team: "a" } } }],
        [
            "pod annotations",
            "Deployment",
            { spec: { template: { metadata: { annotations: { "x.example.com/a": "b" } } } } },
        ],
        ["a scaling behaviour", "HorizontalPodAutoscaler", { spec: { behavior: { scaleDown: { policies: [] } } } }],
        ["a Gateway's infrastructure", "Gateway", { spec: { infrastructure: { labels: { team: "a" } } } }],
    ])("may set %s", (_, kind, patch) => {
        expect(problemsOf({ transforms: [transform(kind, patch)] })).toEqual([]);
    });

    it.each([
        ["a container's user", "Deployment", container({ securityContext: { runAsUser: 0 } }), "securityContext"],
        [
            "a writable root",
            "Deployment",
            container({ securityContext: { readOnlyRootFilesystem: false } }),
            "securityContext",
        ],
        ["the pod's security", "StatefulSet", pod({ securityContext: null }), "securityContext"],
        ["the host's network", "Deployment", pod({ hostNetwork: true }), "hostNetwork"],
        [
            "the host's processes",
            "CronJob",
            { spec: { jobTemplate: { spec: { template: { spec: { hostPID: true } } } } } },
            "hostPID",
        ],
        ["a token", "Deployment", pod({ automountServiceAccountToken: true }), "automountServiceAccountToken"],
        ["another identity", "Job", pod({ serviceAccountName: "default" }), "serviceAccountName"],
        ["another image", "Deployment", container({ image: "nginx" }), "image"],
        ["another command", "Deployment", container({ command: ["sh"] }), "command"],
        ["no limits", "Deployment", container({ resources: null }), "resources"],
        ["no probe", "Deployment", container({ readinessProbe: null }), "readinessProbe"],
        [
            "another probe",
            "Deployment",
            container({ readinessProbe: { exec: { command: ["true"] } } }),
            "readinessProbe.exec",
        ],
        ["no patience at all", "Deployment", container({ livenessProbe: { timeoutSeconds: "9" } }), "timeoutSeconds"],
        ["a list of containers", "Deployment", pod({ containers: [{ name: "api" }] }), "containers"],
        ["a directory of the node", "Deployment", pod({ volumes: { own: { hostPath: { path: "/" } } } }), "hostPath"],
        ["a token's volume", "Deployment", pod({ volumes: { own: { projected: { sources: [] } } } }), "projected"],
        ["no spread", "Deployment", pod({ topologySpreadConstraints: null }), "topologySpreadConstraints"],
        ["selectors", "Deployment", { spec: { selector: { matchLabels: { a: "b" } } } }, "selector"],
        ["replicas", "Deployment", { spec: { replicas: 0 } }, "replicas"],
        ["environment", "Deployment", container({ env: { ORCHEO_AUTH_MODE: { value: "off" } } }), "env"],
        [
            "the selector's labels",
            "Deployment",
            { metadata: { labels: { "app.kubernetes.io/name": "x" } } },
            '"app.kubernetes.io/name"',
        ],
        ["the owner", "Service", { metadata: { annotations: { "orcheo.dev/owner": "x" } } }, '"orcheo.dev/owner"'],
        [
            "Pulumi's behaviour",
            "Deployment",
            { metadata: { annotations: { "pulumi.com/patchForce": "false" } } },
            '"pulumi.com/patchForce"',
        ],
        ["a load balancer", "Service", { spec: { type: "LoadBalancer" } }, "spec.type"],
        [
            "plain http",
            "Ingress",
            { metadata: { annotations: { "traefik.ingress.kubernetes.io/router.entrypoints": "web" } } },
            "entrypoints",
        ],
        [
            "an open load balancer",
            "Ingress",
            { metadata: { annotations: { "alb.ingress.kubernetes.io/scheme": "internet-facing" } } },
            "scheme",
        ],
        [
            "nginx' snippets",
            "Ingress",
            { metadata: { annotations: { "nginx.ingress.kubernetes.io/configuration-snippet": "x" } } },
            "snippet",
        ],
        ["rules of an Ingress", "Ingress", { spec: { tls: null } }, "spec"],
        [
            "a cloud's role",
            "ServiceAccount",
            { metadata: { annotations: { "eks.amazonaws.com/role-arn": "x" } } },
            "role-arn",
        ],
        [
            "an unconfined profile",
            "Deployment",
            {
                spec: {
                    template: {
                        metadata: {
                            annotations: { "container.apparmor.security.beta.kubernetes.io/api": "unconfined" },
                        },
                    },
                },
            },
            "apparmor",
        ],
        ["names and namespaces", "Deployment", { metadata: { namespace: "kube-system" } }, "namespace"],
        ["nothing", "Deployment", {}, "patch"],
    ])("may not set %s", (_, kind, patch, at) => {
        const problems = problemsOf({ transforms: [transform(kind, patch)] });
        expect(problems.map((problem) => problem.at)).toEqual([expect.stringContaining(at)]);
        expect(problems[0]?.remedy).toMatch(/accepted|use orcheo:stack/);
    });

    it("of a kind that protects others is refused, whatever it sets", () => {
        for (const kind of [
            "NetworkPolicy",
            "Namespace",
            "Secret",
            "ResourceQuota",
            "ValidatingAdmissionPolicy",
            "Role",
        ])
            expect(
                problemsOf({ transforms: [transform(kind, { metadata: { labels: { a: "b" } } })] }),
                kind,
            ).toHaveLength(1);
    });

    it("is merged by RFC 7386, lists of named items by name, through values that are not known yet", async () => {
        const wrong: string[] = [];
        const target = {
            metadata: { labels: pulumi.output({ a: "1" }) },
            spec: {
                template: {
                    spec: { containers: [{ name: "api", image: "i" }, { name: "x" }], volumes: [{ name: "tls" }] },
                },
            },
        };
        const patch = {
            metadata: { labels: { b: "2" } },
            spec: {
                template: {
                    spec: {
                        containers: { api: { lifecycle: { a: 1 } }, web: {} },
                        volumes: { own: { csi: {} }, tls: {} },
                    },
                },
            },
        };
        const result = patched(target, { kind: "Deployment", patch }, (found, names) =>
            wrong.push(`${found}: ${names.join()}`),
        );
        const plain = await new Promise((done) => pulumi.output(result as Record<string, string>).apply(done));
        expect(plain).toMatchObject({
            metadata: { labels: { a: "1", b: "2" } },
            spec: {
                template: { spec: { containers: [{ name: "api", image: "i", lifecycle: { a: 1 } }, { name: "x" }] } },
            },
        });
        expect(plain).toHaveProperty("spec.template.spec.volumes", [
            { name: "tls" },
            { name: "own", csi: {} },
            { name: "tls" },
        ]);
        expect(wrong).toEqual(['has no "web": api,x', 'has a "tls" of its own: tls']);
    });
});

describe("a patch is read to the letter", () => {
    const at = (path: string) => `orcheo:stack.transforms[0].patch.${path}`;
    const annotations = (value: unknown) => ({ metadata: { annotations: { "x.example.com/a": value } } });
    it.each<[string, object, string | undefined]>([
        ["no wait at all", { spec: { minReadySeconds: 0 } }, undefined],
        ["a negative wait", { spec: { minReadySeconds: -1 } }, at("spec.minReadySeconds")],
        ["part of a second", { spec: { minReadySeconds: 0.5 } }, at("spec.minReadySeconds")],
        ["a text", annotations("1"), undefined],
        ["a number instead", annotations(1), at('metadata.annotations["x.example.com/a"]')],
        ["something that is removed", pod({ affinity: { podAffinity: null } }), at("spec.template.spec.affinity")],
        ["something in a list", pod({ tolerations: [{ key: null }] }), at("spec.template.spec.tolerations")],
        ["a field of every object", { constructor: {} }, at("constructor")],
    ])("%s", (_, patch, refused) => {
        const problems = problemsOf({ transforms: [transform("Deployment", patch)] });
        expect(problems.map((problem) => problem.at)).toEqual(refused === undefined ? [] : [refused]);
    });

    it("names the setting where there is one, the likely field, and the fields that there are", () => {
        const remedy = (patch: object) => problemsOf({ transforms: [transform("Deployment", patch)] })[0]?.remedy;
        expect(remedy({ spec: { replicas: 2 } })).toBe("use orcheo:stack.replicas or scaling of the workload");
        expect(remedy({ spec: { minReadySecond: 2 } })).toMatch(
            /^did you mean "minReadySeconds"\? accepted here: minR/,
        );
        expect(remedy({ spec: { zzz: 2 } })).toMatch(/^accepted here: minReadySeconds, /);
    });

    it.each([
        [{ kind: "Service" }, true],
        [{ kind: "Service", name: "api" }, true],
        [{ kind: "Service", name: "web" }, false],
        [{ kind: "Job" }, false],
        [{ kind: "Job", name: "api" }, false],
    ] as const)("and %j is meant for the Service api: %s", (of, meant) => {
        expect(isMeant({ ...of, patch: {} }, { kind: "Service", names: ["backend", "api"] })).toBe(meant);
    });
});

const ofKind = (resources: readonly Registered[], kind: string) =>
    resources.filter(({ type }) => type.endsWith(`:${kind}`));
const dev = (more: object) => ({ stack: "dev" as const, settings: { ...settingsOf("dev"), ...more } });
const aliases = pod({ hostAliases: [{ ip: "10.1.2.3", hostnames: ["llm"] }] });

describe("the program", () => {
    it("patches one object, or all of a kind, and no other", async () => {
        const transforms: Pick<Transform, "kind" | "name" | "patch">[] = [
            { kind: "Deployment", name: "worker", patch: aliases },
            { kind: "Job", name: "init", patch: aliases },
            { kind: "Service", patch: { metadata: { labels: { team: "a" } } } },
        ];
        const { resources } = await runBoth(dev({ transforms }));
        // The record of updates holds the settings themselves.
        const patchedNames = resources.filter(
            ({ name, inputs }) => name !== "updates" && JSON.stringify(inputs).includes("hostAliases"),
        );
        expect(patchedNames.map(({ type }) => type).sort()).toEqual([
            "kubernetes:apps/v1:Deployment",
            "kubernetes:batch/v1:Job",
        ]);
        for (const { inputs } of ofKind(resources, "Service"))
            expect(inputs).toMatchObject({
                metadata: { labels: { team: "a", "app.kubernetes.io/part-of": "orcheo" } },
            });
    });

    it("refuses a patch that meets nothing, in the preview too", async () => {
        const transforms = [
            { kind: "Deployment", name: "wroker", patch: aliases },
            {
                kind: "Deployment",
                name: "api",
                patch: pod({ containers: { web: { lifecycle: {} } } }),
            },
        ];
        for (const preview of [true, false]) {
            const { error } = await run(dev({ transforms }), preview);
            expect(error).toMatch(/transforms\[0\]: the stack has no Deployment "wroker"; accepted: .*worker/);
            expect(error).toMatch(/transforms\[1\]\.patch: Deployment "api" has no "web"; its own are api/);
        }
    });

    it("declares extra objects in its namespace, marked and labelled as its own, and keeps their volumes", async () => {
        const extraObjects = [
            { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "notes" }, data: { owner: "team" } },
            { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "models" }, spec: {} },
        ];
        const { resources } = await runBoth(dev({ extraObjects }));
        const found = resources.filter(({ name }) => name.startsWith("extra-"));
        expect(found.map(({ type, options }) => [type, options.protect, options.retainOnDelete]).sort()).toEqual([
            ["kubernetes:core/v1:ConfigMap", false, false],
            ["kubernetes:core/v1:PersistentVolumeClaim", true, true],
        ]);
        for (const { inputs } of found)
            expect(inputs["metadata"]).toMatchObject({
                namespace: "orcheo",
                annotations: { "orcheo.dev/owner": expect.stringContaining("organization/orcheo/dev/") as string },
                labels: { "app.kubernetes.io/instance": "orcheo-dev" },
            });
    });

    it("refuses an extra object that is one of its own", async () => {
        const extraObjects = [{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "api" }, spec: {} }];
        const { error } = await run(dev({ extraObjects }), true);
        expect(error).toContain('Deployment "api" is the stack\'s own object');
    });

    it("labels every object of the cluster with its instance, and selects by it nowhere", async () => {
        const { resources } = await runBoth({ stack: "dev" });
        const objects = resources.filter(({ type }) => type.startsWith("kubernetes:"));
        expect(objects.length).toBeGreaterThan(50);
        for (const { inputs, type, name } of objects) {
            expect(inputs, `${type} ${name}`).toHaveProperty(
                ["metadata", "labels", "app.kubernetes.io/instance"],
                "orcheo-dev",
            );
            const { metadata, ...rest } = inputs;
            expect(metadata).toBeDefined();
            expect(JSON.stringify(rest)).not.toContain("app.kubernetes.io/instance");
        }
    });
});

describe("an extra object", () => {
    const object = (more: object) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, ...more });
    it.each([
        ["a Secret in plain config", object({ kind: "Secret" }), ".kind"],
        [
            "an object of the whole cluster",
            object({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding" }),
            ".kind",
        ],
        ["another namespace", object({ metadata: { name: "a", namespace: "kube-system" } }), ".metadata.namespace"],
        ["no name", object({ metadata: {} }), ".metadata.name"],
        ["no kind", { apiVersion: "v1", metadata: { name: "a" } }, ".kind"],
        ["a list", object({ kind: "List" }), ".kind"],
        ["no version", object({ apiVersion: undefined }), ".apiVersion"],
        ["a status", object({ status: {} }), ".status"],
    ])("with %s is refused", (_, given, at) => {
        const problems = problemsOf({ extraObjects: [given] });
        expect(problems.map((problem) => problem.at)).toEqual([`orcheo:stack.extraObjects[0]${at}`]);
    });

    it.each([
        ...["v1", "apps/v1", "example.com/v1beta12", "a-b.example.com/v10"].map((apiVersion) => ({ apiVersion })),
        ...["orcheo"].map((namespace) => ({ metadata: { name: "a", namespace } })),
        ...["a", "a.b-c", "0", "a".repeat(253)].map((name) => ({ metadata: { name } })),
    ])("with %j is accepted", (more) => {
        expect(problemsOf({ extraObjects: [object(more)] })).toEqual([]);
    });

    it.each([
        ...["1", "V1", "v1x", "v", "v1beta", "apps/", "a b/v1", "v1/", 1].map(
            (value) => ["apiVersion", value] as const,
        ),
        ...["configMap", "Config Map", "ConfigMapList", "", 1].map((value) => ["kind", value] as const),
        ...["-a", "a-", "A", "a b", "", "a".repeat(254), 1].map((value) => ["metadata.name", value] as const),
    ])("with %s %j is refused with the value", (key, value) => {
        const given = key === "metadata.name" ? { metadata: { name: value } } : { [key]: value };
        const [problem, ...more] = problemsOf({ extraObjects: [object(given)] });
        expect([problem?.at, problem?.found]).toEqual([
            `orcheo:stack.extraObjects[0].${key}`,
            `found ${JSON.stringify(value)}`,
        ]);
        expect(more).toEqual([]);
    });

    it("has the type of Pulumi's provider and its own name", () => {
        const named = (apiVersion: string) => ({ apiVersion, kind: "Role", metadata: { name: "a" } });
        expect([typeToken(named("v1")), resourceName(named("v1"))]).toEqual([
            "kubernetes:core/v1:Role",
            "extra--Role-a",
        ]);
        expect([typeToken(named("x.io/v1")), resourceName(named("x.io/v1"))]).toEqual([
            "kubernetes:x.io/v1:Role",
            "extra-x.io-Role-a",
        ]);
    });

    it("is given once", () => {
        expect(problemsOf({ extraObjects: [object({}), object({})] }).map(({ at }) => at)).toEqual([
            "orcheo:stack.extraObjects[1].metadata.name",
        ]);
    });
});

it("every field that a patch may set is in docs/kubernetes.md", () => {
    const [, section = ""] = readFileSync("docs/kubernetes.md", "utf8").split(
        "## Fields and objects without a setting",
    );
    for (const kind of transformedKinds) {
        expect(section).toContain(kind);
        for (const field of acceptedFields(kind))
            expect(section, field).toContain(`\`${field.split(".").at(-1) ?? ""}\``);
    }
});
