/** Whether the network policies let in the controller that is to serve the host: the wrong namespace means 502 everywhere. */
import { behindLoadBalancer, usesGateway } from "../config/kinds";
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import { collectionPath, objectPath, type ClusterApi, type KubernetesObject } from "../kubernetes/cluster-api";
import { at, listAt, textAt, type ClusterCheck } from "./check";

type Settings = Required<Pick<Sections, "entrance" | "network">>;

export const ingressController: ClusterCheck = {
    finds: "whether the ingress controller's pods are where network.ingressNamespace says",
    async run({ entrance, network }, cluster) {
        // AWS load balancers are no pods: network.ingressCidrs lets them in.
        if (entrance === undefined || network === undefined || behindLoadBalancer(entrance.controller)) return [];
        const { problems, found } = await classProblems(entrance, cluster);
        // Envoy's pods only start with their Gateway.
        const pods =
            entrance.controller.kind === "envoyGateway"
                ? await namespaceProblems(network, cluster)
                : placeProblems({ entrance, network }, found, await controllerPods(network, found, cluster));
        return [...problems, ...pods];
    },
};

interface Classes {
    readonly problems: readonly Problem[];
    /** The IngressClass or GatewayClass that the settings name. */
    readonly found?: KubernetesObject;
}

async function classProblems({ controller, className }: Sections["entrance"], cluster: ClusterApi): Promise<Classes> {
    const byGateway = usesGateway(controller);
    // The class of an existing Gateway is its owner's.
    if (usesGateway(controller) && controller.gateway.kind === "existing") return { problems: [] };
    const wanted =
        usesGateway(controller) && controller.gateway.kind === "created" ? controller.gateway.className : className;
    const kind = byGateway ? "GatewayClass" : "IngressClass";
    const name = wanted ?? "traefik";
    const apiVersion = byGateway ? "gateway.networking.k8s.io/v1" : "networking.k8s.io/v1";
    const classes = await cluster.list(collectionPath(apiVersion, kind));
    const found = classes.find(({ metadata }) => metadata.name === name);
    if (found !== undefined) return { problems: [], found };
    const others = classes.map(({ metadata }) => metadata.name).sort();
    const remedy =
        others.length === 0
            ? "the cluster has none: install an ingress controller (docs/kubernetes.md)"
            : `accepted: ${others.join(", ")}`;
    const key = byGateway ? "entrance.controller.gateway.className" : "entrance.className";
    return {
        problems: [{ at: `orcheo:stack.${key}`, found: `the cluster has no ${kind} ${JSON.stringify(name)}`, remedy }],
    };
}

async function namespaceProblems(network: Sections["network"], cluster: ClusterApi): Promise<readonly Problem[]> {
    const { ingressNamespace, ingressCidrs } = network;
    if (ingressCidrs.length > 0) return [];
    if ((await cluster.metadata(objectPath("v1", "Namespace", ingressNamespace))) !== undefined) return [];
    const remedy = "accepted: the namespace in which Envoy Gateway starts its proxies";
    const found = `the cluster has no namespace ${JSON.stringify(ingressNamespace)}`;
    return [{ at: "orcheo:stack.network.ingressNamespace", found, remedy }];
}

