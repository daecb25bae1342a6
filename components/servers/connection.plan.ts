/** URLs whose TLS cannot be turned off: they contain the path of the CA. */
import type * as pulumi from "@pulumi/pulumi";
import type { CacheOf } from "../config/schema";
import { defaultPort, readServerUrl, type ServerName } from "../config/server-urls";
import { caFile, type Trust } from "../kubernetes/volumes.plan";

export type { ServerName };

/** The server as a pod's environment describes it. */
export interface Connection extends Pick<Server, "url" | "trust"> {
    readonly port: number;
}

/** Debian's ca-certificates, in the backend image. */
const systemFile = "/etc/ssl/certs/ca-certificates.crt";

export const caDir = (server: ServerName): string => `/etc/orcheo/${server}-ca`;

/** The file, in a pod of the backend, that the server's certificate is verified with. */
export function trustFile(server: ServerName, trust: Pick<Trust, "kind">): string {
    switch (trust.kind) {
        case "stack":
            return caFile;
        case "system":
            return systemFile;
        case "secret":
        case "configMap":
            return `${caDir(server)}/ca.crt`;
    }
}

interface Demand {
    readonly mode: readonly [key: string, value: string];
    readonly file: string;
}

const demands: Readonly<Record<ServerName, Demand>> = {
    database: { mode: ["sslmode", "verify-full"], file: "sslrootcert" },
    cache: { mode: ["ssl_cert_reqs", "required"], file: "ssl_ca_certs" },
};

/** The problem with a URL, without showing any part of it. */
export const urlProblems = (server: ServerName, url: string): readonly string[] => readServerUrl(server, url).problems;

/**
 * The URL with the server's certificate verified by `trust`; all else is left as it was written.
 *
 * @throws where the config let a URL pass that is not safe
 */
export function verifiedUrl(server: ServerName, url: string, trust: Pick<Trust, "kind">): string {
    const { mode, file } = demands[server];
    const { base, query, problems } = readServerUrl(server, url);
    if (problems.length > 0) throw new Error(`the ${server}'s URL was not checked: ${problems.join("; ")}`);
    const kept = query.filter(([key]) => key !== mode[0]);
    const all = [...kept, mode, [file, encodeURIComponent(trustFile(server, trust))] as const];
    return `${base}?${all.map(([key, value]) => `${key}=${value}`).join("&")}`;
}

/** The port that pods reach the server by. Of a URL that only the pod can read it is the configured one. */
export function serverPort(server: ServerName, { url, port }: CacheOf<"external">): number {
    return url.kind === "value" ? readServerUrl(server, url.value).port : (port ?? defaultPort(server));
}

/** Environment by which the backend image (tls.py) checks the URL, and completes one that only the pod can read. */
export function urlDemands(server: ServerName, connection: Connection): Record<string, string> {
    const file = trustFile(server, connection.trust);
    const unread = connection.url.kind === "secret";
    const port = String(connection.port);
    return server === "database"
        ? { POSTGRES_PORT_OPEN: port, ...(unread && { PGSSLMODE: "verify-full", PGSSLROOTCERT: file }) }
        : { REDIS_PORT_OPEN: port, ...(unread && { REDIS_TLS_CA_FILE: file }) };
}

/** A URL with its password: known to the program (secret), or a key of a Secret that the program never reads. */
export type ServerUrl =
    | { readonly kind: "value"; readonly value: pulumi.Output<string> }
    | { readonly kind: "secret"; readonly secretName: string; readonly key: string };

/** The server as the backend sees it. */
export interface Server {
    readonly url: ServerUrl;
    readonly trust: Trust;
    /** Ready when these are. */
    readonly resources: readonly pulumi.Resource[];
}
