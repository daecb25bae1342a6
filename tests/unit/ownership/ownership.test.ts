/** Nothing that another owner has is taken over, and what others have changed on our objects is said. */
import { describe, expect, it, vi } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { ClusterError, type KubernetesObject } from "../../../components/kubernetes/cluster-api";
import { recordedOf, type Recorded, type RecordedObject } from "../../../components/kubernetes/recorded.plan";
import {
    forcedOf,
    forceKey,
    leastReplicas,
    mayBeOverridden,
    overrideMessage,
    overridesOf,
    reappliedKey,
    reappliedOf,
    replicasToSet,
} from "../../../components/ownership/overrides.plan";
import {
    adoptionOf,
    declaredTwice,
    foreignOwner,
    namesOf,
    ownerKey,
    ownershipProblems,
    unmarked,
} from "../../../components/ownership/ownership.plan";
import { controllers, fakeCluster, type FakeObject } from "../../fake-cluster";
import { run, runBoth, settingsOf, stackId, type Registered } from "../../harness";

const other = "organization/orcheo/other/99999999-0000-0000-0000-000000000000";
const own = `organization/orcheo/dev/${stackId}`;

const object = (apiVersion: string, kind: string, name: string, mark?: string, namespace?: string): FakeObject => ({
    apiVersion,
    kind,
    metadata: {
        name,
        namespace,
        uid: `uid-of-${kind}-${name}`,
        ...(mark !== undefined && { annotations: { [ownerKey]: mark } }),
    },
});
const namespaced = (kind: string, name: string, mark?: string) => object("apps/v1", kind, name, mark, "orcheo");
const namespace = (mark?: string) => object("v1", "Namespace", "orcheo", mark);
const recordedObject = (of: FakeObject, more: Partial<RecordedObject> = {}): RecordedObject => ({
    urn: "urn",
    apiVersion: of.apiVersion,
    kind: of.kind,
    name: of.metadata.name,
    namespace: of.metadata.namespace,
    uid: of.metadata.uid,
    inputs: {},
    ...more,
});
const nothing: Recorded = { id: undefined, objects: [] };
const probesOf = (objects: readonly FakeObject[], recorded: Recorded = nothing) => ({
    cluster: () => Promise.resolve(fakeCluster([...controllers, ...objects])),
    recorded: () => Promise.resolve(recorded),
});

const metadataOf = ({ inputs }: Registered) =>
    inputs["metadata"] as { name?: string; annotations?: Record<string, string> };

describe("an object belongs to this stack", () => {
    const marked = { id: stackId, objects: [] };
    it.each([
        ["with its mark", namespace(own), marked, undefined],
        ["with the mark of another stack", namespace(other), marked, other],
        // The same names, and another state: a second copy, or a lost one.
        ["with the mark of a stack of its name", namespace(own), nothing, own],
        ["after the stack was renamed", namespace(own.replace("/dev/", "/was/")), marked, undefined],
        ["without a mark, unless the state has it", namespace(), marked, "an owner that it does not name"],
        [
            "of an older release, by its uid in the state",
            namespace(),
            { id: undefined, objects: [recordedObject(namespace())] },
            undefined,
        ],
    ])("%s", (_, found, recorded, owner) => {
        expect(foreignOwner(found, recorded)).toBe(owner);
    });

    it("of an older release, unless a second stack has applied fields to it since", () => {
        const managedFields = [{ manager: "pulumi-kubernetes-a" }, { manager: "pulumi-kubernetes-b" }];
        const found = { ...namespace(), metadata: { ...namespace().metadata, managedFields } };
        const recorded = { id: undefined, objects: [recordedObject(found, { fieldManager: "pulumi-kubernetes-a" })] };
        expect(foreignOwner(found, recorded)).toContain("more than one Pulumi stack");
        const [{ found: said, remedy } = { found: "", remedy: "" }] = ownershipProblems(
            [{ object: found, owner: foreignOwner(found, recorded) ?? "" }],
            undefined,
            "u1",
        );
        expect(said).toContain("Namespace orcheo exists and belongs to more than one");
        expect(remedy).toContain("never `pulumi destroy` the stack that is not to have them");
        expect(remedy).toContain('orcheo:stack.kubernetes.adopt: "uid:u1"');
    });

    it("as in the state that the engine reports", () => {
        const outputs = {
            "urn:pulumi:dev::orcheo::orcheo:index:Ownership$random:index/randomUuid:RandomUuid::ownership": {
                type: "random:index/randomUuid:RandomUuid",
                outputs: { result: stackId },
            },
            "urn:pulumi:dev::orcheo::random:index/randomUuid:RandomUuid::other": {
                type: "random:index/randomUuid:RandomUuid",
                outputs: { result: "another" },
            },
            "urn:pulumi:dev::orcheo::kubernetes:core/v1:Namespace::n": {
                type: "kubernetes:core/v1:Namespace",
                outputs: {
                    apiVersion: "v1",
                    kind: "Namespace",
                    metadata: { name: "orcheo", uid: "u" },
                    __fieldManager: "pulumi-kubernetes-a",
                    __inputs: { spec: {} },
                },
            },
        };
        expect(recordedOf(outputs)).toEqual({
            id: stackId,
            objects: [
                {
                    ...{ urn: Object.keys(outputs)[2], apiVersion: "v1", kind: "Namespace", name: "orcheo" },
                    ...{ namespace: undefined, uid: "u", fieldManager: "pulumi-kubernetes-a", inputs: { spec: {} } },
                },
            ],
        });
    });
});

