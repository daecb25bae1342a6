/** What a cluster must have before anything in it is changed: APIs, versions, StorageClasses, quota, enforced policies. */
import { describe, expect, it } from "vitest";
import { apiProblems, versionProblems } from "../../../components/preflight/apis";
import { clusterChecks } from "../../../components/preflight/cluster-checks";
import { foreignQuota } from "../../../components/preflight/foreign-quota";
import { enforcementProblems } from "../../../components/preflight/network-enforcement";
import { storageClasses } from "../../../components/preflight/storage-classes";
import { parseStack } from "../../../components/stack/read";
import { controllers, defaultStorageClass, fakeCluster, type FakeObject } from "../../fake-cluster";
import { run, settingsOf } from "../../harness";
import { monitored, signedOnlyByKey, variants } from "../../variants";

const sectionsOf = (settings: object = {}) => {
    const json = JSON.stringify({ ...settingsOf("dev"), ...settings });
    return parseStack({ stack: "dev", keys: [], json, secret: false }).sections;
};
const nothing = { id: undefined, objects: [] };
const object = (apiVersion: string, kind: string, name: string, more: object, namespace?: string): FakeObject => ({
    ...{ apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } },
    ...more,
});
const all = new Map(
    Object.entries({
        "cert-manager.io": ["v1"],
        "gateway.networking.k8s.io": ["v1"],
        "traefik.io": ["v1alpha1"],
        "gateway.envoyproxy.io": ["v1alpha1"],
        "gateway.k8s.aws": ["v1beta1"],
        "external-secrets.io": ["v1"],
        "metrics.k8s.io": ["v1beta1"],
        "monitoring.coreos.com": ["v1"],
        "policy.sigstore.dev": ["v1beta1"],
    }),
);

describe("an API that the settings need", () => {
    it.each<[string, object, string, string]>([
        ["cert-manager.io", {}, "kubernetes.context", "install cert-manager"],
        ["traefik.io", {}, "entrance.controller.kind", "install Traefik 3"],
        ["metrics.k8s.io", {}, "api.scaling.maxReplicas", "install metrics-server"],
        [
            "gateway.networking.k8s.io",
            variants["Traefik's Gateway with ACME over http"],
            "entrance.controller.kind",
            "install the Gateway API",
        ],
        [
            "gateway.envoyproxy.io",
            variants["Envoy Gateway with ACME by DNS"],
            "entrance.controller.kind",
            "install Envoy Gateway",
        ],
        ["policy.sigstore.dev", signedOnlyByKey, "images.admission.kind", "install Sigstore's policy-controller"],
        ["monitoring.coreos.com", monitored, "monitoring.kind", "install the Prometheus operator"],
    ])("%s is named when the cluster does not serve it", (group, settings, key, remedy) => {
        const stack = sectionsOf(settings);
        expect(apiProblems(stack, all)).toEqual([]);
        const without = new Map([...all].filter(([name]) => name !== group));
        expect(apiProblems(stack, without)).toEqual([
            {
                at: `orcheo:stack.${key}`,
                found: `the cluster does not serve ${group}/${all.get(group)?.[0] ?? ""}`,
                remedy: expect.stringContaining(remedy) as string,
            },
        ]);
    });

    it("the operator's AlertmanagerConfig only where somebody is notified", () => {
        const deadMansSwitch = { url: { name: "alerts", key: "url" } };
        const monitoring = { kind: "prometheusOperator", notifications: { deadMansSwitch } };
        expect(apiProblems(sectionsOf({ monitoring }), all)).toMatchObject([
            {
                at: "orcheo:stack.monitoring.notifications",
                found: "the cluster serves monitoring.coreos.com in v1 only, and v1alpha1 is needed",
            },
        ]);
    });

    it("in another version is named with the versions that are served", () => {
        const older = new Map([...all, ["cert-manager.io", ["v1alpha2", "v1beta1"]]] as [string, string[]][]);
        expect(apiProblems(sectionsOf(), older)).toMatchObject([
            { found: "the cluster serves cert-manager.io in v1alpha2, v1beta1 only, and v1 is needed" },
        ]);
    });

    it("is not asked for by settings that do without: metrics where nothing scales", () => {
        const scaling = { minReplicas: 2, maxReplicas: 2 };
        const without = new Map([...all].filter(([name]) => name !== "metrics.k8s.io"));
        expect(apiProblems(sectionsOf({ api: { scaling } }), without)).toEqual([]);
    });
});

