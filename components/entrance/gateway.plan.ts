/** Gateway API. @see https://gateway-api.sigs.k8s.io/reference/spec/ */
import type { Input } from "@pulumi/pulumi";
import { ports } from "../config/ports";
import type { GatewayController } from "../config/kinds";
import type { Stack } from "../config/schema";
import type {
    BackendTLSPolicy,
    BackendTrafficPolicy,
    CustomObject,
    Gateway,
    HTTPRoute,
} from "../kubernetes/custom-object";
import { planBalancerConfiguration, planTargetGroups } from "./load-balancer.plan";
import { planRoutes, servers, strictTransport, tlsSecretName, type Paths, type FrontServer } from "./routes.plan";
import { planTraefik } from "./traefik.plan";

export type GatewaySettings = Pick<Stack, "api" | "entrance" | "host" | "release">;
type Made = Extract<GatewayController["gateway"], { kind: "created" }>;

const apiVersion = "gateway.networking.k8s.io/v1";

type Rule = NonNullable<HTTPRoute["spec"]["rules"]>[number];
type Filter = NonNullable<Rule["filters"]>[number];
/** How requests are handled on their way. */
type Handling = Pick<Rule, "filters" | "timeouts">;
type Parents = NonNullable<HTTPRoute["spec"]["parentRefs"]>;
type Listener = Gateway["spec"]["listeners"][number];

/** Parent of a route; empty if the listener does not exist. */
export function parentRefs({ gateway }: GatewayController, listener: "http" | "https"): Parents {
    if (gateway.kind === "created") return [{ name: "orcheo", sectionName: listener }];
    const { name, namespace, httpSection, httpsSection } = gateway;
    const sectionName = listener === "http" ? httpSection : httpsSection;
    return listener === "http" && sectionName === undefined ? [] : [{ name, namespace, sectionName }];
}

function planGateway(stack: GatewaySettings, gateway: Made, namespace: Input<string>): Gateway {
    const secretName = tlsSecretName(stack.entrance.tls);
    const { host: hostname } = stack;
    const shared: Pick<Listener, "hostname" | "allowedRoutes"> = {
        hostname,
        allowedRoutes: { namespaces: { from: "Same" } },
    };
    const listening = "httpsPort" in gateway ? gateway : { httpPort: 80, httpsPort: stack.entrance.port };
    const parametersRef = { group: "gateway.k8s.aws", kind: "LoadBalancerConfiguration", name: "orcheo" };
    return {
        apiVersion,
        kind: "Gateway",
        metadata: { name: "orcheo", namespace },
        spec: {
            gatewayClassName: gateway.className,
            // An AWS load balancer has its certificate from its configuration.
            infrastructure: secretName === undefined ? { parametersRef } : undefined,
            listeners: [
                { name: "http", protocol: "HTTP", port: listening.httpPort, ...shared },
                {
                    name: "https",
                    protocol: "HTTPS",
                    port: listening.httpsPort,
                    ...shared,
                    tls:
                        secretName === undefined
                            ? undefined
                            : { mode: "Terminate", certificateRefs: [{ name: secretName }] },
                },
            ],
        },
    };
}

/** Controller-specific handling of plain http requests and of streams. */
function handling(kind: GatewayController["kind"], entrance: Stack["entrance"]): Record<"plain" | "streams", Handling> {
    const hsts = strictTransport(entrance);
    const set = [
        ...(hsts === undefined ? [] : [{ name: "Strict-Transport-Security", value: hsts }]),
        { name: "X-Content-Type-Options", value: "nosniff" },
    ];
    const headers: Filter = { type: "ResponseHeaderModifier", responseHeaderModifier: { set } };
    const body: Filter = {
        type: "ExtensionRef",
        extensionRef: { group: "traefik.io", kind: "Middleware", name: "body" },
    };
    switch (kind) {
        case "traefikGateway":
            return { plain: { filters: [headers, body] }, streams: { filters: [headers] } };
        case "envoyGateway":
            return {
                plain: { filters: [headers], timeouts: { request: `${entrance.responseTimeoutSeconds}s` } },
                streams: { filters: [headers], timeouts: { request: "0s" } },
            };
        case "awsGateway":
            // Its listener sets the headers.
            return { plain: {}, streams: {} };
    }
}

function planRoute(
    name: string,
    stack: GatewaySettings,
    namespace: Input<string>,
    parents: Parents,
    rules: readonly Rule[],
): HTTPRoute {
    return {
        apiVersion,
        kind: "HTTPRoute",
        metadata: { name, namespace, annotations: untilRouted },
        spec: { parentRefs: parents, hostnames: [stack.host], rules },
    };
}