describe("an object of an older release", () => {
    const at = (uid: string | undefined, ...managers: string[]): KubernetesObject => ({
        metadata: { name: "orcheo", uid, managedFields: managers.map((manager) => ({ manager })) },
    });
    const state = (uid: string | undefined, fieldManager?: string): Recorded => ({
        id: stackId,
        objects: [recordedObject(namespace(), { uid, fieldManager })],
    });
    const [a, b] = ["pulumi-kubernetes-a", "pulumi-kubernetes-b"];
    it.each<[string, KubernetesObject, Recorded, string | undefined]>([
        ["that was deleted and made again by others", at("new"), state("old"), unmarked],
        ["whose uid nobody knows", at(undefined), state(undefined), unmarked],
        ["with fields of kubectl and of controllers", at("u", a, "kubectl", "kubelet"), state("u", a), undefined],
        ["whose own manager the state does not name", at("u", b), state("u"), undefined],
        [
            "with fields of another stack",
            at("u", a, b),
            state("u", a),
            "more than one Pulumi stack of an older release",
        ],
    ])("%s", (_, found, recorded, owner) => {
        expect(foreignOwner(found, recorded)).toBe(owner);
    });

    it("is adopted by the namespace's uid, else by its own; a marked one by its mark", () => {
        const found = { object: at("own"), owner: unmarked };
        expect(adoptionOf(found, "home")).toBe("uid:home");
        expect(adoptionOf(found, undefined)).toBe("uid:own");
        expect(adoptionOf({ ...found, owner: other }, "home")).toBe(other);
    });

    it("and those of a third owner are refused, whoever is adopted", () => {
        const found = [other, `${other}3`].map((owner) => ({ object: namespaced("Deployment", "api"), owner }));
        expect(ownershipProblems(found, other, undefined).map((problem) => problem.found)).toEqual([
            `Deployment orcheo/api exists and belongs to ${other}3`,
        ]);
        const all = ownershipProblems(found, undefined, undefined);
        expect(all.map(({ at: key }) => key)).toEqual(Array(2).fill("orcheo:stack.kubernetes.namespace"));
        for (const { remedy } of all)
            expect(remedy).toMatch(/^use another namespace; if .*\(docs\/runbooks\/lost-state.md\)$/);
    });

    it("is named after the namespace, one of each kind", () => {
        const all = [namespaced("Deployment", "api"), namespaced("Deployment", "beat"), namespace()];
        expect(namesOf(all)).toBe("Namespace orcheo, Deployment orcheo/api (and 1 more)");
    });
});

