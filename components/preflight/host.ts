/**
 * Whether the public host already leads to someone else.
 *
 * Only the exact name counts. A wildcard (`*.example.com`) or a route without a name is less specific than ours: by the rules
 * of Ingress and of the Gateway API the exact name wins, so that it takes nothing from this stack.
 */
import { usesGateway } from "../config/kinds";
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import { collectionPath, type KubernetesObject } from "../kubernetes/cluster-api";
import type { Recorded } from "../kubernetes/recorded.plan";
import { foreignOwner, isNamed } from "../ownership/ownership.plan";
import { at, listAt, textAt, type ClusterCheck } from "./check";

const gatewayApi = "gateway.networking.k8s.io/v1";

/** Each kind that gives a host away. */
const kinds = [
    { apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
    { apiVersion: gatewayApi, kind: "Gateway" },
    { apiVersion: gatewayApi, kind: "HTTPRoute" },
    { apiVersion: gatewayApi, kind: "GRPCRoute" },
    { apiVersion: gatewayApi, kind: "TLSRoute" },
    { apiVersion: "gateway.networking.k8s.io/v1alpha2", kind: "TLSRoute" },
    { apiVersion: "traefik.io/v1alpha1", kind: "IngressRoute" },
] as const;

export const hostTaken: ClusterCheck = {
    finds: "whether another Ingress, HTTPRoute or Gateway already has the host",
    async run(stack, cluster, known) {
        if (stack.host === undefined) return [];
        const lists = await Promise.all(
            kinds.map(({ apiVersion, kind }) => cluster.list(collectionPath(apiVersion, kind))),
        );
        return hostProblems(stack, lists.flat(), known);
    },
};

/** @param objects  everything in the cluster that may lead somewhere */
export function hostProblems(
    { host, kubernetes, entrance }: Partial<Sections>,
    objects: readonly KubernetesObject[],
    known: Recorded,
): readonly Problem[] {
    const wanted = host?.toLowerCase() ?? "";
    const shared = entrance?.hostSharedWith ?? [];
    const gateways = new Map(objects.filter(({ kind }) => kind === "Gateway").map((each) => [idOf(each), each]));
    const unique = [
        ...new Map(objects.map((each) => [each.metadata.uid ?? `${each.kind} ${idOf(each)}`, each])).values(),
    ];
    const taken = unique.flatMap((object): string[] => {
        if (!hostsOf(object, gateways).some((each) => each.toLowerCase() === wanted)) return [];
        const owner = foreignOwner(object, known);
        if (owner === undefined) return [];
        // Whose objects are taken over gives up its host, too.
        const unnamed = kubernetes?.adopt?.startsWith("uid:") && object.metadata.namespace === kubernetes.namespace;
        if (isNamed(owner) ? owner === kubernetes?.adopt : unnamed) return [];
        const name = idOf(object);
        if (shared.includes(name) || isOwnGateway(object, { kubernetes, entrance }) || answersChallenge(object))
            return [];
        return [`${object.kind ?? "object"} ${name}${isNamed(owner) ? ` of ${owner}` : ""}`];
    });
    if (taken.length === 0) return [];
    return [
        {
            at: "orcheo:stack.host",
            found: `${JSON.stringify(host)} already leads to ${taken.join(", ")}`,
            remedy: "use another host, or name those that serve a part of it on purpose in orcheo:stack.entrance.hostSharedWith",
        },
    ];
}

const idOf = ({ metadata: { name, namespace = "" } }: KubernetesObject): string => `${namespace}/${name}`;
const texts = (values: readonly unknown[]): string[] => values.filter((each) => typeof each === "string");

function hostsOf(object: KubernetesObject, gateways: ReadonlyMap<string, KubernetesObject>): readonly string[] {
    switch (object.kind) {
        case "Ingress":
            return listAt(object, "spec", "rules").flatMap((rule) => textAt(rule, "host") ?? []);
        case "Gateway":
            return listAt(object, "spec", "listeners").flatMap((listener) => textAt(listener, "hostname") ?? []);
        case "IngressRoute":
            return listAt(object, "spec", "routes").flatMap((route) => inRule(textAt(route, "match") ?? ""));
        default: {
            const own = texts(listAt(object, "spec", "hostnames"));
            // A route without names has those of its listeners.
            return own.length > 0
                ? own
                : listAt(object, "spec", "parentRefs").flatMap((parent) => listenerHosts(object, parent, gateways));
        }
    }
}

function listenerHosts(
    route: KubernetesObject,
    parent: unknown,
    gateways: ReadonlyMap<string, KubernetesObject>,
): readonly string[] {
    const namespace = textAt(parent, "namespace") ?? route.metadata.namespace ?? "";
    const section = textAt(parent, "sectionName");
    return listAt(gateways.get(`${namespace}/${textAt(parent, "name") ?? ""}`), "spec", "listeners")
        .filter((listener) => section === undefined || at(listener, "name") === section)
        .flatMap((listener) => textAt(listener, "hostname") ?? []);
}

/** Traefik's rules: Host(`a`, `b`) && PathPrefix(`/`). */
const inRule = (rule: string): readonly string[] =>
    [...rule.matchAll(/Host\(([^)]*)\)/g)].flatMap(([, names = ""]) =>
        [...names.matchAll(/[`"']([^`"']+)[`"']/g)].map(([, name = ""]) => name),
    );

/** The Gateway that the stack's routes are to hang on has its host on purpose. */
function isOwnGateway(object: KubernetesObject, { kubernetes, entrance }: Partial<Sections>): boolean {
    const controller = entrance?.controller;
    if (object.kind !== "Gateway" || controller === undefined || !usesGateway(controller)) return false;
    const { gateway } = controller;
    if (gateway.kind !== "existing") return false;
    return idOf(object) === `${gateway.namespace ?? kubernetes?.namespace ?? ""}/${gateway.name}`;
}

/** cert-manager's, for as long as a challenge of ACME lasts. */
const answersChallenge = ({ metadata }: KubernetesObject): boolean =>
    metadata.labels?.["acme.cert-manager.io/http01-solver"] === "true";