const parentSays = (condition: string): string =>
    `jsonpath={.status.parents[0].conditions[?(@.type=="${condition}")].status}=True`;
/** Pulumi waits until the controller has taken the route: only then does what led here before go away. */
const untilRouted = { "pulumi.com/waitFor": JSON.stringify([parentSays("Accepted"), parentSays("ResolvedRefs")]) };

const prefix = (value: string): Rule["matches"] => [{ path: { type: "PathPrefix", value } }];

const rulesOf = (paths: Paths, handled: Handling) =>
    Object.entries(paths).map(([path, server]): Rule => ({
        matches: prefix(path),
        ...handled,
        backendRefs: [{ name: server, port: ports[server] }],
    }));

/** https to the pods, which are verified. */
function planBackendTls(server: FrontServer, namespace: Input<string>, authority: Input<string>): BackendTLSPolicy {
    return {
        apiVersion,
        kind: "BackendTLSPolicy",
        metadata: { name: server, namespace },
        spec: {
            targetRefs: [{ group: "", kind: "Service", name: server }],
            validation: { hostname: server, caCertificateRefs: [{ group: "", kind: "Secret", name: authority }] },
        },
    };
}

/** Larger bodies are refused with 413. @see https://gateway.envoyproxy.io/docs/api/extension_types/#requestbuffer */
function planEnvoyBodyLimit(entrance: Stack["entrance"], namespace: Input<string>): BackendTrafficPolicy {
    return {
        apiVersion: "gateway.envoyproxy.io/v1alpha1",
        kind: "BackendTrafficPolicy",
        metadata: { name: "orcheo", namespace },
        spec: {
            targetRefs: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", name: "orcheo" }],
            requestBuffer: { limit: `${entrance.maxBodyMiB}Mi` },
        },
    };
}

/** The Gateway, unless it exists, and the controller's settings for the pods. */
export const planGatewayObjects = (
    stack: GatewaySettings,
    controller: GatewayController,
    namespace: Input<string>,
    authorities: Record<FrontServer, Input<string>>,
): Record<string, CustomObject> => ({
    ...gatewayOf(stack, controller, namespace),
    ...upstream(stack, controller, namespace, authorities),
});

/** For plain requests and streams, and the redirect from http. */
export function planGatewayRoutes(
    stack: GatewaySettings,
    controller: GatewayController,
    namespace: Input<string>,
): Record<string, CustomObject> {
    const { plain, streams } = planRoutes(stack.release);
    const handled = handling(controller.kind, stack.entrance);
    const secure = parentRefs(controller, "https");
    const open = parentRefs(controller, "http");
    const { port } = stack.entrance;
    const redirect: Filter = {
        type: "RequestRedirect",
        requestRedirect: { scheme: "https", port, statusCode: 301 },
    };
    return {
        "route-orcheo": planRoute("orcheo", stack, namespace, secure, rulesOf(plain, handled.plain)),
        "route-streams": planRoute("streams", stack, namespace, secure, rulesOf(streams, handled.streams)),
        ...(open.length > 0 && {
            "route-redirect": planRoute("redirect", stack, namespace, open, [
                { matches: prefix("/"), filters: [redirect] },
            ]),
        }),
    };
}

function gatewayOf(
    stack: GatewaySettings,
    { gateway }: GatewayController,
    namespace: Input<string>,
): Record<string, CustomObject> {
    if (gateway.kind === "existing") return {};
    const own = { gateway: planGateway(stack, gateway, namespace) };
    return "scheme" in gateway ? { balancer: planBalancerConfiguration(stack, gateway, namespace), ...own } : own;
}

function upstream(
    stack: GatewaySettings,
    { kind }: GatewayController,
    namespace: Input<string>,
    authorities: Record<FrontServer, Input<string>>,
): Record<string, CustomObject> {
    if (kind === "awsGateway") return planTargetGroups(stack.api, namespace);
    const policies = servers.map(
        (server) => [`tls-${server}`, planBackendTls(server, namespace, authorities[server])] as const,
    );
    const verified = Object.fromEntries(policies);
    // All of Traefik's objects, so that a move from its Ingress or back takes none away: it reads these and Ingresses one after the other.
    if (kind === "traefikGateway") return { ...verified, ...planTraefik(stack.entrance, namespace, authorities) };
    return { ...verified, "body-limit": planEnvoyBodyLimit(stack.entrance, namespace) };
}