describe("an object is declared twice", () => {
    const api = { apiVersion: "apps/v1", kind: "Deployment", name: "api", namespace: "orcheo" };
    it.each<[object, number]>([
        [{}, 1],
        [{ apiVersion: "apps/v2" }, 1],
        [{ apiVersion: "batch/v1" }, 0],
        [{ kind: "StatefulSet" }, 0],
        [{ name: "web" }, 0],
        [{ namespace: "other" }, 0],
    ])("with %j: %i", (more, count) => {
        expect(declaredTwice([api, { ...api, ...more }])).toHaveLength(count);
    });
});

it("only whole objects of the cluster are recorded, each with its namespace", () => {
    const metadata = { name: "api", namespace: "orcheo", uid: "u" };
    const outputs = { apiVersion: "v1", kind: "Service", metadata };
    const type = "kubernetes:core/v1:Service";
    const { id, objects } = recordedOf({
        whole: { type, outputs },
        "of another provider": { type: "aws:ecs/service:Service", outputs },
        "without a type": { outputs },
        "without a version": { type, outputs: { ...outputs, apiVersion: undefined } },
        "without a kind": { type, outputs: { ...outputs, kind: 1 } },
        "without a name": { type, outputs: { ...outputs, metadata: { uid: "u" } } },
        "without outputs": { type },
        nothing: undefined,
        "orcheo:index:Ownership$of another type": {
            type: "random:index/randomBytes:RandomBytes",
            outputs: { result: "x" },
        },
    });
    expect(id).toBeUndefined();
    expect(objects).toEqual([
        {
            ...{ urn: "whole", apiVersion: "v1", kind: "Service", name: "api", namespace: "orcheo", uid: "u" },
            ...{ fieldManager: undefined, inputs: {} },
        },
    ]);
});

