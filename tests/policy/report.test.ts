import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { exceptionsIn } from "../../policies/exceptions.ts";
import { findings } from "../../policies/findings.ts";
import { asMarkdown, asSarif, asText } from "../../policies/formats.ts";
import { resourcesIn } from "../../policies/read.ts";
import { rules } from "../../policies/table.ts";
import { at, list } from "../../policies/values.ts";
import { goModule } from "../verdicts/go-module.ts";
import { nextMonth } from "./cases.ts";
import { compliant } from "./pods.ts";

const pod = `apiVersion: v1
kind: Pod
metadata: { name: tool }
spec: { containers: [{ name: a, image: "nginx|x" }] }
`;
/** As Pulumi's state marks a secret. */
const secret = (held: object): object => ({
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    ...held,
});
const state = { type: "aws:kms/key:Key", urn: "urn:pulumi:s::p::aws:kms/key:Key::k", inputs: {} };

let dir: string;
beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "orcheo-report-"));
});
afterAll(() => {
    rmSync(dir, { recursive: true });
});

/** The command itself, on files written into a folder of the test. */
function report(files: Readonly<Record<string, string>>, ...flags: readonly string[]): { code: number; said: string } {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
    const command = [join(import.meta.dirname, "../../policies/report.ts"), ...flags];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: dir, encoding: "utf8" });
    return { code: status ?? -1, said: stdout + stderr };
}

test("manifests, lists, exports and previews are read resource by resource, with their lines", () => {
    const files = [
        `${pod}---\n# The second.\n${JSON.stringify(compliant("Job"))}\n---\n# nothing\n`,
        `apiVersion: v1\nkind: List\nitems:\n- ${pod.trimEnd().replaceAll("\n", "\n  ")}\n- {apiVersion: v1, kind: Service}\n`,
        JSON.stringify({ apiVersion: "v1", kind: "List", items: [compliant("Pod"), compliant("Job")] }),
        JSON.stringify({ deployment: { resources: [state] } }),
        JSON.stringify({ steps: [{ op: "create", newState: state }, { op: "delete" }] }),
    ];
    const names = files.map((file) =>
        resourcesIn(file, "f").map(({ resource, line }) => `${line} ${resource.type} ${resource.name}`),
    );
    expect(names).toEqual([
        ["1 kubernetes:core/v1:Pod tool", "7 kubernetes:batch/v1:Job good-job"],
        ["4 kubernetes:core/v1:Pod tool", "8 kubernetes:core/v1:Service "],
        ["1 kubernetes:core/v1:Pod good-pod", "1 kubernetes:batch/v1:Job good-job"],
        ["1 aws:kms/key:Key k"],
        ["1 aws:kms/key:Key k"],
    ]);
    const pods = { apiVersion: "v1", kind: "PodList", items: [{ metadata: { name: "tool" } }] };
    expect(resourcesIn(JSON.stringify(pods), "f")[0]?.resource).toMatchObject({
        type: "kubernetes:core/v1:Pod",
        name: "tool",
    });
});

test("each report names rule, resource, what was found and the remedy", () => {
    const located = resourcesIn(pod, "pod.yaml");
    const all = findings(located, rules);
    const one = all.find((each) => each.rule === "image-by-digest");
    expect(one).toMatchObject({ level: "mandatory", resource: "Pod::tool", file: "pod.yaml", line: 1 });
    expect(asText(all, 1)).toContain('image-by-digest [mandatory]\n  Pod "tool", container "a" uses image "nginx|x"');
    expect(asText(all, 1)).toContain("-> Pin the image as repository@sha256:<digest>.");
    const row = asMarkdown(all, 1)
        .split("\n")
        .find((line) => line.includes("image-by-digest"));
    expect(row).toContain(String.raw`| Pod::tool | Pod "tool", container "a" uses image "nginx\|x" | Pin the image`);
});

