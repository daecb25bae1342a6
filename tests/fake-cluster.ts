/** A cluster in memory, for the checks that read one. */
import {
    ClusterError,
    collectionPath,
    objectPath,
    type ClusterApi,
    type KubernetesObject,
} from "../components/kubernetes/cluster-api";

export interface FakeObject extends KubernetesObject {
    readonly apiVersion: string;
    readonly kind: string;
}

/**
 * A cluster that holds these objects and nothing else; all other paths answer 404.
 *
 * @param texts  by path, such as logs
 * @param forbidden  beginnings of paths that answer 403
 */
export function fakeCluster(
    objects: readonly FakeObject[] = [],
    texts: Readonly<Record<string, string>> = {},
    forbidden: readonly string[] = [],
): ClusterApi {
    const allow = (path: string): void => {
        if (forbidden.some((each) => path.startsWith(each)))
            throw new ClusterError(`status 403 of ${path}: forbidden`, 403);
    };
    const pathsOf = ({ apiVersion, kind, metadata: { name, namespace } }: FakeObject) => ({
        own: objectPath(apiVersion, kind, name, namespace),
        collections: [collectionPath(apiVersion, kind), collectionPath(apiVersion, kind, namespace)],
    });
    const get = (path: string): Promise<KubernetesObject | undefined> =>
        new Promise((done) => {
            allow(path);
            done(objects.find((each) => pathsOf(each).own === path));
        });
    return {
        get,
        metadata: get,
        list: (path) =>
            new Promise((done) => {
                const [plain = "", query = ""] = path.split("?");
                allow(plain);
                const wanted = new URLSearchParams(query).get("labelSelector")?.split(",") ?? [];
                const labelled = ({ metadata }: FakeObject) =>
                    wanted.every((pair) => {
                        const [key = "", value] = pair.split("=");
                        return metadata.labels?.[key] === value;
                    });
                done(objects.filter((each) => pathsOf(each).collections.includes(plain) && labelled(each)));
            }),
        text: (path) =>
            new Promise((done) => {
                allow(path);
                const said = texts[path] ?? (path === "/version" ? "{}" : undefined);
                if (said === undefined) throw new ClusterError(`status 404 of ${path}: not found`, 404);
                done(said);
            }),
    };
}

const pod = (namespace: string, name: string): FakeObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, uid: `${namespace}/${name}`, labels: { "app.kubernetes.io/name": name } },
});
const ofCluster = (apiVersion: string, kind: string, name: string, spec: object = {}): FakeObject => ({
    apiVersion,
    kind,
    metadata: { name, uid: `${kind}/${name}` },
    spec,
});

export const defaultStorageClass: FakeObject = {
    ...ofCluster("storage.k8s.io/v1", "StorageClass", "standard"),
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
};

/** The controllers that the tests' stacks name: what a cluster holds before Orcheo. */
export const controllers: readonly FakeObject[] = [
    ofCluster("networking.k8s.io/v1", "IngressClass", "traefik", { controller: "traefik.io/ingress-controller" }),
    ofCluster("networking.k8s.io/v1", "IngressClass", "nginx", { controller: "k8s.io/ingress-nginx" }),
    ofCluster("networking.k8s.io/v1", "IngressClass", "alb", { controller: "ingress.k8s.aws/alb" }),
    ...["traefik", "envoy", "alb"].map((name) => ofCluster("gateway.networking.k8s.io/v1", "GatewayClass", name)),
    ofCluster("v1", "Namespace", "envoy-gateway-system"),
    defaultStorageClass,
    // Of the variant whose namespace is someone else's.
    ofCluster("v1", "Namespace", "team-a"),
    pod("traefik", "traefik"),
];