describe("a stack", () => {
    it("marks all that it declares under fixed names, and nothing of its pods", async () => {
        const { resources } = await runBoth({ stack: "dev" });
        const inCluster = resources.filter(({ type }) => type.startsWith("kubernetes:"));
        const objects = inCluster.filter((each) => "metadata" in each.inputs && metadataOf(each).name !== undefined);
        expect(objects.length).toBeGreaterThan(50);
        // Whatever changes in a generated Secret replaces it, and with it the pods.
        for (const each of inCluster.filter((one) => !objects.includes(one)))
            expect(JSON.stringify(each.inputs["metadata"] ?? {}), each.name).not.toContain(ownerKey);
        for (const each of objects)
            expect(metadataOf(each).annotations, each.name).toMatchObject({
                [ownerKey]: own,
                ...(!each.type.endsWith(":Namespace") && { [forceKey]: "true" }),
            });
        expect(JSON.stringify(objects.map(({ inputs }) => inputs["spec"]))).not.toContain(ownerKey);
    });

    it.each([true, false])("finds its own objects again (preview: %s)", async (preview) => {
        const objects = [namespace(own), namespaced("Deployment", "api", own)];
        const { error } = await run({ stack: "dev", probes: probesOf(objects, { id: stackId, objects: [] }) }, preview);
        expect(error).toBeUndefined();
    });

    it.each([true, false])("refuses another's namespace before anything is declared (preview: %s)", async (preview) => {
        const { error, resources } = await run({ stack: "dev", probes: probesOf([namespace(other)]) }, preview);
        expect(error).toContain(`orcheo:stack.kubernetes.namespace: Namespace orcheo exists and belongs to ${other}`);
        expect(resources).toEqual([]);
    });

    it.each([true, false])(
        "refuses every object of another's at once, before anything is made (preview: %s)",
        async (preview) => {
            const objects = [
                namespaced("Deployment", "api", other),
                namespaced("Deployment", "worker", other),
                object("networking.k8s.io/v1", "NetworkPolicy", "deny-all", undefined, "orcheo"),
                object("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "orcheo.image-registry", other),
                object("cert-manager.io/v1", "Issuer", "root", other, "orcheo"),
            ];
            const { error, resources } = await run({ stack: "dev", probes: probesOf(objects) }, preview);
            expect(error).toContain("2 problems, nothing was changed");
            for (const name of [
                "Deployment orcheo/api (and 1 more)",
                "ValidatingAdmissionPolicy orcheo.image-registry",
                "Issuer orcheo/root",
                `belong to ${other}`,
                "NetworkPolicy orcheo/deny-all exists and belongs to an owner that it does not name",
            ])
                expect(error).toContain(name);
            expect(resources.filter(({ id }) => id !== undefined)).toEqual([]);
        },
    );

    it("takes over the objects in kubernetes.adopt as their former field manager, and no fields of a third", async () => {
        const settings = (adopt: string) => {
            const dev = settingsOf("dev");
            return { ...dev, kubernetes: { ...(dev["kubernetes"] as object), adopt } };
        };
        const managedFields = [{ manager: "pulumi-kubernetes-a", operation: "Apply" }];
        const api = namespaced("Deployment", "api", other);
        const taken = { ...api, metadata: { ...api.metadata, managedFields } };
        const objects = [namespace(other), taken];
        const lost = await run({ stack: "dev", settings: settings(other), probes: probesOf(objects) }, false);
        expect(lost.error).toBeUndefined();
        const registered = lost.resources.find(
            ({ type, name }) => type.endsWith(":Deployment") && name.includes("api"),
        );
        expect(registered && metadataOf(registered).annotations).toMatchObject({
            [ownerKey]: own,
            "pulumi.com/patchFieldManager": "pulumi-kubernetes-a",
        });
        const third = [...objects, namespaced("Deployment", "worker", `${other}3`)];
        const refused = await run({ stack: "dev", settings: settings(other), probes: probesOf(third) }, false);
        expect(refused.error).toContain(`Deployment orcheo/worker exists and belongs to ${other}3`);
        const old = [namespace(), namespaced("Deployment", "api")];
        const uid = settings("uid:uid-of-Namespace-orcheo");
        expect((await run({ stack: "dev", settings: uid, probes: probesOf(old) }, false)).error).toBeUndefined();
        const wrong = await run({ stack: "dev", settings: settings("uid:another"), probes: probesOf(old) }, false);
        expect(wrong.error).toContain('adopt: "uid:uid-of-Namespace-orcheo"');
    });

    it("leaves a namespace that others have to them", async () => {
        const dev = settingsOf("dev");
        const kubernetes = { ...(dev["kubernetes"] as object), namespaceKind: "existing" };
        const program = {
            stack: "dev",
            settings: { ...dev, kubernetes },
            probes: probesOf([namespace(other)]),
        } as const;
        expect((await run(program, false)).error).toBeUndefined();
    });
});

describe("the next steps", () => {
    const deleting = async (settings: object): Promise<string> => {
        const dev = settingsOf("dev");
        const kubernetes = { ...(dev["kubernetes"] as object), ...settings };
        const probes = probesOf([namespace()]);
        const { outputs, error } = await run({ stack: "dev", settings: { ...dev, kubernetes }, probes }, false);
        expect(error).toBeUndefined();
        const { nextSteps } = outputs as { nextSteps: readonly string[] };
        // A preview is refused once something belongs to another stack: nothing after it is run then.
        for (const step of nextSteps.filter((each) => each.includes("destroy")))
            expect(step).toMatch(/: pulumi preview && [^,;]*pulumi destroy/);
        return nextSteps.at(-1) ?? "";
    };

    it("delete the namespace that the stack made", async () => {
        expect(await deleting({ adopt: "uid:uid-of-Namespace-orcheo" })).toMatch(
            /&& kubectl .*delete namespace orcheo$/,
        );
    });

    it("delete the stack's volumes, but not an existing namespace", async () => {
        const step = await deleting({ namespaceKind: "existing" });
        expect(step).toMatch(/&& kubectl .*delete persistentvolumeclaim postgres-data valkey-data$/);
        expect(step).not.toContain("delete namespace");
    });
});

describe("fields that others have changed", () => {
    const inputs = {
        spec: {
            replicas: 1,
            template: {
                spec: {
                    containers: [
                        { name: "worker", image: "w@sha256:1", env: [{ name: "LOG", value: "info" }] },
                        { name: "other" },
                    ],
                },
            },
        },
    };
    const fields = (below: object) => ({
        "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"worker"}': below } } } },
    });
    const live = (managedFields: object[], spec: object): KubernetesObject => ({
        kind: "Deployment",
        metadata: { name: "worker", namespace: "orcheo", managedFields },
        spec: { ...inputs.spec, ...spec },
    });
    const recorded = recordedObject(namespaced("Deployment", "worker"), { inputs });

    const messageOf = (found: KubernetesObject) => overrideMessage(recorded, overridesOf(found, recorded));
    /** What Pulumi applied, without the fields that others have taken. */
    const pulumis = (replicas: object, env: object) => ({
        manager: "pulumi-kubernetes-a",
        operation: "Apply",
        fieldsV1: {
            "f:spec": {
                ...replicas,
                "f:template": {
                    "f:spec": {
                        "f:containers": {
                            'k:{"name":"worker"}': { ".": {}, "f:name": {}, "f:image": {}, "f:env": env },
                            'k:{"name":"other"}': { ".": {}, "f:name": {} },
                        },
                    },
                },
            },
        },
    });
    const withFields = ({ metadata }: KubernetesObject, ...managedFields: object[]) => ({
        metadata: { ...metadata, managedFields },
    });
    const ownReplicas = { "f:replicas": {} };
    const ownEnv = { 'k:{"name":"LOG"}': { ".": {}, "f:name": {}, "f:value": {} } };
    const scale = {
        manager: "kubectl",
        subresource: "scale",
        fieldsV1: { "f:spec": { "f:replicas": {} } },
    };
    const withEnv = (...env: object[]) => ({
        template: { spec: { containers: [{ name: "worker", image: "w@sha256:1", env }, { name: "other" }] } },
    });

    it("are named with the manager that changed them, and with values that are not secret", () => {
        expect(messageOf(live([pulumis({}, ownEnv), scale], { replicas: 2 }))).toBe(
            "Deployment orcheo/worker was changed outside of Pulumi: spec.replicas: 2 instead of 1 (kubectl). An update takes this back",
        );
        const set = {
            manager: "kubectl-set",
            time: "2026-01-01T00:00:00Z",
            fieldsV1: fields({
                "f:env": {
                    'k:{"name":"LOG"}': { "f:value": {} },
                    'k:{"name":"NEW"}': { ".": {}, "f:name": {}, "f:value": {} },
                },
            }),
        };
        const owned = pulumis(ownReplicas, { 'k:{"name":"LOG"}': { ".": {}, "f:name": {} } });
        const env = withEnv({ name: "LOG", value: "s3cret" }, { name: "NEW", value: "s3cret" });
        expect(messageOf(live([owned, set], env))).toBe(
            "Deployment orcheo/worker was changed outside of Pulumi: spec.template.spec.containers[worker].env[LOG].value (kubectl-set, 2026-01-01T00:00:00Z), spec.template.spec.containers[worker].env[NEW] was added (kubectl-set, 2026-01-01T00:00:00Z). An update takes this back",
        );
    });

    it("are named when missing: one of several, and all of them", () => {
        const rest = { name: "REST", value: "1" };
        const two = {
            ...recorded,
            inputs: { spec: { ...inputs.spec, ...withEnv({ name: "LOG", value: "info" }, rest) } },
        };
        const owned = pulumis(ownReplicas, { 'k:{"name":"REST"}': { ".": {}, "f:name": {}, "f:value": {} } });
        const left = live([owned], withEnv(rest));
        expect(overridesOf(left, two)).toEqual([
            {
                ...{ path: "spec.template.spec.containers[worker].env[LOG]", declared: true, gone: true },
                ...{ manager: undefined, time: undefined },
            },
        ]);
        expect(overrideMessage(two, overridesOf(left, two))).toContain("env[LOG] (removed)");
        const none = live([{ ...owned, fieldsV1: {} }], withEnv());
        expect(messageOf(none)).toContain("spec.template.spec.containers (an unknown manager)");
    });

    it("are not those of Pulumi, of controllers, of the status, of a restart, or set to the same", () => {
        const restart = { "f:metadata": { "f:annotations": { "f:kubectl.kubernetes.io/restartedAt": {} } } };
        const quiet = [
            pulumis(ownReplicas, ownEnv),
            { manager: "kube-controller-manager", fieldsV1: { "f:spec": { "f:extra": {} } } },
            { manager: "kubelet", subresource: "status", fieldsV1: { "f:spec": { "f:replicas": {} } } },
            { manager: "kubectl-rollout", fieldsV1: { "f:spec": { "f:template": restart } } },
        ];
        expect(messageOf(live(quiet, {}))).toBeUndefined();
        expect(mayBeOverridden(live(quiet, {}), recorded)).toBe(false);
        expect(messageOf(live([pulumis({}, ownEnv), scale], {}))).toBeUndefined();
    });

    it("are shown with numbers, switches and images, and never with any other value", () => {
        const spec = (paused: boolean, image: string, text: string) => ({
            paused,
            template: { spec: { containers: [{ name: "worker", image, command: text }] } },
        });
        const known = { ...recorded, inputs: { spec: spec(false, "w@sha256:1", "s3cret") } };
        const found = { ...live([], {}), spec: spec(true, "w@sha256:2", "s3cret2") };
        const said = overrideMessage(known, overridesOf(found, known)) ?? "";
        expect(said).toContain("spec.paused: true instead of false (an unknown manager)");
        const owned = {
            manager: "pulumi-kubernetes-a",
            fieldsV1: fields({ ".": {}, "f:name": {} }),
        };
        const items = overrideMessage(known, overridesOf({ ...found, ...withFields(found, owned) }, known)) ?? "";
        expect(items).toContain('containers[worker].image: "w@sha256:2" instead of "w@sha256:1"');
        expect(items).toContain("containers[worker].command (an unknown manager)");
        expect(said + items).not.toContain("s3cret");
    });

    it("are labels and annotations too, but never names, and all of them without their managers", () => {
        const metadata = { name: "worker", namespace: "orcheo", labels: { team: "a" }, annotations: { note: "b" } };
        const known = { ...recorded, inputs: { apiVersion: "apps/v1", kind: "Deployment", metadata } };
        const found = { kind: "Deployment", metadata: { name: "worker", namespace: "orcheo" } };
        expect(mayBeOverridden(found, known)).toBe(true);
        expect(overridesOf(found, known).map(({ path, gone }) => [path, gone])).toEqual([
            ["metadata.labels.team", true],
            ["metadata.annotations.note", true],
        ]);
    });

    it("are left to the autoscaler where they are replicas, and only these", () => {
        const found = { ...live([], {}), spec: { ...inputs.spec, replicas: 7, template: {} } };
        const paths = (least?: number) => overridesOf(found, recorded, least).map(({ path }) => path);
        expect(paths()).toEqual(["spec.replicas", "spec.template.spec.containers"]);
        expect(paths(2)).toEqual(["spec.template.spec.containers"]);
    });

    it("show no value of which one may be secret", () => {
        const known = { ...recorded, inputs: { spec: { text: "s3cret" } } };
        const found = { ...live([], {}), spec: { text: 1 } };
        expect(overrideMessage(known, overridesOf(found, known))).not.toContain("s3cret");
    });

    it("are those of kubectl, not those that the API server or a controller keeps for it", () => {
        const added = (manager: string, subresource?: string, path = "f:extra") =>
            mayBeOverridden(
                live(
                    [
                        pulumis(ownReplicas, ownEnv),
                        { manager, subresource, fieldsV1: { "f:metadata": { "f:annotations": { [path]: {} } } } },
                    ],
                    {},
                ),
                recorded,
            );
        expect(added("kubectl-annotate")).toBe(true);
        expect(added("kubectl-edit", "status")).toBe(false);
        expect(added("helm")).toBe(false);
        expect(added("kubectl-edit", undefined, "f:deployment.kubernetes.io/revision")).toBe(false);
        expect(added("kubectl-edit", undefined, "f:example.com/kubectl.kubernetes.io")).toBe(true);
    });

    it("have the object applied again, each time anew, and no other object", () => {
        const overrides = overridesOf(live([pulumis({}, ownEnv), scale], { replicas: 2 }), recorded);
        const at = (generation?: number): KubernetesObject => ({
            metadata: { name: "w", generation, resourceVersion: "7" },
        });
        expect(reappliedOf(at(3), recorded, overrides)).toBe("3");
        expect(reappliedOf(at(), recorded, overrides)).toBe("7");
        const later = overrides.map((each) => ({ ...each, time: "2026-01-01T00:00:00Z" }));
        expect(reappliedOf(at(3), recorded, later)).toBe("3 2026-01-01T00:00:00Z");
        expect(reappliedOf(at(), recorded, later)).toBe("2026-01-01T00:00:00Z");
        expect(reappliedOf(at(3), recorded, [])).toBeUndefined();
        const before = { ...recorded, inputs: { metadata: { annotations: { [reappliedKey]: "2" } } } };
        expect(reappliedOf(at(3), before, [])).toBe("2");
    });

    it.each([true, false])("are warned of, and taken back by this update (preview: %s)", async (preview) => {
        const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
        const worker = namespaced("Deployment", "worker", own);
        const changed = live([pulumis({}, ownEnv), scale], { replicas: 2 });
        const found = { ...worker, ...changed, metadata: { ...changed.metadata, ...worker.metadata, generation: 3 } };
        const gone = recordedObject(object("networking.k8s.io/v1", "NetworkPolicy", "deny-all", own, "orcheo"));
        const foreign = recordedObject(object("v1", "Service", "another", own, "orcheo"));
        const state = { id: stackId, objects: [recorded, gone, foreign] };
        const { error, resources } = await run({ stack: "dev", probes: probesOf([found], state) }, preview);
        expect(error).toBeUndefined();
        const warnings = warn.mock.calls.map(([message]) => message).join("\n");
        warn.mockRestore();
        expect(warnings).toContain("spec.replicas: 2 instead of 1 (kubectl)");
        expect(warnings).toContain("deleted outside of Pulumi: NetworkPolicy orcheo/deny-all. `pulumi up --refresh`");
        const marked = resources.filter(({ inputs: { metadata } }) =>
            JSON.stringify(metadata ?? {}).includes(reappliedKey),
        );
        expect(marked.map(({ type, name }) => [type, name])).toEqual([["kubernetes:apps/v1:Deployment", "worker"]]);
    });

    it("stay marked while the cluster does not answer: a preview is not to show a change", async () => {
        const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
        const known = { ...recorded, inputs: { metadata: { annotations: { [reappliedKey]: "2" } } } };
        const probes = {
            cluster: () => Promise.reject(new ClusterError("connection refused")),
            recorded: () => Promise.resolve({ id: stackId, objects: [known] }),
        };
        const { resources } = await run({ stack: "dev", probes }, true);
        warn.mockRestore();
        const worker = resources.find(({ type, name }) => type.endsWith(":Deployment") && name === "worker");
        expect(worker && metadataOf(worker).annotations?.[reappliedKey]).toBe("2");
    });
});

describe("a Deployment that is scaled automatically", () => {
    const api = recordedObject(namespaced("Deployment", "api"), { inputs: { spec: {} } });
    const autoscaler = (target: object, minReplicas?: number): RecordedObject =>
        recordedObject(object("autoscaling/v2", "HorizontalPodAutoscaler", "api", undefined, "orcheo"), {
            inputs: { spec: { scaleTargetRef: target, minReplicas } },
        });
    const target = { kind: "Deployment", name: "api" };
    const live = (replicas: number): KubernetesObject => ({
        kind: "Deployment",
        // As the cluster has it: `kubectl scale --replicas=0` leaves no manager of spec.replicas.
        metadata: { name: "api", namespace: "orcheo", generation: 2, managedFields: [] },
        spec: { replicas },
    });
    const before = (replicas: number): RecordedObject => ({ ...api, inputs: { spec: { replicas } } });

    it("has its replicas at least from its autoscaler", () => {
        expect(leastReplicas(api, [autoscaler({ ...target, name: "other" }, 3), autoscaler(target, 2)])).toBe(2);
        expect(leastReplicas(api, [autoscaler(target)])).toBe(1);
        expect(leastReplicas(api, [autoscaler({ ...target, kind: "StatefulSet" }, 2), api])).toBeUndefined();
        expect(leastReplicas(api, [{ ...autoscaler(target, 2), namespace: "other" }])).toBeUndefined();
        expect(leastReplicas(api, [{ ...autoscaler(target, 2), kind: "ScaledObject" }])).toBeUndefined();
    });

    it("is named once it has been scaled to 0, which switches its autoscaler off, and only then", () => {
        expect(overrideMessage(api, overridesOf(live(0), api, 2))).toBe(
            "Deployment orcheo/api was changed outside of Pulumi: spec.replicas: 0 instead of 2 (an unknown manager). An update takes this back",
        );
        // Otherwise the autoscaler decides, an earlier update's replicas notwithstanding.
        expect(overridesOf(live(3), before(2), 2).map(({ path }) => path)).not.toContain("spec.replicas");
        expect(overridesOf(live(0), api)).toEqual([]);
    });

    it("gets replicas from an update after that alone, and keeps them until the autoscaler has scaled it", () => {
        expect(replicasToSet(live(0), api, 2)).toBe(2);
        expect(replicasToSet(live(0), before(2), 3)).toBe(3);
        expect(replicasToSet(live(2), before(2), 2)).toBe(2);
        expect(replicasToSet(live(3), before(2), 2)).toBeUndefined();
        expect(replicasToSet(live(4), api, 2)).toBeUndefined();
        expect(replicasToSet(undefined, before(2), 2)).toBe(2);
        expect(replicasToSet(live(0), api, undefined)).toBeUndefined();
    });

    it.each([
        [0, 2],
        [4, undefined],
    ])("that has %s replicas gets %s by the next update", async (replicas, set) => {
        const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
        const found = namespaced("Deployment", "api", own);
        const whole = { ...found, ...live(replicas), metadata: { ...live(replicas).metadata, ...found.metadata } };
        const state = { id: stackId, objects: [{ ...api, uid: found.metadata.uid }, autoscaler(target, 2)] };
        const { error, resources } = await run({ stack: "dev", probes: probesOf([whole], state) }, false);
        const warnings = warn.mock.calls.map(([message]) => message).join("\n");
        warn.mockRestore();
        expect(error).toBeUndefined();
        const deployment = resources.find(({ type, name }) => type.endsWith(":Deployment") && name === "api");
        expect((deployment?.inputs["spec"] as { replicas?: number }).replicas).toBe(set);
        expect(warnings.includes("spec.replicas: 0 instead of 2")).toBe(set !== undefined);
    });
});

describe("two stacks that create one namespace at the same time", () => {
    it("meet in a conflict over its mark: only the namespace is created without force", async () => {
        const { error, resources } = await run({ stack: "dev", probes: probesOf([]) }, false);
        expect(error).toBeUndefined();
        const named = resources.filter(
            (each) => "metadata" in each.inputs && metadataOf(each).annotations?.[ownerKey] !== undefined,
        );
        const unforced = named.filter((each) => metadataOf(each).annotations?.[forceKey] === undefined);
        expect(named.length).toBeGreaterThan(50);
        expect(unforced.map(({ type }) => type)).toEqual(["kubernetes:core/v1:Namespace"]);
    });

    it("and what others set on it later, an update takes back", () => {
        const known = recordedObject(namespace());
        const live = (...managedFields: object[]): KubernetesObject => ({
            metadata: { name: "orcheo", managedFields },
        });
        const pulumis = { manager: "pulumi-kubernetes-a", operation: "Apply" };
        expect(forcedOf(live(pulumis), known)).toBeUndefined();
        expect(forcedOf(live(pulumis, { manager: "kube", subresource: "status" }), known)).toBeUndefined();
        expect(forcedOf(live(pulumis, { manager: "kubectl-label" }), known)).toBe("true");
        const before = { ...known, inputs: { metadata: { annotations: { [forceKey]: "true" } } } };
        expect(forcedOf(live(pulumis), before)).toBe("true");
        expect(forcedOf(undefined, before)).toBe("true");
    });
});
