/** Exceptions of the proxy: what the config accepts is asked of every client that is installed here, the rest is refused. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseStack } from "../../../components/stack/read";
import { settingsOf } from "../../harness";
import { proxyEnvironment } from "../../../components/kubernetes/proxy.plan";

function parsed(...direct: unknown[]) {
    const outbound = { proxy: { httpUrl: "http://proxy.example.com:3128", direct } };
    return parseStack({
        stack: "dev",
        keys: [],
        json: JSON.stringify({ ...settingsOf("dev"), outbound }),
        secret: false,
    });
}

function noProxy(...direct: string[]): string {
    const { stack, problems } = parsed(...direct);
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return proxyEnvironment(stack)["NO_PROXY"] ?? "";
}

describe("an exception of the proxy", () => {
    const own = noProxy();
    it.each([
        ["a.example.com", "a.example.com"],
        ["A.Example.com", "a.example.com"],
        ["intranet", "intranet"],
        [".example.com", ".example.com"],
        ["*.example.com", ".example.com"],
        ["10.1.2.3", "10.1.2.3"],
        ["10.1.2.3/32", "10.1.2.3"],
        ["10.1.2.252/30", "10.1.2.252,10.1.2.253,10.1.2.254,10.1.2.255"],
    ])("%s is reported as %s", (given, told) => {
        expect(noProxy(given)).toBe(`${own},${told}`);
    });

    it("is reported once", () => {
        expect(noProxy("localhost", ".svc", "*.example.com", ".example.com")).toBe(`${own},.example.com`);
    });

    it.each([
        ["fd00::/8", "IPv6"],
        ["fd00::1", "IPv6"],
        ["[fd00::1]", "IPv6"],
        ["[fd00::1]:8080", "IPv6"],
        ["fd00::/129", "IPv6"],
        ["10.0.0.0/8", "read no range"],
        ["10.0.0.0/24", "read no range"],
        ["a.example.com:8080", "a.example.com, without a port"],
        ["10.1.2.3:80", "10.1.2.3, without a port"],
        ["*", "left out"],
        ["a.*.example.com", "a host name"],
        ["http://a.example.com", "a host name"],
        ["a.example.com/x", "a host name"],
        ["a.example.com.", "a host name"],
        ["300.1.1.1", "a host name"],
        ["10.0.0.0/33", "a host name"],
        ["10.0.0/8", "a host name"],
        ["a.example.com,b.example.com", "a host name"],
        ["a b", "a host name"],
        ["", "a host name"],
    ])("%j is refused with what to write instead", (given, remedy) => {
        const { problems } = parsed(given);
        expect(problems.map(({ at }) => at)).toEqual(["orcheo:stack.outbound.proxy.direct[0]"]);
        expect(problems[0]?.found).toBe(`found ${JSON.stringify(given)}`);
        expect(problems[0]?.remedy).toContain(remedy);
    });

    it("the reported case is refused", () => {
        const filed = parse(
            'outbound: {proxy: {httpUrl: "http://proxy.example.com:3128", httpsUrl: "http://proxy.example.com:3128", direct: ["fd00::/8"]}}',
        ) as object;
        const json = JSON.stringify({ ...settingsOf("dev"), ...filed });
        expect(parseStack({ stack: "dev", keys: [], json, secret: false }).problems).toHaveLength(1);
    });

    it("means the same to every client, and the cluster's own names stay without the proxy", () => {
        const exceptions = noProxy("a.example.com", "*.example.org", "127.9.9.9/32");
        const direct = [
            "http://a.example.com/",
            "http://b.example.org/",
            "http://127.9.9.9:9001/",
            "http://api:9001/",
            "http://postgres.orcheo/",
        ];
        direct.push("http://llm.models.svc/", "http://llm.models.svc.cluster.local/");
        const proxied = ["http://xa.example.com/", "http://example.net/", "http://127.9.9.8:9001/"];
        const { stdout, stderr } = spawnSync("python3", ["images/backend/tests/proxy_clients.py"], {
            cwd: resolve("."),
            input: JSON.stringify([[exceptions, [...direct, ...proxied]]]),
            encoding: "utf8",
        });
        expect(stderr).toBe("");
        const answers =
            (JSON.parse(stdout) as Record<string, Record<string, Record<string, string>>>)[exceptions] ?? {};
        const clients = Object.keys(Object.values(answers)[0] ?? {});
        expect(clients).toEqual(expect.arrayContaining(["urllib", "curl", "node fetch", "node http"]));
        for (const [urls, verdict] of [
            [direct, "direct"],
            [proxied, "proxied"],
        ] as const)
            for (const url of urls)
                expect([url, answers[url]]).toEqual([
                    url,
                    Object.fromEntries(clients.map((client) => [client, verdict])),
                ]);
    });
});