test("the provider's default tags are found in an export", () => {
    const urn = "urn:pulumi:s::p::pulumi:providers:aws::main";
    const tags = JSON.stringify({ tags: { Project: "p", Environment: "e" } });
    const provider = { type: "pulumi:providers:aws", urn, inputs: { defaultTags: tags } };
    const untagged = { ...state, provider: `${urn}::0b1c-2d` };
    const broken = (resources: readonly object[]): readonly string[] =>
        findings(resourcesIn(JSON.stringify({ deployment: { resources } }), "f"), rules, {
            config: { "required-tags": { tags: ["Project", "Environment"] } },
        }).map((each) => each.rule);
    expect(broken([provider, untagged])).not.toContain("required-tags");
    expect(broken([untagged])).toContain("required-tags");
    // Where the file has not the provider, the resource itself has what became of its tags.
    const tagsAll = { Project: "p", Environment: "e" };
    expect(broken([{ ...untagged, outputs: { tagsAll } }])).not.toContain("required-tags");
    // Default tags that nobody may see are not known.
    const hidden = { ...provider, inputs: { defaultTags: secret({ ciphertext: "AAAA" }) } };
    expect(broken([hidden, untagged])).not.toContain("required-tags");
});

test("a secret of an export is what it holds where that is shown, and else unknown", () => {
    const type = "kubernetes:apps/v1:Deployment";
    const deployment = (containers: unknown): unknown => ({
        deployment: {
            resources: [
                {
                    type,
                    urn: `urn:pulumi:s::p::${type}::api`,
                    inputs: { spec: { template: { spec: { containers } } } },
                },
            ],
        },
    });
    const broken = (containers: unknown): readonly string[] =>
        findings(resourcesIn(JSON.stringify(deployment(containers)), "f"), rules).map((each) => each.rule);
    const env = [{ name: "PASSWORD", value: "hunter2hunter2" }];
    const held = [{ name: "a", env }];
    expect(broken(secret({ plaintext: JSON.stringify(held) }))).toContain("no-secret-literals");
    for (const hidden of [secret({ ciphertext: "AAAA" }), "[secret]"])
        expect(broken(hidden)).not.toContain("readable-pod-template");
});

test("a resource that is replaced, or yet to be deleted, is judged once, as it will be", () => {
    const key = (inputs: object, more: object = {}): object => ({ ...state, inputs, ...more });
    const read = (resources: readonly object[]): readonly unknown[] =>
        resourcesIn(JSON.stringify({ deployment: { resources } }), "f").map(({ resource }) => resource.props);
    expect(read([key({ a: 1 }), key({ a: 2 }, { delete: true })])).toEqual([{ a: 1 }]);
    const steps = [
        { op: "create-replacement", newState: key({ a: 2 }) },
        { op: "replace", newState: key({ a: 2 }) },
    ];
    expect(resourcesIn(JSON.stringify({ steps }), "f")).toHaveLength(1);
});

test("a clean file says so", () => {
    const located = resourcesIn(JSON.stringify(compliant("Pod")), "pod.json");
    expect(asText(findings(located, rules), 1)).toBe("1 resources judged: 0 mandatory and 0 advisory violations.");
});

/** The schema that OASIS publishes of SARIF 2.1.0, as a Go module carries it. */
async function sarifSchema(): Promise<z.ZodType> {
    const folder = await goModule("github.com/owenrumney/go-sarif/v3@v3.3.0");
    const source = readFileSync(join(folder, "pkg/report/v210/sarif/schema.go"), "utf8");
    // zod takes a reference, which may be relative, for a whole URL.
    const schema: unknown = JSON.parse(source.slice(source.indexOf("`") + 1, source.lastIndexOf("`")), (key, value) =>
        key === "format" && value === "uri-reference" ? undefined : (value as unknown),
    );
    expect(at(schema, "id")).toBe(at(asSarif([], rules), "$schema"));
    return z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema, { defaultTarget: "draft-4" });
}

/** What code scanning needs of it, too. */
const run = z.object({
    tool: z.object({ driver: z.object({ rules: z.array(z.object({ id: z.string() })) }) }),
    results: z.array(
        z.object({
            ruleId: z.string(),
            message: z.object({ text: z.string().min(1) }),
            locations: z.tuple([
                z.object({
                    physicalLocation: z.object({
                        artifactLocation: z.object({ uri: z.string().regex(/^[^\s\\]+$/) }),
                        region: z.object({ startLine: z.int() }),
                    }),
                }),
            ]),
        }),
    ),
});

