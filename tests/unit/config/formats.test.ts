/** Standard formats: what a setting takes for an address, a range, a host, an e-mail address, a schedule, a version. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { addressesIn, holds, within } from "../../../components/config/addresses";
import { parseStack } from "../../../components/stack/read";
import { settingsOf } from "../../harness";

function problems(settings: object): string[] {
    const json = JSON.stringify({ ...settingsOf("dev"), ...settings });
    const found = parseStack({ stack: "dev", keys: [], json, secret: false }).problems;
    return found.map((problem) => `${problem.at.replace("orcheo:stack.", "")}: ${problem.remedy}`);
}
const ranges = (...privateCidrs: unknown[]) => problems({ network: { privateCidrs } });

describe("ranges of addresses", () => {
    it.each(["10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/1", "fd00::/8", "2001:db8::1/128", "FD00:EC2::/32", "::/1"])(
        "%s is one",
        (range) => {
            expect(ranges(range)).toEqual([]);
        },
    );

    it.each([
        ...["999.300.1.1/24", "abc/5", ":/999", "fd00::/129", ":::::/8", "300.1.1.1/8", "10.0.0.0/33", "10.0.0/8"],
        ...[
            "010.0.0.0/8",
            "10.0.0.0/08",
            "10.0.0.0",
            "10.0.0.0/",
            "/8",
            "10.0.0.0/8 ",
            "10.0.0.0/255.0.0.0",
            "1::2::3/8",
        ],
        ...["fe80::1%eth0/64", "::ffff:10.0.0.0/104", "::ffff:a00:0/104", "1:2:3:4:5:6:7:8:9/64", "10.0.0.0/-1", ""],
    ])("%j is none", (range) => {
        expect(ranges(range)).toEqual(["network.privateCidrs[0]: accepted: a CIDR such as 10.20.0.0/16"]);
    });

    it("an address inside a range is distinguished from the range", () => {
        expect(ranges("10.1.2.3/8", "fd00::1/64")).toEqual([
            "network.privateCidrs[0]: accepted: 10.0.0.0/8 for the whole range, or 10.1.2.3/32 for the one address (/8 leaves no bits for the rest)",
            "network.privateCidrs[1]: accepted: fd00::/64 for the whole range, or fd00::1/128 for the one address (/64 leaves no bits for the rest)",
        ]);
    });

    it("every setting that takes ranges refuses the same values", () => {
        const bad = "999.300.1.1/24";
        const reach = { kind: "addresses", cidrs: [bad] };
        const url = { kind: "secret", name: "s" };
        expect(
            problems({
                network: { ingressCidrs: [bad], dnsCidrs: [bad], privateCidrs: [bad] },
                database: { kind: "external", url, reach },
                cache: { kind: "external", url, reach },
                backup: { kind: "s3", reach },
                entrance: { controller: { kind: "awsLoadBalancer", inboundCidrs: [bad] } },
            })
                .filter((problem) => problem.includes("a CIDR"))
                .map((problem) => problem.split(":")[0]),
        ).toEqual([
            "entrance.controller.inboundCidrs[0]",
            "database.reach.cidrs[0]",
            "cache.reach.cidrs[0]",
            "network.ingressCidrs[0]",
            "network.dnsCidrs[0]",
            "network.privateCidrs[0]",
            "backup.reach.cidrs[0]",
        ]);
    });

    it("the reported case is refused with the whole message", () => {
        const filed = parse('network: {privateCidrs: ["300.1.1.1/8", "fd00::/129", ":::::/8", "abc/8"]}') as object;
        expect(problems(filed)).toHaveLength(4);
    });

    it("an address lies in its range and in no other family's", () => {
        expect([holds("fd00::/20", "fd00:ec2::254"), holds("fd00:ec2:1::/48", "fd00:ec2::254")]).toEqual([true, false]);
        expect([holds("169.254.0.0/16", "169.254.169.254"), holds("::/1", "169.254.169.254")]).toEqual([true, false]);
        fc.assert(
            fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, length) =>
                holds(`${address}/${length}`, address),
            ),
        );
    });

    it("ranges lie in others, and are counted out while they are small", () => {
        expect([within("10.96.0.1/32", "10.96.0.0/12"), within("10.0.0.0/8", "10.96.0.0/12")]).toEqual([true, false]);
        expect(addressesIn("10.0.0.252/30", 16)).toEqual(["10.0.0.252", "10.0.0.253", "10.0.0.254", "10.0.0.255"]);
        expect([addressesIn("10.0.0.0/24", 16), addressesIn("fd00::/128", 16)]).toEqual([undefined, undefined]);
    });
});

describe("hosts and URLs", () => {
    it.each(["orcheo.localhost", "a.b-c.example.com", "1a.example.com", "example.x1"])("host %s", (host) => {
        expect(problems({ host })).toEqual([]);
    });

    it.each([
        "10.0.0.1",
        "a..b",
        "-a.example.com",
        "a_b.example.com",
        `${"a".repeat(64)}.com`,
        "a.b:1",
        "a.b/",
        "A.b.com",
        "a.b.",
    ])("no host: %s", (host) => {
        expect(problems({ host })).toHaveLength(1);
    });

    it.each([
        ...["https://a..b", "https://a:99999", "https://[::::]", "https://a_b:1", "https://u:p@a.example.com"],
        ...["https://a.example.com/#x", "https://300.1.1.1", "https://a\\b.example.com", "https://"],
    ])("no URL: %s", (httpUrl) => {
        expect(problems({ outbound: { proxy: { httpUrl } } })).toEqual([
            "outbound.proxy.httpUrl: accepted: an http:// or https:// URL",
        ]);
        expect(problems({ tracing: { kind: "otlp", endpoint: httpUrl } })).toEqual([
            "tracing.endpoint: accepted: an https:// URL (http:// to pods of the cluster alone) without credentials or a query",
        ]);
    });

    it.each(["https://a.example.com:4318/v1/traces", "http://[fd00::1]:4318", "https://10.1.2.3/x?y=z"])(
        "URL %s",
        (httpUrl) => {
            expect(problems({ outbound: { proxy: { httpUrl } } })).toEqual([]);
        },
    );

    it("an impossible port is refused before it is used", () => {
        expect(problems({ backup: { kind: "s3", bucket: "abc", endpoint: "https://minio:99999" } })[0]).toContain(
            "backup.endpoint: ",
        );
    });
});

describe("e-mail addresses", () => {
    const acme = (email: string) =>
        problems({ entrance: { tls: { kind: "acme", email, solver: { kind: "http01" } } } });

    it.each(["a@example.com", "first.last+tag@mail.example.co.uk"])("%s", (email) => {
        expect(acme(email)).toEqual([]);
    });

    it.each([
        "ops",
        "a@b",
        ".a@example.com",
        "a..b@example.com",
        "a b@example.com",
        "a@-b.de",
        "<a@example.com>",
        "a@example.com,b@example.com",
    ])("%s is none", (email) => {
        expect(acme(email)).toEqual(["entrance.tls.email: accepted: an e-mail address"]);
    });
});

describe("schedules", () => {
    const backup = (schedule: string) =>
        problems({ backup: { kind: "s3", bucket: "abc", credentials: { kind: "identity" }, schedule } });

    it.each(["17 2 * * *", "*/5 * * * *", "0 1-5,22 1 */3 0", "0 0 29 2 *", "5/15 * * * *", "0 0 * * 1-5"])(
        "%s",
        (schedule) => {
            expect(backup(schedule)).toEqual([]);
        },
    );

    it.each([
        ...[
            "60 * * * *",
            "* * * *",
            "* * * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 7",
            "5-1 * * * *",
        ],
        // What croner reads and Kubernetes does not, and a day that never comes.
        ...[
            "@daily",
            "0 0 L * *",
            "0 0 * * 1#1",
            "0 0 ? * *",
            "0 0 * * MON",
            "0 0 30 2 *",
            "*/0 * * * *",
            "TZ=UTC 0 0 * * *",
            "",
            "*  * * * *",
        ],
    ])("%j is none", (schedule) => {
        expect(backup(schedule)).toHaveLength(1);
    });
});

describe("the version, which becomes a label and a tag", () => {
    it.each(["1.4.0", "1.4.0-rc.1", `1.0.0-${"a".repeat(57)}`])("%s", (version) => {
        expect(problems({ version })).toEqual([]);
    });

    it.each([
        `1.0.0-${"a".repeat(58)}`,
        "1.4.0+build.5",
        "1.4.0-rc-",
        "1.4.0-",
        "v1.4.0",
        "01.4.0",
        "1.4",
        "1.4.0-a_b",
    ])("%s is none", (version) => {
        expect(problems({ version })).toHaveLength(1);
    });
});
