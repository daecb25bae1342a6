/** Which path leads where: the same for every controller. */
import type { Stack } from "../config/schema";

export type FrontServer = "api" | "canvas";
export type Paths = Readonly<Record<string, FrontServer>>;

export const servers: readonly FrontServer[] = ["api", "canvas"];

export interface Routes {
    /** Plain requests: the body is limited and buffered. */
    readonly plain: Paths;
    /** WebSockets and streamed answers: never buffered, open without limit. */
    readonly streams: Paths;
}

/**
 * The longest path wins (`Prefix` of an Ingress, `PathPrefix` of an HTTPRoute). What must not be reached from outside
 * leads to the canvas, which answers 404 to every path of the backend's.
 */
export function planRoutes(release: Stack["release"]): Routes {
    const shared: Paths = { "/": "canvas", "/api": "api", "/api/internal": "canvas", "/internal": "canvas" };
    return {
        plain: release === "0.46" ? { ...shared, "/hooks": "api", "/assets/ck1": "api" } : shared,
        streams: { "/ws": "api", "/api/chatkit": "api" },
    };
}

const tlsSecret = "entrance-tls";

/** The Secret of the public certificate; undefined when the certificate is not in the namespace. */
export function tlsSecretName(tls: Stack["entrance"]["tls"]): string | undefined {
    switch (tls.kind) {
        case "acm":
        case "gateway":
            return undefined;
        case "secret":
            return tls.name;
        case "acme":
        case "clusterIssuer":
        case "issuer":
            return tlsSecret;
    }
}

/** `max-age=…`, or nothing when the header is left out. */
export function strictTransport({ hstsSeconds }: Stack["entrance"]): string | undefined {
    return hstsSeconds > 0 ? `max-age=${hstsSeconds}; includeSubDomains` : undefined;
}
