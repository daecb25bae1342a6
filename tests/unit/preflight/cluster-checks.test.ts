/** Checks against what is in the cluster: hosts of others, the ingress controller's place, volumes that cannot grow. */
import { describe, expect, it } from "vitest";
import { awsController, versionProblems } from "../../../components/preflight/aws-controller";
import { hostProblems } from "../../../components/preflight/host";
import { placeProblems } from "../../../components/preflight/ingress-controller";
import { volumeProblems } from "../../../components/preflight/volumes";
import { parseStack } from "../../../components/stack/read";
import type { Stack } from "../../../components/config/schema";
import { ownerKey } from "../../../components/ownership/ownership.plan";
import { controllers, defaultStorageClass, fakeCluster, type FakeObject } from "../../fake-cluster";
import { run, settingsOf, stackId } from "../../harness";
import { variants } from "../../variants";

function stackOf(settings: object = {}): Stack {
    const json = JSON.stringify({ ...settingsOf("dev"), ...settings });
    const { stack, problems } = parseStack({ stack: "dev", keys: [], json, secret: false });
    if (stack === undefined) throw new Error(JSON.stringify(problems));
    return stack;
}
const gatewayApi = "gateway.networking.k8s.io/v1";
const object = (apiVersion: string, kind: string, id: string, spec: object, metadata: object = {}): FakeObject => {
    const [namespace = "", name = ""] = id.split("/");
    return { apiVersion, kind, metadata: { name, namespace, uid: `${kind}/${id}`, ...metadata }, spec };
};
const ingress = (id: string, host?: string, metadata?: object) =>
    object("networking.k8s.io/v1", "Ingress", id, { rules: [{ ...(host !== undefined && { host }) }] }, metadata);
const route = (id: string, spec: object) => object(gatewayApi, "HTTPRoute", id, spec);
const gateway = (id: string, ...hostnames: string[]) =>
    object(gatewayApi, "Gateway", id, { listeners: hostnames.map((hostname, n) => ({ name: `l${n}`, hostname })) });
const nothing = { id: undefined, objects: [] };
const own = { annotations: { [ownerKey]: `organization/orcheo/dev/${stackId}` } };
const host = "orcheo.localhost";

describe("the host of", () => {
    it.each([
        ["an Ingress", [ingress("a/b", host)], "Ingress a/b"],
        ["an Ingress in other letters", [ingress("a/b", "Orcheo.LOCALHOST")], "Ingress a/b"],
        ["an HTTPRoute", [route("a/b", { hostnames: [host] })], "HTTPRoute a/b"],
        ["a GRPCRoute", [object(gatewayApi, "GRPCRoute", "a/b", { hostnames: [host] })], "GRPCRoute a/b"],
        ["a TLSRoute", [object(gatewayApi, "TLSRoute", "a/b", { hostnames: [host] })], "TLSRoute a/b"],
        ["a Gateway's listener", [gateway("a/b", host)], "Gateway a/b"],
        [
            "a listener, by a route without a name",
            [
                gateway("edge/g", host),
                route("a/b", { parentRefs: [{ name: "g", namespace: "edge", sectionName: "l0" }] }),
            ],
            "Gateway edge/g, HTTPRoute a/b",
        ],
        [
            "Traefik's IngressRoute",
            [
                object("traefik.io/v1alpha1", "IngressRoute", "a/b", {
                    routes: [{ match: `Host(\`x.y\`, \`${host}\`) && PathPrefix(\`/\`)` }],
                }),
            ],
            "IngressRoute a/b",
        ],
    ])("%s of another owner is refused", (_, objects, named) => {
        expect(hostProblems(stackOf(), objects, nothing)).toEqual([
            {
                at: "orcheo:stack.host",
                found: `"${host}" already leads to ${named}`,
                remedy: expect.stringContaining("use another host") as string,
            },
        ]);
    });

    it.each([
        ["ourselves", [ingress("orcheo/orcheo", host, own)], {}],
        ["a wildcard, which ours precedes", [ingress("a/b", "*.localhost"), gateway("a/b", "*.localhost")], {}],
        ["no name, which ours precedes", [ingress("a/b"), route("a/b", {})], {}],
        ["another name", [ingress("a/b", "x.localhost")], {}],
        ["what shares it on purpose", [ingress("a/b", host)], { entrance: { hostSharedWith: ["a/b"] } }],
        [
            "cert-manager's answer to a challenge",
            [ingress("orcheo/solver", host, { labels: { "acme.cert-manager.io/http01-solver": "true" } })],
            {},
        ],
        ["the Gateway that the routes hang on", [gateway("edge/shared", host)], variants["a Gateway that exists"]],
    ])("%s is accepted", (_, objects, settings) => {
        expect(hostProblems(stackOf(settings), objects, { id: stackId, objects: [] })).toEqual([]);
    });

    it.each([true, false])(
        "another stack is refused with its name, in the program too (preview: %s)",
        async (preview) => {
            const mark = "organization/orcheo/first/1";
            const objects = [...controllers, ingress("first/orcheo", host, { annotations: { [ownerKey]: mark } })];
            const { error, resources } = await run(
                { stack: "dev", probes: { cluster: () => Promise.resolve(fakeCluster(objects)) } },
                preview,
            );
            expect(error).toContain(`orcheo:stack.host: "${host}" already leads to Ingress first/orcheo of ${mark}`);
            expect(resources).toEqual([]);
        },
    );
});

