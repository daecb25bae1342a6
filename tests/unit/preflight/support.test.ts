/** Versions whose support ends: the warnings, and the versions that this repository itself names. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { checkCluster } from "../../../components/preflight/cluster-checks";
import { clusterSupport, settingsSupport } from "../../../components/preflight/support.plan";
import { parseStack } from "../../../components/stack/read";
import table from "../../../policies/support-ends.json";
import { everythingNew } from "../../aws-programs";
import { fakeCluster } from "../../fake-cluster";
import { goodProbes, run, settingsOf } from "../../harness";

type Settings = Record<string, unknown> & { aws: { cluster: Record<string, unknown> } };
const prod = everythingNew as Settings;
const withEks = (version: string): Settings => ({
    ...prod,
    aws: { ...prod.aws, cluster: { ...prod.aws.cluster, version } },
});

function settings(value: object, today: string, secret = false) {
    const { sections, problems } = parseStack({ stack: "prod", keys: [], json: JSON.stringify(value), secret });
    expect(problems).toEqual([]);
    return settingsSupport(sections, today, secret);
}
const version = (gitVersion: string): string => JSON.stringify({ gitVersion });

it("the program's copy of the dates' rules is that of the policy pack", async () => {
    const source = readFileSync("policies/support.ts", "utf8");
    const code = source
        .slice(source.indexOf("import "))
        .replace('"./support-ends.json" with { type: "json" }', '"../../policies/support-ends.json"');
    const header = "/** Copied from policies/support.ts by `npm run docs`; do not edit. */\n";
    await expect(header + code).toMatchFileSnapshot("../../../components/preflight/support-dates.ts");
});

describe("aws.cluster.version", () => {
    it.each([
        ["ended", "1.33", "2026-11-27", /^found "1.33", whose support ended on 2026-07-29 \(Amazon EKS, standard/],
        ["ends today", "1.34", "2026-12-02", /whose support ends on 2026-12-02, in 0 days/],
        ["ends within 90 days", "1.35", "2026-12-27", /whose support ends on 2027-03-27, in 90 days/],
        ["is older than the table", "1.21", "2026-11-27", /whose support has ended/],
        ["is not known", "1.99", "2026-11-27", /whose end of support is not known/],
    ])("is reported when support %s", (_, eks, today, found) => {
        expect(settings(withEks(eks), today)).toEqual([
            {
                at: "orcheo:stack.aws.cluster.version",
                found: expect.stringMatching(found) as string,
                remedy: expect.stringMatching(
                    /^upgrade to (\d\.\d+ or )*1\.37, one minor version at a time;/,
                ) as string,
            },
        ]);
    });

    it("is not reported with more than 90 days left", () => {
        expect(settings(withEks("1.35"), "2026-12-26")).toEqual([]);
    });

    it("is not shown when the settings are secret", () => {
        expect(settings(withEks("1.33"), "2026-11-27", true)[0]?.found).toMatch(
            /^found \[secret\], whose support ended/,
        );
    });
});

it("a PostgreSQL that RDS stops supporting is reported", () => {
    const database = { ...(prod["database"] as object), engineMajor: 15 };
    expect(settings({ ...prod, database }, "2028-01-01").at(-1)).toMatchObject({
        at: "orcheo:stack.database.engineMajor",
        found: expect.stringMatching(/^found 15, whose support ends on 2028-02-29/) as string,
    });
    expect(settings({ ...prod, database }, table.asOf)).toEqual([]);
});

describe("the version of an existing cluster", () => {
    it.each([
        ["v1.34.4", "2026-11-27", /runs Kubernetes 1.34, whose support ended on 2026-10-27 \(Kubernetes\)$/],
        ["v1.34.4-eks-bc34d", "2026-11-27", /runs Kubernetes 1.34, whose support ends on 2026-12-02.*Amazon EKS/],
        ["v1.34.1+k3s1", "2026-11-27", /runs Kubernetes 1.34, whose support ended/],
        ["v1.99.0", "2026-11-27", /end of support is not known/],
        ["v1.22.3", "2026-11-27", /whose support has ended/],
    ])("%s is reported", (gitVersion, today, found) => {
        expect(clusterSupport("mine", version(gitVersion), today)).toEqual([
            {
                at: "orcheo:stack.kubernetes.context",
                found: expect.stringMatching(found) as string,
                remedy: expect.stringMatching(/^upgrade to (1\.35 or )?1\.36 or 1\.37,/) as string,
            },
        ]);
    });

    it("of a vendor may be supported longer", () => {
        const [found] = clusterSupport("mine", version("v1.33.5-gke.1080000"), "2026-11-27");
        expect(found?.remedy).toMatch(/, unless its vendor supports it longer$/);
    });

    it.each([version("v1.37.2"), version("v1.36.3-eks-1"), "{}", "no JSON", "null"])("%s is not reported", (answer) => {
        expect(clusterSupport("mine", answer, "2026-11-27")).toEqual([]);
    });

    it("is a warning that stops no update", async () => {
        const { kubernetes } = settingsOf("dev") as { kubernetes: never };
        const cluster = () => Promise.resolve(fakeCluster([], { "/version": version("v1.34.4") }));
        const { problems, warnings } = await checkCluster({ kubernetes }, { ...goodProbes, cluster }, true, []);
        expect(problems).toEqual([]);
        expect(warnings).toEqual([expect.stringContaining('the cluster of "orcheo-local" runs Kubernetes 1.34')]);
    });
});

it("a stack whose EKS version has ended is still deployed", async () => {
    const { error } = await run({ stack: "prod", settings: withEks("1.33") }, false);
    expect(error).toBeUndefined();
});

describe("the versions of this repository", () => {
    const eksDefault = "1.37";

    it("EKS's default has nine months of standard support left", () => {
        const { stack } = parseStack({ stack: "prod", keys: [], json: JSON.stringify(prod), secret: false });
        expect(stack?.aws?.cluster).toMatchObject({ version: eksDefault });
        const nineMonths = new Date(table.asOf);
        nineMonths.setUTCMonth(nineMonths.getUTCMonth() + 9);
        expect(Date.parse(table.products.eks.ends[eksDefault])).toBeGreaterThan(nineMonths.getTime());
    });

    it.each([...readdirSync("examples").map((file) => `examples/${file}`), "Pulumi.prod.yaml"])(
        "%s names no older Kubernetes than the default",
        (file) => {
            if (!file.endsWith(".yaml")) return;
            const text = readFileSync(file, "utf8");
            parse(text);
            const named = [...text.matchAll(/^\s*(?:podSecurityVersion|version): "?v?(1\.\d\d)"?\s*$/gm)];
            expect(named.map(([, minor]) => minor).filter((minor) => minor !== eksDefault)).toEqual([]);
        },
    );
});

it("the table names a source for each product, and dates only", () => {
    for (const { name, source, ends } of Object.values(table.products)) {
        expect(name).not.toBe("");
        expect(source).toMatch(/^https:\/\//);
        for (const end of Object.values(ends)) if (end !== null) expect(end).toMatch(/^20\d\d-[01]\d-[0-3]\d$/);
    }
});
