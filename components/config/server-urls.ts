/**
 * URLs of a database and a cache, read as libpq, redis-py and kombu read them: what two of them would understand
 * differently is refused. images/backend/orcheo_runtime/urls.py holds the same rules; tests/fixtures/server-urls.json is for both.
 *
 * @see https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
import { isUrlHost } from "./addresses";
import { ports } from "./ports";

export type ServerName = "database" | "cache";

interface Rules {
    readonly schemes: readonly string[];
    readonly port: number;
    /** Query keys, each with the values that are accepted. */
    readonly keys: Readonly<Record<string, RegExp>>;
    /** Query keys that messages name, each with the reason. */
    readonly refused: Readonly<Record<string, string>>;
    /** What ends or splits the URL for one of its readers. */
    readonly raw: string;
}

const number = /^\d{1,9}$/;
const text = /^[\x20-\x7e]+$/;
const elsewhere = (part: string): string => `which the URL says as its ${part}`;

const rules: Readonly<Record<ServerName, Rules>> = {
    database: {
        schemes: ["postgresql://", "postgres://"],
        port: ports.postgres,
        keys: {
            sslmode: /^verify-full$/,
            application_name: text,
            channel_binding: /^(prefer|require)$/,
            client_encoding: /^utf-?8$/i,
            connect_timeout: number,
            fallback_application_name: text,
            gssencmode: /^(disable|prefer)$/,
            keepalives: /^[01]$/,
            keepalives_count: number,
            keepalives_idle: number,
            keepalives_interval: number,
            options: text,
            require_auth: /^scram-sha-256$/,
            ssl_min_protocol_version: /^TLSv1\.[23]$/,
            sslnegotiation: /^(postgres|direct)$/,
            sslsni: /^1$/,
            target_session_attrs: /^(any|read-write|primary)$/,
            tcp_user_timeout: number,
        },
        refused: {
            sslrootcert: "which follows from authority",
            ssl: "which is JDBC's; libpq has sslmode=verify-full",
            host: elsewhere("host"),
            hostaddr: elsewhere("host"),
            port: elsewhere("port"),
            user: elsewhere("user"),
            password: elsewhere("password"),
            dbname: elsewhere("path"),
        },
        raw: "\\[]",
    },
    cache: {
        schemes: ["rediss://"],
        port: ports.valkey,
        // Celery hands every other key to a constructor that does not know it.
        keys: { ssl_cert_reqs: /^required$/, ssl_check_hostname: /^true$/i },
        refused: {
            ssl_ca_certs: "which follows from authority",
            db: elsewhere("path"),
            host: elsewhere("host"),
            port: elsewhere("port"),
            username: elsewhere("user"),
            password: elsewhere("password"),
        },
        // Celery takes `;` for the end of one broker's URL.
        raw: "\\[];",
    },
};

export interface ServerUrl {
    /** Each without showing any of the URL but its known keys. */
    readonly problems: readonly string[];
    /** Without the query. */
    readonly base: string;
    readonly host: string;
    readonly port: number;
    readonly query: readonly (readonly [key: string, value: string])[];
}

const encoded = (character: string): string =>
    `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
const listed = (characters: readonly string[]): string =>
    characters.map((each) => `${each} as ${encoded(each)}`).join(", ");
const among = (value: string, characters: string): string[] =>
    Array.from(characters).filter((each) => value.includes(each));

/** Problems with a URL as a whole, before it can be split into parts. */
function malformed({ schemes, raw }: Rules, url: string): string[] {
    const scheme = schemes.find((each) => url.startsWith(each));
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return ["no URL"];
    if (scheme === undefined) return [`a URL that does not begin with ${schemes[0] ?? ""}`];
    const rest = url.slice(scheme.length);
    const behindUser = rest.slice(rest.lastIndexOf("@") + 1);
    const user = rest.slice(0, rest.length - behindUser.length).slice(0, -1);
    const split = [...among(user, "/?@"), ...among(rest, "#"), ...among(user, raw)];
    return [
        ...(/^[\x21-\x7e]*$/.test(url)
            ? []
            : ["a space, a control character or one that is not ASCII: write it as %XX"]),
        ...(split.length === 0
            ? []
            : [`characters that end the password, or the URL, for some clients: write ${listed(split)}`]),
        ...(/%(?![0-9a-f]{2})|%00/i.test(rest)
            ? ["a % without two hexadecimal digits, or with 00, behind it: write % itself as %25"]
            : []),
    ];
}

function hostProblems(place: string, host: string, port: string | undefined): string[] {
    if (place.includes(",")) return ["several hosts: name one, for instance a name that leads to the primary"];
    const problems: string[] = [];
    if (host === "") problems.push("a URL without a host");
    else if (host.includes("%"))
        problems.push("a percent-encoded host: give a name or an address, not a socket's path");
    else if (!isUrlHost(host)) problems.push("a host that is neither a name nor an address (IPv6 in brackets)");
    if (port !== undefined && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535))
        problems.push("a port that is none: give one from 1 to 65535, or leave out the colon");
    return problems;
}

function pathProblems(server: ServerName, path: string): string[] {
    if (server === "cache")
        return /^(\/\d{0,4})?$/.test(path) ? [] : ["a database that is no number: clients would silently take 0"];
    return path.slice(1).includes("/") ? ["a database's name with a raw /: write / as %2F"] : [];
}

function queryProblems({ keys, refused }: Rules, pairs: readonly string[]): string[] {
    const seen = new Set<string>();
    return pairs.flatMap((pair) => {
        const [key = "", value, ...more] = pair.split("=");
        const accepted = Object.hasOwn(keys, key) ? keys[key] : undefined;
        const why = Object.hasOwn(refused, key) ? refused[key] : undefined;
        if (why !== undefined) return [`${key}, ${why}`];
        if (accepted === undefined) return [`a query key other than ${Object.keys(keys).join(", ")}`];
        if (seen.has(key)) return [`${key} twice`];
        seen.add(key);
        if (value === undefined || more.length > 0 || value.includes("+"))
            return [`a value of ${key} with a raw = or +, or none: write = as %3D, + as %2B, a space as %20`];
        if (accepted.test(decoded(value))) return [];
        const only = /^\^[\w.-]+\$$/.test(accepted.source) ? accepted.source.slice(1, -1) : undefined;
        return [only === undefined ? `a value of ${key} that is not accepted` : `${key} other than ${only}`];
    });
}

function decoded(value: string): string {
    try {
        return decodeURIComponent(value);
    } catch {
        return "\0";
    }
}

export function readServerUrl(server: ServerName, url: string): ServerUrl {
    const own = rules[server];
    const nothing = { base: url, host: "", port: own.port, query: [] };
    const problems = malformed(own, url);
    if (problems.length > 0) return { ...nothing, problems };
    const [base = "", ...queries] = url.split("?");
    const query = queries.join("?");
    const authority = base.slice(base.indexOf("://") + 3);
    const [, place = "", path = ""] = /^([^/]*)(.*)$/.exec(authority.slice(authority.indexOf("@") + 1)) ?? [];
    const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(place) ?? [];
    const pairs = query === "" ? [] : query.split("&");
    return {
        base,
        host,
        port: port === undefined ? own.port : Number(port),
        query: pairs.map((pair) => {
            const [key = "", value = ""] = pair.split("=");
            return [key, value];
        }),
        problems: [...hostProblems(place, host, port), ...pathProblems(server, path), ...queryProblems(own, pairs)],
    };
}

export const defaultPort = (server: ServerName): number => rules[server].port;
