import { builtIn } from "../kinds.ts";
import { isListener, plainListeners } from "../listeners.ts";
import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, holdsUnknown, list, strings, text, UNKNOWN } from "../values.ts";

export const ingressTls: ResourceRule = {
    name: "ingress-tls",
    level: "mandatory",
    scope: "resource",
    types: (type) => builtIn("Ingress")(type) || isListener(type),
    description: "Tokens and data of a host without TLS can be read on the way.",
    remedy:
        "List every host of the rules under spec.tls, with the Secret of its certificate; " +
        "give a load balancer's listener HTTPS or TLS with a certificate, or let it only redirect to HTTPS.",
    reference: {
        title: "Kubernetes: Ingress TLS",
        url: "https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",
    },
    notInCel: "only pod rules are deployed to the cluster",
    found(resource) {
        if (isListener(resource.type)) return plainListeners(resource);
        const tls = at(resource.props, "spec", "tls");
        const entries = list(tls);
        // An AWS load balancer takes its certificate from an annotation, which no other controller reads.
        const certificate = at(resource.props, "metadata", "annotations", "alb.ingress.kubernetes.io/certificate-arn");
        const others = ["traefik", "nginx"].includes(text(at(resource.props, "spec", "ingressClassName")) ?? "");
        if (holdsUnknown(tls) || (certificate !== undefined && certificate !== "" && !others)) return [];
        const covered = entries.flatMap((each) => strings(at(each, "hosts")));
        const rules = list(at(resource.props, "spec", "rules"));
        const hosts = rules.filter((rule) => at(rule, "host") !== UNKNOWN).map((rule) => text(at(rule, "host")) ?? "");
        const wildcard = (host: string): string => `*${host.slice(host.indexOf("."))}`;
        const open = hosts.filter((host) => !covered.includes(host) && !covered.includes(wildcard(host)));
        // An entry without hosts is for the controller's own: for all of them.
        if (entries.some((each) => strings(at(each, "hosts")).length === 0)) return [];
        if (entries.length === 0) return [`${called(resource)} has no spec.tls`];
        return open.length > 0 ? [`${called(resource)} serves ${open.join(", ") || "any host"} without TLS`] : [];
    },
};
