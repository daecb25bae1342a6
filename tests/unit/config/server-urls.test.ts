/** URLs of database and cache: the same verdicts as the images give (images/backend/tests/test_urls.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { serverPort, urlDemands, verifiedUrl } from "../../../components/servers/connection.plan";
import { parseStack } from "../../../components/stack/read";
import { readServerUrl, type ServerName } from "../../../components/config/server-urls";
import { planNetworkPolicies } from "../../../components/network/network.plan";
import { settingsOf } from "../../harness";

interface Vector {
    readonly server: ServerName;
    readonly url: string;
    readonly refused?: string;
    readonly host?: string;
    readonly port?: number;
}
const vectors = JSON.parse(readFileSync("tests/fixtures/server-urls.json", "utf8")) as Vector[];

function parsed(server: ServerName, url: object, port?: number) {
    const settings = { ...settingsOf("dev"), [server]: { kind: "external", url, ...(port && { port }) } };
    return parseStack({ stack: "dev", keys: [], json: JSON.stringify(settings), secret: true });
}
const value = (url: string) => ({ kind: "value", value: url });
const secret = { kind: "secret", name: "theirs" };

describe("each URL is read or refused as the images do", () => {
    it.each(vectors)("$server $url", ({ server, url, refused, host, port }) => {
        const { problems } = parsed(server, value(url));
        const text = JSON.stringify(problems);
        expect(text).not.toContain("s3cr");
        if (refused !== undefined) {
            expect(problems.map(({ at }) => at)).toContain(`orcheo:stack.${server}.url.value`);
            // A line end is refused by the setting itself.
            if (!url.endsWith("\n"))
                expect(
                    refused.split("|").some((part) => text.includes(JSON.stringify(part).slice(1, -1))),
                    text,
                ).toBe(true);
            expect(() => verifiedUrl(server, url, { kind: "system" })).toThrow();
            return;
        }
        expect(problems).toEqual([]);
        expect(readServerUrl(server, url)).toMatchObject({ host: host?.includes(":") ? `[${host}]` : host, port });
        const [base = "", query = ""] = url.split("?");
        const verified = verifiedUrl(server, url, { kind: "system" });
        expect(verified.startsWith(`${base}?`)).toBe(true);
        // What else was written is left to the letter.
        for (const pair of query.split("&")) expect(verified).toContain(pair);
        const keys =
            server === "database"
                ? ["sslmode=verify-full", "sslrootcert="]
                : ["ssl_cert_reqs=required", "ssl_ca_certs="];
        for (const key of keys) expect(verified.split(key)).toHaveLength(2);
    });
});

describe("the port", () => {
    const opened = (server: ServerName, url: object, port?: number): string => {
        const { stack, problems } = parsed(server, url, port);
        if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
        const settings = stack[server];
        if (settings.kind !== "external") throw new Error(settings.kind);
        const number = serverPort(server, settings);
        const reach = { kind: "addresses", cidrs: ["10.0.0.1/32"] } as const;
        const policies = planNetworkPolicies({ ...stack, [server]: { ...settings, reach } });
        expect(JSON.stringify(policies["backend-out"])).toContain(
            `{"to":[{"ipBlock":{"cidr":"10.0.0.1/32"}}],"ports":[{"port":${number},"protocol":"TCP"}]}`,
        );
        return String(number);
    };
    const url = "postgresql://orcheo:s3cret@db.example.com:6432/orcheo";

    it("that is opened is the URL's own, else the setting, else the usual one", () => {
        expect(opened("database", value(url))).toBe("6432");
        expect(opened("database", value(url), 6432)).toBe("6432");
        expect(opened("database", value(url.replace(":6432", "")))).toBe("5432");
        expect(opened("cache", value("rediss://:s3cret@cache.example.com:6380/0"))).toBe("6380");
        expect(opened("cache", secret, 6390)).toBe("6390");
        expect(opened("cache", secret)).toBe("6379");
    });

    it("that differs from the URL's is refused", () => {
        expect(parsed("database", value(url), 5432).problems).toEqual([
            {
                at: "orcheo:stack.database.port",
                found: "found 5432",
                remedy: "accepted: 6432, the port of database.url.value; or leave it out",
            },
        ]);
    });

    it("is passed to the image, which compares a URL that the program never reads", () => {
        const connection = {
            url: { kind: "secret", secretName: "s", key: "k" },
            trust: { kind: "system" },
            port: 6380,
        } as const;
        const file = "/etc/ssl/certs/ca-certificates.crt";
        expect(urlDemands("cache", connection)).toEqual({ REDIS_PORT_OPEN: "6380", REDIS_TLS_CA_FILE: file });
        expect(urlDemands("database", connection)).toEqual({
            POSTGRES_PORT_OPEN: "6380",
            PGSSLMODE: "verify-full",
            PGSSLROOTCERT: file,
        });
    });
});
