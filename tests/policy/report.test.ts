import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { findings } from "../../policies/findings.ts";
import { asMarkdown, asSarif, asText } from "../../policies/formats.ts";
import { resourcesIn } from "../../policies/read.ts";
import { rules } from "../../policies/table.ts";
import { compliant } from "./pods.ts";

const pod = `apiVersion: v1
kind: Pod
metadata: { name: tool }
spec: { containers: [{ name: a, image: "nginx|x" }] }
`;
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
        findings(resourcesIn(JSON.stringify({ deployment: { resources } }), "f"), rules).map((each) => each.rule);
    expect(broken([provider, untagged])).not.toContain("required-tags");
    expect(broken([untagged])).toContain("required-tags");
});

test("a clean file says so", () => {
    const located = resourcesIn(JSON.stringify(compliant("Pod")), "pod.json");
    expect(asText(findings(located, rules), 1)).toBe("1 resources judged: 0 mandatory and 0 advisory violations.");
});

/** The part of SARIF 2.1.0 that the report uses, with what the standard and code scanning require of it. */
const level = z.enum(["error", "warning"]);
const message = z.strictObject({ text: z.string().min(1) });
const sarif = z.strictObject({
    $schema: z.url(),
    version: z.literal("2.1.0"),
    runs: z.tuple([
        z.strictObject({
            tool: z.strictObject({
                driver: z.strictObject({
                    name: z.string().min(1),
                    rules: z.array(
                        z.strictObject({
                            id: z.string().min(1),
                            shortDescription: message,
                            help: message,
                            helpUri: z.url(),
                            defaultConfiguration: z.strictObject({ level }),
                        }),
                    ),
                }),
            }),
            results: z.array(
                z.strictObject({
                    ruleId: z.string().min(1),
                    level,
                    message,
                    locations: z.tuple([
                        z.strictObject({
                            physicalLocation: z.strictObject({
                                artifactLocation: z.strictObject({ uri: z.string().regex(/^[^\s\\]+$/) }),
                                region: z.strictObject({ startLine: z.int().min(1) }),
                            }),
                            logicalLocations: z.tuple([z.strictObject({ fullyQualifiedName: z.string().min(1) })]),
                        }),
                    ]),
                }),
            ),
        }),
    ]),
});

test("SARIF has the shape of the standard, every result a rule and a line", () => {
    const located = resourcesIn(pod, "my pods.yaml");
    const stackWide = { config: { "monthly-cost-within-budget": { budgetUsd: 1 } } };
    const priced = resourcesIn(
        JSON.stringify({ deployment: { resources: [{ ...state, type: "aws:eks/cluster:Cluster" }] } }),
        "f",
    );
    const all = findings([...located, ...priced], rules, stackWide);
    const [run] = sarif.parse(asSarif(all, rules)).runs;
    const ids = run.tool.driver.rules.map(({ id }) => id);
    expect(run.results).toHaveLength(all.length);
    expect(run.results.map(({ ruleId }) => ruleId).filter((id) => !ids.includes(id))).toEqual([]);
    expect(run.results.map(({ ruleId }) => ruleId)).toContain("monthly-cost-within-budget");
    expect(run.results[0]?.locations[0].physicalLocation.artifactLocation.uri).toBe("my%20pods.yaml");
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
    expect(report({}).said).toContain("usage: ");
});

test("the pack's config and the stack's exceptions hold in the report as in the engine", () => {
    const host = `${JSON.stringify({ ...compliant("Pod"), spec: { volumes: [{ name: "v", hostPath: { path: "/" } }] } })}\n`;
    const exception = (expires: string): string =>
        `config:\n  orcheo:policyExceptions:\n  - {rule: no-host-path, resource: "Pod::good-pod", reason: test, expires: ${expires}}\n`;
    const files = {
        "pod.json": host,
        "live.yaml": exception("9999-12-31"),
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
    expect(report(files, "--stack-config", "none.yaml", "pod.json")).toMatchObject({ code: 2 });
});
