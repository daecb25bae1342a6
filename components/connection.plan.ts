/** URLs whose TLS cannot be turned off: the authority's file is part of them. */
import type { Trust } from "./connection";
import { caFile } from "./volumes";

export type ServerName = "database" | "cache";

/** Debian's ca-certificates, in the backend image. */
const systemFile = "/etc/ssl/certs/ca-certificates.crt";

export const trustDir = (server: ServerName): string => `/etc/orcheo/${server}-ca`;

/** The file, in a pod of the backend, that the server's certificate is verified with. */
export function trustFile(server: ServerName, trust: Pick<Trust, "kind">): string {
    switch (trust.kind) {
        case "stack":
            return caFile;
        case "system":
            return systemFile;
        case "secret":
        case "configMap":
            return `${trustDir(server)}/ca.crt`;
    }
}

interface Demand {
    readonly protocols: readonly string[];
    readonly mode: readonly [key: string, value: string];
    readonly file: string;
}

const demands: Readonly<Record<ServerName, Demand>> = {
    database: { protocols: ["postgresql:", "postgres:"], mode: ["sslmode", "verify-full"], file: "sslrootcert" },
    cache: { protocols: ["rediss:"], mode: ["ssl_cert_reqs", "required"], file: "ssl_ca_certs" },
};

/** What is wrong with a URL, without showing any of it; undefined when nothing is. */
export function urlProblem(server: ServerName, url: string): string | undefined {
    const { protocols, mode, file } = demands[server];
    const [key, value] = mode;
    if (!URL.canParse(url)) return "no URL";
    const { protocol, hostname, searchParams } = new URL(url);
    if (!protocols.includes(protocol)) return `a URL that does not begin with ${protocols[0] ?? ""}//`;
    if (hostname === "") return "a URL without a host";
    const given = searchParams.get(key);
    if (given !== null && given !== value) return `${key} other than ${value}`;
    return searchParams.has(file) ? `${file}, which follows from authority` : undefined;
}

/** The URL with the server's certificate verified by `trust`. */
export function verifiedUrl(server: ServerName, url: string, trust: Pick<Trust, "kind">): string {
    const { mode, file } = demands[server];
    const verified = new URL(url);
    verified.searchParams.set(...mode);
    verified.searchParams.set(file, trustFile(server, trust));
    return verified.href;
}

/** Tells the backend image (start.py) how to complete, and when to refuse, a URL that only the pod can read. */
export function urlDemands(server: ServerName, trust: Pick<Trust, "kind">): Record<string, string> {
    const file = trustFile(server, trust);
    return server === "database" ? { PGSSLMODE: "verify-full", PGSSLROOTCERT: file } : { REDIS_TLS_CA_FILE: file };
}