test("SARIF obeys its published schema; every result has a rule and a line", async () => {
    const schema = await sarifSchema();
    const located = resourcesIn(pod, "my pods.yaml");
    const stackWide = { config: { "monthly-cost-within-budget": { budgetUsd: 1 } } };
    const priced = resourcesIn(
        JSON.stringify({ deployment: { resources: [{ ...state, type: "aws:eks/cluster:Cluster" }] } }),
        "f",
    );
    const exceptions = exceptionsIn([{ rule: "no-host-path" }], []);
    const all = findings([...located, ...priced], rules, { ...stackWide, exceptions });
    const report = asSarif(all, rules);
    schema.parse(report);
    schema.parse(asSarif([], rules));
    // The schema is one that can refuse.
    for (const wrong of [{ version: "2.0.0" }, { runs: [{}] }, { more: 1 }])
        expect(schema.safeParse({ ...report, ...wrong }).success).toBe(false);
    const { tool, results } = run.parse(list(at(report, "runs"))[0]);
    const ids = tool.driver.rules.map(({ id }) => id);
    const found = results.map(({ ruleId }) => ruleId);
    expect(results).toHaveLength(all.length);
    expect(found.filter((id) => !ids.includes(id))).toEqual([]);
    for (const rule of ["monthly-cost-within-budget", "exceptions-are-current"]) expect(found).toContain(rule);
    expect(results[0]?.locations[0].physicalLocation.artifactLocation.uri).toBe("my%20pods.yaml");
});

test("the command answers in four formats, the same every time, and by its exit code", () => {
    const files = { "pod.yaml": pod, "good.json": JSON.stringify(compliant("Pod")) };
    for (const format of [[], ["--json"], ["--sarif"], ["--markdown"]]) {
        const [once, again] = [report(files, ...format, "pod.yaml"), report(files, ...format, "pod.yaml")];
        expect(once.code).toBe(1);
        expect(once.said).toContain("image-by-digest");
        expect(again).toEqual(once);
    }
    expect(report(files, "good.json")).toEqual({
        code: 0,
        said: "1 resources judged: 0 mandatory and 0 advisory violations.\n",
    });
    expect(report({ "broken.yaml": "a: [" }, "broken.yaml")).toMatchObject({ code: 2 });
    expect(report({ "broken.yaml": "a: [" }, "broken.yaml").said).toMatch(/^broken\.yaml: /);
    expect(report({}, "none.yaml")).toMatchObject({ code: 2 });
    expect(report({ "empty.yaml": "---\n" }, "empty.yaml")).toEqual({
        code: 2,
        said: "empty.yaml: there is no resource in it\n",
    });
    const values = report({ "values.yaml": `${pod}---\nreplicas: 3\n` }, "values.yaml");
    expect(values.code).toBe(2);
    expect(values.said).toMatch(/^values\.yaml, line \d+: neither a Kubernetes object/);
    expect(report({}).said).toContain("usage: ");
});

test("the pack's config and the stack's exceptions hold in the report as in the engine", () => {
    const host = `${JSON.stringify({ ...compliant("Pod"), spec: { volumes: [{ name: "v", hostPath: { path: "/" } }] } })}\n`;
    const exception = (expires: string): string =>
        `config:\n  orcheo:policyExceptions:\n  - {rule: no-host-path, resource: "Pod::good-pod", reason: test, expires: ${expires}}\n`;
    const files = {
        "pod.json": host,
        "live.yaml": exception(nextMonth),
        "expired.yaml": exception("2020-01-01"),
        "advisory.json": JSON.stringify({ all: "advisory", "image-registry": "disabled" }),
    };
    expect(report(files, "pod.json").said).toContain("no-host-path");
    expect(report(files, "--stack-config", "live.yaml", "pod.json").said).not.toContain("no-host-path");
    const expired = report(files, "--stack-config", "expired.yaml", "pod.json").said;
    expect(expired).toContain("no-host-path [mandatory]");
    expect(expired).toContain("The exception from no-host-path for Pod::good-pod expired on 2020-01-01");
    const idle = report(
        { ...files, "good.json": JSON.stringify(compliant("Job")) },
        "--stack-config",
        "live.yaml",
        "good.json",
    );
    expect(idle.said).toContain("excepts nothing");
    expect(report(files, "--config", "advisory.json", "pod.json")).toMatchObject({ code: 0 });
    // The level of what is said of the exceptions is the config's too, as in the engine.
    expect(report(files, "--config", "advisory.json", "--stack-config", "expired.yaml", "pod.json")).toMatchObject({
        code: 0,
    });
    expect(report({ "odd.yaml": "a: [" }, "--stack-config", "odd.yaml", "pod.json").said).toMatch(/^odd\.yaml: /);
    expect(report(files, "--stack-config", "none.yaml", "pod.json")).toMatchObject({ code: 2 });
});
