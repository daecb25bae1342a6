import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { port as apiPort } from "./backend/contract";
import { port as canvasPort } from "./canvas.plan";
import type { Stack } from "./config/schema";
import { objectLabels } from "./labels";

type Ingress = types.input.networking.v1.Ingress;
type Backend = "api" | "canvas";
type Paths = Readonly<Record<string, Backend>>;

const ports: Readonly<Record<Backend, number>> = { api: apiPort, canvas: canvasPort };
export const tlsSecret = "entrance-tls";

export interface Routes {
    /** Plain requests: the body is limited and buffered. */
    readonly plain: Paths;
    /** WebSockets and streamed answers: never buffered, open without limit. */
    readonly streams: Paths;
}

/**
 * The longest path wins (Kubernetes Ingress, `Prefix`). What must not be reached from outside leads to the canvas, which
 * answers 404 to every path of the backend's.
 */
export function planRoutes({ release }: Pick<Stack, "release">): Routes {
    const shared: Paths = { "/": "canvas", "/api": "api", "/api/internal": "canvas", "/internal": "canvas" };
    return {
        plain: release === "0.46" ? { ...shared, "/hooks": "api", "/assets/ck1": "api" } : shared,
        streams: { "/ws": "api", "/api/chatkit": "api" },
    };
}

/** Names of Traefik's middlewares, in the order in which they act. */
const middlewares = { plain: ["headers", "body"], streams: ["headers"], redirect: ["redirect"] };

/**
 * One Ingress for a standard controller. Three for Traefik, whose middlewares belong to a whole Ingress: plain, streams,
 * and the redirect from http.
 */
export function planIngresses(stack: Stack, namespace: Input<string>): Record<string, Ingress> {
    const { controller } = stack.entrance;
    const { plain, streams } = planRoutes(stack);
    if (controller.kind === "standard")
        return { orcheo: planIngress("orcheo", stack, namespace, { ...plain, ...streams }, controller.annotations) };
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

function planIngress(
    name: string,
    { entrance, host, version }: Stack,
    namespace: Input<string>,
    paths: Paths,
    annotations: Readonly<Record<string, Input<string>>>,
): Ingress {
    const secretName = entrance.tls.kind === "secret" ? entrance.tls.name : tlsSecret;
    return {
        metadata: {
            name,
            namespace,
            labels: objectLabels(undefined, version),
            // Not every controller writes the address that Pulumi would wait for.
            annotations: { "pulumi.com/skipAwait": "true", ...annotations },
        },
        spec: {
            ingressClassName: entrance.className,
            tls: [{ hosts: [host], secretName }],
            rules: [
                {
                    host,
                    http: {
                        paths: Object.entries(paths).map(([path, backend]) => ({
                            path,
                            pathType: "Prefix",
                            backend: { service: { name: backend, port: { number: ports[backend] } } },
                        })),
                    },
                },
            ],
        },
    };
}

const traefik = (kind: "Middleware" | "ServersTransport", name: string, namespace: Input<string>) => ({
    apiVersion: "traefik.io/v1alpha1",
    kind,
    metadata: { name, namespace },
});

interface TraefikObject {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace: Input<string> };
    readonly spec: object;
}

/** Traefik's own resources; none for a standard controller. @see https://doc.traefik.io/traefik/reference/ */
export function planTraefik(
    { entrance }: Stack,
    namespace: Input<string>,
    authorities: Record<Backend, Input<string>>,
): Record<string, TraefikObject> {
    if (entrance.controller.kind !== "traefik") return {};
    const stsSeconds = entrance.hstsSeconds;
    const hsts = stsSeconds > 0 ? { stsSeconds, stsIncludeSubdomains: true, forceSTSHeader: true } : {};
    const transport = (backend: Backend) => ({
        ...traefik("ServersTransport", backend, namespace),
        spec: {
            serverName: backend,
            rootCAs: [{ secret: authorities[backend] }],
            forwardingTimeouts: { dialTimeout: "5s", responseHeaderTimeout: `${entrance.responseTimeoutSeconds}s` },
        },
    });
    const middleware = (name: string, spec: object) => ({ ...traefik("Middleware", name, namespace), spec });
    return {
        "middleware-headers": middleware("headers", { headers: { ...hsts, contentTypeNosniff: true } }),
        "middleware-body": middleware("body", {
            buffering: { maxRequestBodyBytes: entrance.maxBodyMiB * 1024 * 1024 },
        }),
        "middleware-redirect": middleware("redirect", {
            redirectScheme: { scheme: "https", permanent: true, port: String(entrance.port) },
        }),
        "transport-api": transport("api"),
        "transport-canvas": transport("canvas"),
    };
}