describe("the ingress controller", () => {
    const pod = (namespace: string, labels: Record<string, string>, more: object = {}): FakeObject => ({
        ...object("v1", "Pod", `${namespace}/p`, {}, { labels }),
        ...more,
    });
    const traefik = { "app.kubernetes.io/name": "traefik" };
    const cluster = (...objects: FakeObject[]) => ({
        cluster: () => Promise.resolve(fakeCluster([defaultStorageClass, ...objects])),
    });
    const ofClass = (name: string, controller: string, labels = {}) => ({
        ...object("networking.k8s.io/v1", "IngressClass", "/x", { controller }),
        metadata: { name, labels },
    });
    const refusal = async (settings: object, ...objects: FakeObject[]) =>
        (
            await run(
                { stack: "dev", settings: { ...settingsOf("dev"), ...settings }, probes: cluster(...objects) },
                true,
            )
        ).error;

    it("in another namespace is named, as k3s and k3d have it", async () => {
        const error = await refusal(
            {},
            ofClass("traefik", "traefik.io/ingress-controller"),
            pod("kube-system", traefik),
        );
        expect(error).toContain(
            'orcheo:stack.network.ingressNamespace: the namespace "traefik" has no pods with the labels {"app.kubernetes.io/name":"traefik"}; accepted: "kube-system"',
        );
    });

    it("in the configured place is accepted; so are addresses in place of pods", async () => {
        const classes = ofClass("traefik", "traefik.io/ingress-controller");
        const network = { ingressNamespace: "kube-system" };
        expect(await refusal({ network }, classes, pod("kube-system", traefik))).toBeUndefined();
        expect(await refusal({ network: { ingressCidrs: ["10.0.0.0/24"] } }, classes)).toBeUndefined();
    });

    it("with other labels is found through the controller of its class, with both values", async () => {
        const nginx = { "app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/instance": "i" };
        const entrance = { className: "nginx", controller: { kind: "standard" } };
        const error = await refusal(
            { entrance },
            ofClass("nginx", "k8s.io/ingress-nginx"),
            pod("ingress-nginx", nginx),
        );
        expect(error).toContain(
            'accepted: "ingress-nginx" and ingressPodLabels: {"app.kubernetes.io/name":"ingress-nginx"}',
        );
    });

    it("of another class in the configured place is refused", () => {
        const { network, entrance } = stackOf();
        const instance = "app.kubernetes.io/instance";
        const found = ofClass("traefik", "traefik.io/ingress-controller", { [instance]: "k3s" });
        const wrong = pod("traefik", { ...traefik, [instance]: "own" });
        const right = pod("kube-system", { ...traefik, [instance]: "k3s" });
        const problems = placeProblems({ network, entrance }, found, { admitted: [wrong], candidates: [wrong, right] });
        expect(problems).toMatchObject([
            { remedy: 'accepted: "kube-system"', found: expect.stringContaining("not those of the class") as string },
        ]);
    });

    it("on its node's network needs addresses", async () => {
        const classes = ofClass("traefik", "traefik.io/ingress-controller");
        const onNode = pod("traefik", traefik, {
            spec: { hostNetwork: true },
            status: { hostIPs: [{ ip: "10.0.0.7" }, { ip: "fd00::7" }] },
        });
        expect(await refusal({}, classes, onNode)).toContain(
            "accepted: the nodes' addresses, such as 10.0.0.7/32, fd00::7/128",
        );
    });

    it("must be there, and so must its class", async () => {
        const error = await refusal({}, ofClass("nginx", "k8s.io/ingress-nginx"));
        expect(error).toContain(
            'orcheo:stack.entrance.className: the cluster has no IngressClass "traefik"; accepted: nginx',
        );
        expect(error).toContain("name the namespace and the labels of the controller's pods");
        const gateway = variants["Traefik's Gateway with ACME over http"];
        expect(await refusal(gateway, pod("traefik", traefik))).toContain('the cluster has no GatewayClass "traefik"');
        const envoy = variants["Envoy Gateway with ACME by DNS"];
        expect(await refusal(envoy)).toContain('the cluster has no namespace "envoy-gateway-system"');
    });
});