describe("the version of Kubernetes", () => {
    it.each([
        ["v1.29.8", ['the cluster of "orcheo-local" runs Kubernetes 1.29']],
        ["v1.30.0", []],
        ["v1.37.2-eks-1", []],
        ["v2.0.0", []],
    ])("%s", (gitVersion, found) => {
        const problems = versionProblems(sectionsOf(), JSON.stringify({ gitVersion }));
        expect(problems.map((each) => each.found)).toEqual(found);
    });

    it("that the server does not tell is not refused", () => {
        expect(versionProblems(sectionsOf(), "{}")).toEqual([]);
    });
});

describe("the StorageClass of a new volume", () => {
    const named = (name: string, annotations = {}) =>
        ({ ...object("storage.k8s.io/v1", "StorageClass", name, {}), metadata: { name, annotations } }) as FakeObject;
    const problems = (settings: object, ...objects: FakeObject[]) =>
        storageClasses.run(sectionsOf(settings), fakeCluster(objects), nothing);
    const database = { kind: "statefulset", storageClass: "fast" };

    it("must exist when it is named; others are listed", async () => {
        expect(await problems({ database }, defaultStorageClass, named("slow"))).toEqual([
            {
                at: "orcheo:stack.database.storageClass",
                found: 'the cluster has no StorageClass "fast"',
                remedy: "accepted: slow, standard",
            },
        ]);
        expect(await problems({ database }, defaultStorageClass, named("fast"))).toEqual([]);
    });

    it("must be the cluster's default when none is named", async () => {
        expect(await problems({}, named("slow"))).toMatchObject([
            {
                at: "orcheo:stack.database.storageClass",
                found: "found none, and the cluster has no default StorageClass",
            },
            { at: "orcheo:stack.cache.storageClass" },
        ]);
        expect(await problems({})).toMatchObject([{ remedy: /^the cluster has none/ }, {}]);
    });

    it("is not asked for where the volume exists", async () => {
        const claim = (name: string) => object("v1", "PersistentVolumeClaim", name, {}, "orcheo");
        expect(await problems({ database }, claim("postgres-data"), claim("valkey-data"))).toEqual([]);
    });
});

describe("a namespace of someone else", () => {
    const kubernetes = { ...(settingsOf("dev")["kubernetes"] as object), namespaceKind: "existing", namespace: "team" };
    const problems = (...objects: FakeObject[]) =>
        foreignQuota.run(sectionsOf({ kubernetes }), fakeCluster(objects), nothing);
    const namespace = object("v1", "Namespace", "team", {});
    const quota = (hard: object, more: object = {}) =>
        object("v1", "ResourceQuota", "theirs", { spec: { hard, ...more } }, "team");

    it("must exist", async () => {
        expect(await problems()).toMatchObject([
            {
                at: "orcheo:stack.kubernetes.namespace",
                found: expect.stringContaining('no namespace "team"') as string,
            },
        ]);
        expect(await problems(namespace)).toEqual([]);
    });

    it("is refused with every limit that is too low", async () => {
        const hard = {
            pods: "3",
            "requests.cpu": "500m",
            "limits.memory": "1Gi",
            "requests.storage": "1Gi",
            secrets: "1",
        };
        const [problem, ...more] = await problems(namespace, quota(hard));
        expect(more).toEqual([]);
        expect(problem?.found).toMatch(
            /^the ResourceQuota theirs is smaller .*: pods 3 \(needed: \d+ pods\), requests\.cpu 500m \(needed: \d+ millicores\), limits\.memory 1Gi \(needed: \d+ MiB\), requests\.storage 1Gi \(needed: \d+ GiB\)$/,
        );
    });

    it("is accepted with a quota that suffices, in whatever unit, and with one for some pods only", async () => {
        const hard = { pods: "1k", "requests.cpu": "100", memory: "1Ti", "requests.storage": "1000Gi" };
        expect(await problems(namespace, quota(hard))).toEqual([]);
        expect(await problems(namespace, quota({ pods: "1" }, { scopes: ["BestEffort"] }))).toEqual([]);
    });
});

