/** Traefik's own resources. @see https://doc.traefik.io/traefik/reference/ */
import type { Input } from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { CustomObject, Middleware, ServersTransport } from "../kubernetes/custom-object";
import { planIngress, type Ingress, type IngressSettings } from "./ingress.plan";
import { planRoutes, type FrontServer } from "./routes.plan";

/** Names of the middlewares, in the order in which they act. */
const middlewares = { plain: ["headers", "body"], streams: ["headers"], redirect: ["redirect"] };

/** Three, as middlewares belong to a whole Ingress: plain, streams, and the redirect from http. */
export function planTraefikIngresses(
    stack: IngressSettings & Pick<Stack, "kubernetes" | "release">,
    namespace: Input<string>,
): Record<string, Ingress> {
    const { plain, streams } = planRoutes(stack.release);
    const annotations = (entryPoint: "web" | "websecure", names: readonly string[]) => ({
        "traefik.ingress.kubernetes.io/router.entrypoints": entryPoint,
        ...(entryPoint === "websecure" && { "traefik.ingress.kubernetes.io/router.tls": "true" }),
        "traefik.ingress.kubernetes.io/router.middlewares": names
            .map((name) => `${stack.kubernetes.namespace}-${name}@kubernetescrd`)
            .join(","),
    });
    return {
        orcheo: planIngress("orcheo", stack, namespace, plain, annotations("websecure", middlewares.plain)),
        streams: planIngress("streams", stack, namespace, streams, annotations("websecure", middlewares.streams)),
        redirect: planIngress(
            "redirect",
            stack,
            namespace,
            { "/": "canvas" },
            annotations("web", middlewares.redirect),
        ),
    };
}

const apiVersion = "traefik.io/v1alpha1";

const middleware = (name: string, namespace: Input<string>, spec: Middleware["spec"]): Middleware => ({
    ...{ apiVersion, kind: "Middleware" },
    metadata: { name, namespace },
    spec,
});

export function planTraefik(
    entrance: Stack["entrance"],
    namespace: Input<string>,
    authorities: Record<FrontServer, Input<string>>,
): Record<string, CustomObject> {
    const stsSeconds = entrance.hstsSeconds;
    const hsts: Middleware["spec"]["headers"] =
        stsSeconds > 0 ? { stsSeconds, stsIncludeSubdomains: true, forceSTSHeader: true } : {};
    const transport = (server: FrontServer): ServersTransport => ({
        ...{ apiVersion, kind: "ServersTransport" },
        metadata: { name: server, namespace },
        spec: {
            serverName: server,
            rootCAs: [{ secret: authorities[server] }],
            // Unset, Traefik takes Go's default of two: every further request at a time opened a connection, with TLS.
            maxIdleConnsPerHost: 200,
            forwardingTimeouts: { dialTimeout: "5s", responseHeaderTimeout: `${entrance.responseTimeoutSeconds}s` },
        },
    });
    return {
        "middleware-headers": middleware("headers", namespace, {
            headers: { ...hsts, contentTypeNosniff: true },
        }),
        // It buffers, which streams must not be.
        "middleware-body": middleware("body", namespace, {
            buffering: { maxRequestBodyBytes: entrance.maxBodyMiB * 1024 * 1024 },
        }),
        "middleware-redirect": middleware("redirect", namespace, {
            redirectScheme: { scheme: "https", permanent: true, port: String(entrance.port) },
        }),
        "transport-api": transport("api"),
        "transport-canvas": transport("canvas"),
    };
}