describe("a volume", () => {
    const claim = (storage: string, phase = "Bound", storageClassName?: string): FakeObject => ({
        ...object("v1", "PersistentVolumeClaim", "orcheo/postgres-data", {
            storageClassName,
            resources: { requests: { storage } },
        }),
        status: { phase },
    });
    const ofClass = (allowVolumeExpansion?: boolean): FakeObject => ({
        ...object("storage.k8s.io/v1", "StorageClass", "/local-path", {}),
        metadata: { name: "local-path" },
        allowVolumeExpansion,
    });

    it.each([
        [
            "of a class that cannot grow",
            20,
            claim("10Gi", "Bound", "local-path"),
            ofClass(),
            '"local-path" has no allowVolumeExpansion: keep 10',
        ],
        ["without a class", 20, claim("10Gi"), undefined, "it has no StorageClass"],
        ["that would shrink", 5, claim("10Gi", "Bound", "local-path"), ofClass(true), "cannot shrink; keep 10 or more"],
        [
            "that no pod has used yet",
            20,
            claim("10Gi", "Pending", "local-path"),
            ofClass(true),
            "once its pod has started",
        ],
    ])("%s is refused", (_, storageGiB, found, storageClass, remedy) => {
        expect(volumeProblems("database", storageGiB, found, storageClass)).toMatchObject([
            { at: "orcheo:stack.database.storageGiB", remedy: expect.stringContaining(remedy) as string },
        ]);
    });

    it.each([
        ["that is not there yet", 20, undefined, undefined],
        ["that stays", 10, claim("10Gi"), undefined],
        ["that stays, in other words", 1, claim("1024Mi"), undefined],
        ["that can grow", 20, claim("10Gi", "Bound", "local-path"), ofClass(true)],
    ])("%s is accepted", (_, storageGiB, found, storageClass) => {
        expect(volumeProblems("database", storageGiB, found, storageClass)).toEqual([]);
    });

    it("is checked by the program, before the quota changes", async () => {
        const objects = [...controllers, claim("1Gi", "Bound", "local-path"), ofClass()];
        const probes = { cluster: () => Promise.resolve(fakeCluster(objects)) };
        const { error, resources } = await run({ stack: "dev", probes }, false);
        expect(error).toContain("orcheo:stack.database.storageGiB: found");
        expect(resources).toEqual([]);
    });
});

describe("the AWS Load Balancer Controller behind a Gateway", () => {
    const label = "app.kubernetes.io/name";
    const controller = (image: string, version?: string): FakeObject =>
        object(
            "apps/v1",
            "Deployment",
            "kube-system/aws-load-balancer-controller",
            {
                template: {
                    spec: {
                        containers: [
                            { name: "controller", image },
                            { name: "proxy", image: "proxy:1.2.3" },
                        ],
                    },
                },
            },
            {
                labels: {
                    [label]: "aws-load-balancer-controller",
                    ...(version !== undefined && { "app.kubernetes.io/version": version }),
                },
            },
        );
    const image = "public.ecr.aws/eks/aws-load-balancer-controller";
    const digest = `sha256:${"0".repeat(64)}`;

    it.each([
        ["by its tag", controller(`${image}:v2.14.1`), "2.14"],
        ["by its tag beside a digest", controller(`registry.example.com:5000/${image}:v2.9.0@${digest}`), "2.9"],
        ["by its label", controller(`${image}@${digest}`, "v2.13.4"), "2.13"],
        ["of the first generation", controller(`${image}:1.1.9`), "1.1"],
    ])("that is too old, %s, is refused", (_, deployment, version) => {
        expect(versionProblems([deployment])).toEqual([
            {
                at: "orcheo:stack.entrance.controller.kind",
                found: `the AWS Load Balancer Controller in the cluster (kube-system/aws-load-balancer-controller) is version ${version}`,
                remedy: 'upgrade it to 2.15 or later, or use kind "awsLoadBalancer"',
            },
        ]);
    });

    it.each([
        ["the oldest", controller(`${image}:v2.15.0`)],
        ["a later one", controller(`${image}:v3.5.0`)],
        ["one that does not name its version", controller(`${image}:latest`)],
        ["one by digest alone", controller(`${image}@${digest}`)],
    ])("that is recent enough or unknown is accepted: %s", (_, deployment) => {
        expect(versionProblems([deployment])).toEqual([]);
    });

    it("is only asked about where the stack declares its objects", async () => {
        const cluster = fakeCluster([controller(`${image}:v2.14.1`)]);
        const checked = async (settings: object) => {
            const { entrance } = stackOf(settings);
            return awsController.run({ entrance }, cluster, nothing);
        };
        expect(await checked({})).toEqual([]);
        expect(await checked(variants["an AWS load balancer of a Gateway"])).toHaveLength(1);
    });
});
