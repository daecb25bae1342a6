import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import { exceptionsIn } from "../../policies/exceptions.ts";
import { findings } from "../../policies/findings.ts";
import { asMarkdown, asSarif, asText } from "../../policies/formats.ts";
import { resourcesIn } from "../../policies/read.ts";
import { gradedRules, inProfile, type Profile } from "../../policies/profiles.ts";
import { exceptionsAreCurrent } from "../../policies/rules/exceptions-are-current.ts";
import { settingsProblems } from "../../policies/settings.ts";
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

test("each report names rule, resource, finding and remedy", () => {
    const located = resourcesIn(pod, "pod.yaml");
    const all = findings(located, rules);
    const one = all.find((each) => each.rule === "image-by-digest");
    expect(one).toMatchObject({ level: "mandatory", resource: "Pod::tool", file: "pod.yaml", line: 1 });
    const inputs = { located, problems: [], skipped: [] };
    const said = asText(all, inputs);
    expect(said).toContain("Pod::tool  (pod.yaml:1)\n");
    expect(said).toContain('  medium    image-by-digest: Pod "tool", container "a" uses image "nginx|x"\n');
    expect(said).toContain("  image-by-digest -> Pin the image as repository@sha256:<digest>.");
    const row = asMarkdown(all, inputs)
        .split("\n")
        .find((line) => line.includes("image-by-digest"));
    expect(row).toContain(String.raw`Pod "tool", container "a" uses image "nginx\|x" | Pin the image`);
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

test("a secret of an export has its value if that is shown, and is unknown otherwise", () => {
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

test("a resource that is replaced, or yet to be deleted, is evaluated once, as it will be", () => {
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
    const said = asText(findings(located, rules), { located, problems: [], skipped: [] });
    expect(said).toBe("1 resources evaluated: 0 mandatory and 0 advisory violations.");
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
        said: "1 resources evaluated: 0 mandatory and 0 advisory violations.\n",
    });
    for (const wrong of [["none.yaml"], ["--no-such-option", "pod.yaml"], ["--profile", "base", "pod.yaml"], []]) {
        expect(report(files, ...wrong), wrong.join(" ")).toMatchObject({ code: 2 });
    }
    expect(report({}).said).toContain("usage: ");
});

const fixture = (name: string): string =>
    readFileSync(new URL(`../fixtures/policies/report/${name}`, import.meta.url), "utf8");

test("objects that cannot be evaluated are named, and all others are evaluated", () => {
    const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
    const object = (spec: string): string =>
        `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d"},"data":${spec}}`;
    const wrong: Readonly<Record<string, [content: string, says: string]>> = {
        "broken.yaml": ["a: [", "broken.yaml, line 1: "],
        "empty.yaml": ["---\n", "empty.yaml, line 1: there is no resource in it"],
        "values.yaml": [`${pod}---\nreplicas: 3\n`, "values.yaml, line 6: neither a Kubernetes object"],
        "cyclic.yaml": [fixture("cyclic.yaml"), "cyclic.yaml, line 1: an object is within itself"],
        "deep.json": [object(deep(20_000)), "deep.json, line 1: it is nested more than 500 levels deep"],
        "deep.yaml": [`# YAML\n${object(deep(20_000))}`, "deep.yaml, line 2: it is nested too deeply"],
        "laughs.yaml": [
            ["a0: &a0 x"]
                .concat(Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`))
                .join("\n"),
            "laughs.yaml, line 1: it stands for more than",
        ],
        "template.yaml": ["{{- if .Values.x }}\nkind: Pod\n{{- end }}", "template.yaml, line 1: "],
        "kustomization.yaml": [
            "resources: [pod.yaml]\nimages: [{name: a, newTag: b}]\n",
            "which changes objects by images",
        ],
    };
    const files = Object.fromEntries(Object.entries(wrong).map(([name, [content]]) => [name, content]));
    const { code, said } = report({ ...files, "pod.yaml": pod }, "pod.yaml", ...Object.keys(files));
    expect(code).toBe(3);
    for (const [, says] of Object.values(wrong))
        expect(said).toContain(`not evaluated: ${says.startsWith("which") ? "" : says}`);
    expect(said).toContain("kustomization.yaml, line 1: a kustomization, which changes objects by images");
    expect(said).toContain("image-by-digest");
    expect(said).not.toContain("cannot be evaluated");
    for (const name of Object.keys(files)) expect(report(files, name), name).toMatchObject({ code: 3 });
    // SARIF and JSON name it too.
    expect(report(files, "--json", "broken.yaml").said).toContain('"notEvaluated": [');
    expect(report(files, "--sarif", "broken.yaml").said).toContain('"executionSuccessful": false');
});

test("aliases, merged keys and kinds called like members of JavaScript's objects are evaluated", () => {
    const members = ["constructor", "__proto__", "hasOwnProperty", "toString"].flatMap((kind) => [
        JSON.stringify({ apiVersion: "v1", kind, metadata: { name: kind } }),
        JSON.stringify({ apiVersion: `${kind}/v1`, kind: "Deployment", metadata: { name: kind } }),
    ]);
    const types = ["constructor", "__proto__", "aws:ec2/instance:Instance"].map((type) => ({
        ...{ type, urn: `urn:pulumi:s::p::${type}::web` },
        inputs: JSON.parse('{"instanceType": "constructor", "__proto__": {"a": 1}}') as unknown,
    }));
    const files = {
        "aliases.yaml": fixture("aliases-150.yaml"),
        "members.yaml": members.join("\n---\n"),
        "members.json": JSON.stringify({ deployment: { resources: types } }),
        "merged.yaml": `apiVersion: v1\nkind: Pod\nmetadata: {name: m}\nspec:\n  containers: []\n  <<: {hostNetwork: true}\n`,
    };
    const { code, said } = report(files, "--json", "--profile", "baseline", ...Object.keys(files));
    expect(said).not.toContain("cannot be evaluated");
    const found: unknown = JSON.parse(said);
    expect(at(found, "notEvaluated")).toEqual([]);
    expect(at(found, "evaluated")).toBe(150 + members.length + types.length + 1);
    expect(list(at(found, "findings")).map((each) => at(each, "rule"))).toContain("no-host-namespaces");
    expect(code).toBe(1);
    const budget = { config: { "monthly-cost-within-budget": { budgetUsd: 1 } } };
    const costs = findings(resourcesIn(files["members.json"], "f"), rules, budget).map(({ message }) => message);
    expect(costs.join("\n")).toContain('There is no price for Instance "web"');
    expect(costs.join("\n")).not.toContain("NaN");
});

test("folders and standard input are read; other files in a folder are ignored", () => {
    mkdirSync(join(dir, "shop/node_modules/x"), { recursive: true });
    const kustomization = "resources: [good.json]\nnamespace: shop\n";
    const files = {
        "shop/good.json": JSON.stringify(compliant("Pod")),
        "shop/kustomization.yaml": kustomization,
        "shop/values.yaml": "replicas: 3\n",
        "shop/README.md": "{{",
        "shop/node_modules/x/bad.yaml": pod,
    };
    expect(report(files, "shop")).toEqual({
        code: 0,
        said: "1 resources evaluated: 0 mandatory and 0 advisory violations.\n",
    });
    expect(report({ "shop/bad.yaml": pod }, "shop").said).toContain(`Pod::tool  (${join("shop", "bad.yaml")}:1)`);
    rmSync(join(dir, "shop/good.json"));
    rmSync(join(dir, "shop/bad.yaml"));
    expect(report({}, "shop")).toMatchObject({ code: 3 });
    const command = [join(import.meta.dirname, "../../policies/report.ts"), "-"];
    expect(spawnSync(process.execPath, command, { input: pod, encoding: "utf8" }).stdout).toContain("Pod::tool  (-:1)");
});

test("links in a folder are followed, once: a link that leads nowhere is named, and one that leads back ends", () => {
    mkdirSync(join(dir, "mounted/data"), { recursive: true });
    writeFileSync(join(dir, "mounted/data/linked.yaml"), pod);
    mkdirSync(join(dir, "linking"));
    symlinkSync("../mounted/data/linked.yaml", join(dir, "linking/pod.yaml"));
    symlinkSync("..", join(dir, "mounted/up"));
    symlinkSync("../linking", join(dir, "linking/self"));
    expect(report({}, "linking").said).toContain(`Pod::tool  (${join("linking", "pod.yaml")}:1)`);
    symlinkSync("nowhere.yaml", join(dir, "linking/gone.yaml"));
    const { code, said } = report({}, "linking", "mounted/data");
    expect(code).toBe(3);
    expect(said).toContain(`not evaluated: ${join("linking", "gone.yaml")}, line 1:`);
    expect(said).toContain("2 resources evaluated");
    rmSync(join(dir, "mounted/up"));
});

test("a template that was not rendered is named, with its line, and not evaluated", () => {
    const content = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n";
    const { code, said } = report({ "template.yaml": content }, "template.yaml");
    expect(code).toBe(3);
    expect(said).toContain("template.yaml, line 4: a template that has not been rendered");
    expect(said).not.toContain("Warning");
});

test("misspelt rules, levels and settings are refused with the nearest name, before anything is evaluated", () => {
    const { code, said } = report(
        { "typo.json": fixture("typo.json"), "pod.yaml": pod },
        "--config",
        "typo.json",
        "pod.yaml",
    );
    expect(code).toBe(2);
    expect(said.trim().split("\n")).toEqual([
        'typo.json: all: there is no level "advisroy"; did you mean "advisory"?',
        'typo.json: there is no rule "no-such-rule"',
        'typo.json: image-registry: there is no setting "registry"; did you mean "registries"?',
    ]);
    const of = (config: unknown): readonly string[] => settingsProblems(config, rules);
    expect(of({ "image-by-digst": "disabled" })).toEqual([
        'there is no rule "image-by-digst"; did you mean "image-by-digest"?',
    ]);
    expect(of({ "image-by-digest": { enforcementLevel: "mandatroy" } })[0]).toContain('did you mean "mandatory"?');
    expect(of({ "image-registry": { registries: "r" } })).toEqual([
        'image-registry: "registries" must be a list of texts',
    ]);
    expect(of({ "rds-backup-retention": { days: 1.5 } })).toEqual([
        'rds-backup-retention: "days" must be a whole number',
    ]);
    expect(of({ all: 3, constructor: "disabled" })).toHaveLength(2);
    expect(of([])).toHaveLength(1);
    expect(of({ all: "advisory", "image-registry": { registries: [], enforcementLevel: "disabled" } })).toEqual([]);
});

test("a profile has fewer rules, and exceptions from other rules are ignored", () => {
    const broken = (profile?: Profile): readonly string[] => {
        const exceptions = exceptionsIn(
            [{ rule: "requests-and-limits", resource: "Pod::none", reason: "r", expires: nextMonth }],
            rules.map(({ name }) => name),
        );
        return [...new Set(findings(resourcesIn(pod, "f"), rules, { profile, exceptions }).map(({ rule }) => rule))];
    };
    expect(broken("baseline")).toEqual([]);
    expect(broken("restricted")).toContain("run-as-non-root");
    expect(broken("restricted")).not.toContain("requests-and-limits");
    expect(broken()).toEqual(
        expect.arrayContaining([...broken("restricted"), "requests-and-limits", "exceptions-are-current"]),
    );
    const host = pod.replace("spec: {", "spec: { hostNetwork: true,");
    const files = { "host.yaml": host, "stack.yaml": "config: {orcheo:policyProfile: baseline}\n" };
    const said = report(files, "--stack-config", "stack.yaml", "host.yaml").said;
    expect(said).toContain("no-host-namespaces");
    expect(said).not.toContain("run-as-non-root");
    const wrong = report(
        { "stack.yaml": "config: {orcheo:policyProfile: basline}\n" },
        "--stack-config",
        "stack.yaml",
        "host.yaml",
    );
    expect(wrong).toEqual({ code: 2, said: 'there is no profile "basline"; did you mean "baseline"?\n' });
});

test("every rule has a severity and a profile, and nothing else has", () => {
    const names = [...rules.map(({ name }) => name), exceptionsAreCurrent.name];
    for (const name of names) expect(inProfile(name, "full")).toBe(true);
    const of = (profile: Profile): readonly string[] => names.filter((name) => inProfile(name, profile));
    expect(of("baseline").length).toBeGreaterThan(10);
    expect(of("restricted").length).toBeGreaterThan(of("baseline").length);
    expect(of("full")).toEqual(names);
    expect([...gradedRules].sort()).toEqual([...names].sort());
});

test("a baseline leaves what is new", () => {
    const known = report({ "pod.yaml": pod }, "--json", "pod.yaml").said;
    const moved = { "known.json": known, "moved.yaml": `# moved\n${pod}` };
    expect(report(moved, "--baseline", "known.json", "moved.yaml")).toEqual({
        code: 0,
        said: "1 resources evaluated: 0 mandatory and 0 advisory violations.\n",
    });
    const more = `${pod}---\n${pod.replace("name: tool", "name: other")}`;
    const fresh = report({ ...moved, "more.yaml": more }, "--baseline", "known.json", "more.yaml");
    expect(fresh.code).toBe(1);
    expect(fresh.said).toContain("Pod::other");
    expect(fresh.said).not.toContain("Pod::tool");
    // A second one of the same name is new, too.
    const twice = report({ ...moved, "twice.yaml": `${pod}---\n${pod}` }, "--baseline", "known.json", "twice.yaml");
    expect(twice.code).toBe(1);
    expect(report(moved, "--baseline", "moved.yaml", "moved.yaml")).toMatchObject({ code: 2 });
});

test("a cyclic object does not abort a report with exceptions", () => {
    const spec: Record<string, unknown> = { containers: [] };
    spec["again"] = spec;
    const resource = { type: "kubernetes:core/v1:Pod", name: "cyc", urn: "u", props: { spec } };
    const names = rules.map(({ name }) => name);
    const exceptions = exceptionsIn(
        at(parse(fixture("cyclic-exceptions.yaml")), "config", "orcheo:policyExceptions"),
        names,
    );
    const all = findings([{ file: "f", line: 1, resource }], rules, { exceptions, now: new Date("2026-12-01") });
    expect(all.map(({ rule }) => rule)).toContain("exceptions-are-current");
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
    expect(expired).toContain("critical  no-host-path: ");
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
