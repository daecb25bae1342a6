import type { Resource, StackRule } from "../rule.ts";
import { called, nameOf, namespaceOf, ofKind } from "../stack.ts";
import { at, holdsUnknown, list, text, UNKNOWN } from "../values.ts";

/** Whether a rule of a route does nothing but send the caller to https. */
function redirects(rule: unknown): boolean {
    const filters = at(rule, "filters");
    return holdsUnknown(filters) || list(filters).some((each) => at(each, "requestRedirect", "scheme") === "https");
}

/** Names of the listeners without TLS that a parent reference takes. */
function openListeners(parent: unknown, gateway: Resource): readonly string[] {
    const [section, port] = [at(parent, "sectionName"), at(parent, "port")];
    if (section === UNKNOWN || port === UNKNOWN) return [];
    return list(at(gateway.props, "spec", "listeners"))
        .filter((listener) => section === undefined || at(listener, "name") === section)
        .filter((listener) => port === undefined || at(listener, "port") === port)
        .filter((listener) => at(listener, "protocol") === "HTTP")
        .map((listener) => text(at(listener, "name")) ?? "");
}

export const routeTls: StackRule = {
    name: "route-tls",
    level: "mandatory",
    scope: "stack",
    description: "Tokens and data of a route on a listener of plain HTTP can be read on the way.",
    remedy: "Name the HTTPS listener in parentRefs[].sectionName; on the HTTP one only redirect to https.",
    reference: {
        title: "Gateway API: HTTP redirects",
        url: "https://gateway-api.sigs.k8s.io/guides/http-redirect-rewrite/",
    },
    notInCel: "it needs other objects than the one at hand",
    found: (resources) =>
        ofKind(resources, "HTTPRoute", "GRPCRoute")
            .filter((route) => list(at(route.props, "spec", "rules")).some((rule) => !redirects(rule)))
            .flatMap((resource) =>
                list(at(resource.props, "spec", "parentRefs")).flatMap((parent) => {
                    const namespace = at(parent, "namespace") ?? namespaceOf(resource);
                    // A Gateway of another project is evaluated there.
                    const gateways = ofKind(resources, "Gateway").filter(
                        (gateway) => nameOf(gateway) === at(parent, "name") && namespaceOf(gateway) === namespace,
                    );
                    return gateways.flatMap((gateway) =>
                        openListeners(parent, gateway).map((listener) => ({
                            resource,
                            found: `${called(resource)} is served by listener "${listener}" of ${called(gateway)} without TLS`,
                        })),
                    );
                }),
            ),
};