describe("a network that enforces no policies", () => {
    const daemons = (...containers: object[]): FakeObject[] => [
        object("apps/v1", "DaemonSet", "net", { spec: { template: { spec: { containers } } } }, "kube-system"),
    ];
    const vpc = { image: "602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.19.0" };
    const agent = (...args: string[]) => ({
        image: "602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon/aws-network-policy-agent:v1.1.5",
        args,
    });

    it.each<[string, FakeObject[]]>([
        ["flannel", daemons({ image: "ghcr.io/flannel-io/flannel:v0.26.1" })],
        ["the Amazon VPC CNI", daemons(vpc)],
        ["the Amazon VPC CNI with its agent off", daemons(vpc, agent("--enable-network-policy=false"))],
    ])("%s is refused", (_, found) => {
        expect(enforcementProblems(found)).toMatchObject([{ at: "orcheo:stack.network.enforcement" }]);
    });

    it.each<[string, FakeObject[]]>([
        [
            "flannel with Calico",
            daemons({ image: "docker.io/flannel/flannel:v0.26.1" }, { image: "docker.io/calico/node:v3.29.0" }),
        ],
        ["the Amazon VPC CNI with its agent on", daemons(vpc, agent("--enable-network-policy=true"))],
        ["Cilium", daemons({ image: "quay.io/cilium/cilium:v1.16.5" })],
        ["one that is not known", daemons({ image: "example.com/net:1" })],
    ])("%s is accepted", (_, found) => {
        expect(enforcementProblems(found)).toEqual([]);
    });

    it("is accepted by config", async () => {
        const check = clusterChecks.find(({ finds }) => finds.includes("enforces NetworkPolicies"));
        const flannel = fakeCluster(daemons({ image: "ghcr.io/flannel-io/flannel:v0.26.1" }));
        expect(await check?.run(sectionsOf(), flannel, nothing)).toHaveLength(1);
        expect(await check?.run(sectionsOf({ network: { enforcement: "assumed" } }), flannel, nothing)).toEqual([]);
    });
});

it.each([true, false])(
    "everything is reported at once, before any resource is registered (preview: %s)",
    async (preview) => {
        const groups = {
            groups: [...all]
                .filter(([name]) => !name.startsWith("cert"))
                .map(([name, each]) => ({ name, versions: each.map((version) => ({ version })) })),
        };
        const cluster = fakeCluster(
            [
                ...controllers.filter(({ kind }) => kind !== "StorageClass"),
                object(
                    "apps/v1",
                    "DaemonSet",
                    "f",
                    { spec: { template: { spec: { containers: [{ image: "r/flannel:1" }] } } } },
                    "n",
                ),
            ],
            { "/version": '{"gitVersion":"v1.28.1"}' },
        );
        const served = {
            ...cluster,
            get: (path: string) =>
                path === "/apis" ? Promise.resolve({ metadata: { name: "" }, ...groups }) : cluster.get(path),
        };
        const { error, resources } = await run(
            { stack: "dev", probes: { cluster: () => Promise.resolve(served) } },
            preview,
        );
        expect(error).toContain("runs Kubernetes 1.28; accepted: 1.30 or newer");
        expect(error).toContain("the cluster does not serve cert-manager.io/v1; install cert-manager");
        expect(error).toContain("orcheo:stack.database.storageClass: found none");
        expect(error).toContain("orcheo:stack.network.enforcement: the cluster's network is flannel");
        expect(resources).toEqual([]);
    },
);