/** How the charts of the usual controllers label the pods that serve, by the `controller` of their class. */
const wellKnown: readonly (readonly [RegExp, Readonly<Record<string, string>>])[] = [
    [/^traefik\.io\//, { "app.kubernetes.io/name": "traefik" }],
    [/^k8s\.io\/ingress-nginx|^k8s\.io\/minikube/, { "app.kubernetes.io/name": "ingress-nginx" }],
    [/^nginx\.org\//, { "app.kubernetes.io/name": "nginx-ingress" }],
    [/^webapprouting\.kubernetes\.azure\.com\//, { app: "nginx" }],
    [/^haproxy-ingress\.github\.io\//, { "app.kubernetes.io/name": "haproxy-ingress" }],
    [/^haproxy\.org\//, { "app.kubernetes.io/name": "kubernetes-ingress" }],
    [/^projectcontour\.io\//, { "app.kubernetes.io/component": "envoy" }],
    [/^cilium\.io\//, {}],
];

export interface ControllerPods {
    /** Pods that the network policies let in. */
    readonly admitted: readonly KubernetesObject[];
    /** Pods of the controller elsewhere, as far as its class or the labels give them away. */
    readonly candidates: readonly KubernetesObject[];
}

async function controllerPods(
    { ingressNamespace, ingressPodLabels }: Sections["network"],
    found: KubernetesObject | undefined,
    cluster: ClusterApi,
): Promise<ControllerPods> {
    const pods = async (labels: Readonly<Record<string, string>>, namespace?: string) => {
        const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
        if (selector.length === 0) return [];
        const path = collectionPath("v1", "Pod", namespace);
        const all = await cluster.list(`${path}?labelSelector=${encodeURIComponent(selector.join(","))}`);
        return all.filter((pod) => !["Succeeded", "Failed"].includes(textAt(pod, "status", "phase") ?? ""));
    };
    const admitted = await pods(ingressPodLabels, ingressNamespace);
    const controller = textAt(found, "spec", "controller") ?? textAt(found, "spec", "controllerName") ?? "";
    const known = wellKnown.find(([pattern]) => pattern.test(controller))?.[1] ?? {};
    const searched = await Promise.all([pods(ingressPodLabels), pods(known), pods(instanceOf(found))]);
    const unique = new Map(searched.flat().map((pod) => [`${pod.metadata.namespace ?? ""}/${pod.metadata.name}`, pod]));
    return { admitted, candidates: [...unique.values()] };
}

const instanceKey = "app.kubernetes.io/instance";
/** Charts give their class and their pods the same instance. */
const instanceOf = (object: KubernetesObject | undefined): Readonly<Record<string, string>> => {
    const instance = object?.metadata.labels?.[instanceKey];
    return instance === undefined ? {} : { [instanceKey]: instance };
};

/** @param found  the class that the settings name, if it exists */
export function placeProblems(
    { network }: Settings,
    found: KubernetesObject | undefined,
    { admitted, candidates }: ControllerPods,
): readonly Problem[] {
    const { ingressNamespace, ingressPodLabels, ingressCidrs } = network;
    // Addresses stand for pods that policies cannot select.
    if (ingressCidrs.length > 0) return [];
    const instance = instanceOf(found)[instanceKey];
    const ofClass = (pod: KubernetesObject) =>
        instance === undefined || pod.metadata.labels?.[instanceKey] === instance;
    const right = candidates.filter(ofClass);
    const wrongOne = admitted.length > 0 && !admitted.some(ofClass) && right.length > 0;
    if (admitted.length === 0 || wrongOne) {
        const labels = JSON.stringify(ingressPodLabels);
        return [
            {
                at: "orcheo:stack.network.ingressNamespace",
                found: wrongOne
                    ? `the pods in ${JSON.stringify(ingressNamespace)} are not those of the class ${JSON.stringify(found?.metadata.name)}`
                    : `the namespace ${JSON.stringify(ingressNamespace)} has no pods with the labels ${labels}`,
                remedy: remedyOf(right.length > 0 ? right : candidates, ingressPodLabels),
            },
        ];
    }
    if (!admitted.every((pod) => at(pod, "spec", "hostNetwork") === true)) return [];
    const addresses = [
        ...new Set(admitted.flatMap((pod) => listAt(pod, "status", "hostIPs").map((ip) => textAt(ip, "ip")))),
    ];
    const ranges = addresses.filter((ip) => ip !== undefined).map((ip) => `${ip}/${ip.includes(":") ? 128 : 32}`);
    return [
        {
            at: "orcheo:stack.network.ingressCidrs",
            found: "found none, and the ingress controller's pods are on their nodes' network, where no policy selects them",
            remedy: `accepted: the nodes' addresses${ranges.length === 0 ? "" : `, such as ${ranges.join(", ")}`}`,
        },
    ];
}

function remedyOf(pods: readonly KubernetesObject[], labels: Readonly<Record<string, string>>): string {
    const places = new Map<string, string>();
    for (const { metadata } of pods) {
        const fits = Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);
        const { "app.kubernetes.io/name": name, app } = metadata.labels ?? {};
        const own = name !== undefined ? { "app.kubernetes.io/name": name } : { app: app ?? "" };
        const also = fits ? "" : ` and ingressPodLabels: ${JSON.stringify(own)}`;
        places.set(metadata.namespace ?? "", `${JSON.stringify(metadata.namespace)}${also}`);
    }
    if (places.size === 0)
        return "name the namespace and the labels of the controller's pods (network.ingressPodLabels), or its addresses (network.ingressCidrs); docs/kubernetes.md has presets";
    return `accepted: ${[...places.values()].sort().join(", or ")}`;
}
