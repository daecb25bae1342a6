import { execFileSync, spawnSync } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Secret, type ResourceValidationPolicy, type StackValidationPolicy } from "@pulumi/policy";
import { expect, test } from "vitest";
import { parse } from "yaml";

import { evaluate, evaluateStack } from "../../policies/evaluate.ts";
import { policyPack } from "../../policies/pack.ts";
import { clear } from "../../policies/remediation.ts";
import type { Rule } from "../../policies/rule.ts";
import { rules } from "../../policies/table.ts";
import { at, fields, list as listOf } from "../../policies/values.ts";
import { nextMonth } from "./cases.ts";
import { compliant, container, kinds, templateOf, tokenOf } from "./pods.ts";

const { policies } = policyPack(rules, () => undefined);

function policyNamed(name: string, among = policies): ResourceValidationPolicy & Partial<StackValidationPolicy> {
    const found = among.find((policy) => policy.name === name);
    if (found === undefined) throw new Error(`no policy ${name}`);
    return found;
}

function argsFor(type: string, props: Record<string, unknown>): Parameters<NonNullable<RemediateOf>>[0] {
    return {
        type,
        props,
        name: "api",
        urn: `urn:pulumi:s::p::${type}::api`,
        opts: {
            protect: false,
            ignoreChanges: [],
            aliases: [],
            customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
            additionalSecretOutputs: [],
        },
        stackTags: new Map(),
        isType: () => false,
        asType: () => undefined,
        // The SDK's own signature names its type parameter once.
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
        getConfig: <T extends object>(): T => Object.create(null) as T,
        notApplicable: () => {
            throw new Error("not applicable");
        },
    };
}
type RemediateOf = ResourceValidationPolicy["remediateResource"];

test("policies have unique names, and all rules and the exceptions are among them", () => {
    const names = policies.map((policy) => policy.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual([...rules.map((rule) => rule.name), "exceptions-are-current"]);
});

test("another project installs the very versions that are tested here", () => {
    const versions = (file: string): Record<string, string> => {
        const json: unknown = JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"));
        return fields(at(json, "dependencies")) as Record<string, string>;
    };
    const [pack, project] = [versions("policies/package.json"), versions("package.json")];
    expect(Object.keys(pack)).toEqual(["@pulumi/policy", "@pulumi/pulumi", "yaml"]);
    expect(project).toMatchObject(pack);
});

// Pulumi's runner has TypeScript list whatever is below the working directory, each time: from the root that was the whole disk.
test("starts without reading more than a few folders", () => {
    const policies = join(import.meta.dirname, "../../policies");
    const manifest = parse(readFileSync(join(policies, "PulumiPolicy.yaml"), "utf8")) as {
        runtime: { options: { nodeargs: string } };
    };
    const runner = createRequire(import.meta.url).resolve("@pulumi/pulumi/cmd/run-plugin");
    const count =
        "const fs=require('fs'),read=fs.readdirSync;let folders=0;fs.readdirSync=(...a)=>{folders++;return read(...a)};" +
        "const write=process.stdout.write;process.stdout.write=(text)=>{write.call(process.stdout,String(folders));process.exit()}";
    const folder = mkdtempSync(join(tmpdir(), "orcheo-pack-start-"));
    try {
        const hook = join(folder, "count.cjs");
        writeFileSync(hook, count);
        const args = [...manifest.runtime.options.nodeargs.split(" "), policies, "127.0.0.1:1"];
        // The first that a pack prints is its port.
        const { stdout, stderr } = spawnSync(process.execPath, ["--require", hook, runner, ...args], {
            encoding: "utf8",
            timeout: 60_000,
        });
        expect(stdout, stderr).toMatch(/^\d+$/);
        expect(Number(stdout)).toBeLessThan(100);
    } finally {
        rmSync(folder, { recursive: true });
    }
});

test("the package contains everything it needs, compiled, and no TypeScript", () => {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-package-"));
    try {
        const policies = join(import.meta.dirname, "../../policies");
        const [tarball] = execFileSync(
            "npm",
            ["pack", "--silent", "--ignore-scripts=false", "--pack-destination", folder],
            {
                cwd: policies,
                encoding: "utf8",
            },
        )
            .trim()
            .split("\n")
            .slice(-1);
        execFileSync("tar", ["-xzf", join(folder, tarball ?? ""), "-C", folder]);
        const files = readdirSync(join(folder, "package"), { recursive: true, encoding: "utf8" });
        expect(files.filter((file) => file.endsWith(".ts"))).toEqual([]);
        for (const file of ["start.mjs", "PulumiPolicy.yaml", "dist/index.js", "dist/report.js"])
            expect(files).toContain(file);
        expect(existsSync(join(policies, "dist"))).toBe(false);
        // Below node_modules, where Node strips no types.
        const installed = join(folder, "node_modules/orcheo-policies");
        mkdirSync(join(folder, "node_modules"));
        renameSync(join(folder, "package"), installed);
        symlinkSync(join(policies, "../node_modules/yaml"), join(folder, "node_modules/yaml"));
        const { status, stderr } = spawnSync(process.execPath, [join(installed, "dist/report.js"), "-"], {
            input: JSON.stringify(compliant("Pod")),
            encoding: "utf8",
        });
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    } finally {
        rmSync(folder, { recursive: true });
    }
});

test("nothing undefined is sent to the engine with a rule's schema", () => {
    for (const policy of policies) {
        expect(JSON.parse(JSON.stringify(policy.configSchema ?? {}))).toStrictEqual(policy.configSchema ?? {});
    }
});

const remediating = rules.filter(
    (rule) => (rule.scope === "container" || rule.scope === "pod") && rule.remediate !== undefined,
);
test.each(remediating.flatMap((rule) => kinds.map((kind) => [rule, kind] as const)))(
    "$0.name remediates a bare $1, and only what it speaks of",
    async (rule, kind) => {
        const manifest = compliant(kind);
        const bare = { containers: [{ name: "a", image: "x" }], initContainers: [{ name: "b", image: "y" }] };
        templateOf(manifest)["spec"] = bare;
        const before = JSON.stringify(manifest);
        const type = tokenOf(manifest);
        const remediated = await policyNamed(rule.name).remediateResource?.(argsFor(type, manifest));
        const resource = { type, name: "api", urn: "u", props: fields(remediated) };
        if (rule.scope === "stack") throw new Error("no stack rule remediates");
        expect(evaluate(rule, resource)).toEqual([]);
        expect(JSON.stringify(manifest)).toBe(before);
        const other = rules.find((each) => each.name === "image-by-digest");
        if (other === undefined || other.scope === "stack") throw new Error("no image-by-digest");
        expect(evaluate(other, resource)).toHaveLength(2);
    },
);

test("remediation does not change compliant objects", async () => {
    const manifest = compliant("Deployment");
    const seccompProfile = { type: "Localhost", localhostProfile: "profiles/own.json" };
    const own = { name: "own", image: "x", securityContext: { seccompProfile } };
    templateOf(manifest)["spec"] = { containers: [own, { name: "bare", image: "x" }] };
    const remediated = await policyNamed("seccomp-profile").remediateResource?.(argsFor(tokenOf(manifest), manifest));
    expect(at(remediated, "spec", "template", "spec", "containers")).toEqual([
        own,
        { name: "bare", image: "x", securityContext: { seccompProfile: { type: "RuntimeDefault" } } },
    ]);
});

/** As the SDK hands inputs to a remediation: two proxies around values marked as secret. */
function asSdk(props: object): Record<string, unknown> {
    const sdk = createRequire(import.meta.url);
    const wrap = (module: string, name: string, value: unknown): unknown =>
        Reflect.apply(Reflect.get(Object(sdk(module)), name) as (value: unknown) => unknown, undefined, [value]);
    const inner = wrap("@pulumi/policy/secret.js", "secretsPreservingProxy", props);
    return fields(wrap("@pulumi/policy/proxy.js", "unknownCheckingProxy", inner));
}

test.each(remediating)("$name remediates the SDK's objects, and keeps secrets secret", async (rule) => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const env = [
        { name: "A", value: new Secret("hidden") },
        { name: "B", value: unknown },
    ];
    const bare = { containers: [{ name: "a", image: "x", env }, new Secret({ name: "b", image: "y" })] };
    const list = { kind: "List", items: [{ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: bare }] };
    const remediated = await policyNamed(rule.name).remediateResource?.(
        argsFor("kubernetes:core/v1:List", asSdk(list)),
    );
    const resource = { type: "kubernetes:core/v1:List", name: "l", urn: "u", props: fields(clear(remediated)) };
    if (rule.scope === "stack") throw new Error("no stack rule remediates");
    expect(evaluate(rule, resource)).toEqual([]);
    const spec = at(listOf(at(remediated, "items"))[0], "spec", "containers");
    expect(at(listOf(spec)[0], "env")).toEqual(env);
    expect(listOf(spec)[1]).toBeInstanceOf(Secret);
});

test("remediation does not change excepted objects", async () => {
    const manifest = compliant("Deployment");
    templateOf(manifest)["spec"] = { containers: [{ name: "bare", image: "x" }] };
    const exceptions = (rule: string): string =>
        JSON.stringify([{ rule, resource: "Deployment::api", reason: "test", expires: nextMonth }]);
    const remediated = (rule: string): unknown => {
        const pack = policyPack(rules, () => exceptions(rule));
        const policy = policyNamed("seccomp-profile", pack.policies);
        return policy.remediateResource?.(argsFor(tokenOf(manifest), manifest));
    };
    expect(await remediated("seccomp-profile")).toBeUndefined();
    expect(await remediated("no-host-path")).toBeDefined();
});

const thrower = (): never => {
    throw new Error("boom");
};

test("an object that a rule cannot remediate is refused by its validation", async () => {
    const name = "seccomp-profile";
    const broken = rules.map((rule): Rule => (rule.name === name ? { ...rule, found: thrower } : rule));
    const policy = policyNamed(name, policyPack(broken, () => undefined).policies);
    const args = argsFor("kubernetes:apps/v1:Deployment", compliant("Deployment"));
    expect(await policy.remediateResource?.(args)).toBeUndefined();
    const said: string[] = [];
    const { validateResource } = policy;
    if (typeof validateResource !== "function") throw new Error("no validation");
    await validateResource(args, (message) => said.push(message));
    expect(said.join()).toContain("cannot be evaluated");
});

test("a rule that fails refuses the object instead of letting it through", () => {
    const broken = rules.map((rule): Rule => ({ ...rule, found: thrower }));
    const resource = { type: "kubernetes:apps/v1:Deployment", name: "api", urn: "u", props: compliant("Deployment") };
    for (const rule of broken) {
        if (rule.scope === "stack")
            expect(evaluateStack(rule, [resource])[0]?.message).toContain("cannot be evaluated");
        else if (rule.scope !== "resource")
            expect(evaluate(rule, resource)[0]).toContain("cannot be evaluated (Error: boom)");
    }
});

test("a huge object is evaluated in time that grows with its size, not faster", () => {
    const secondsFor = (count: number): number => {
        const manifest = compliant("Deployment");
        const many = Array.from({ length: count }, (_, index) => container(`c${index}`));
        templateOf(manifest)["spec"] = { ...fields(templateOf(manifest)["spec"]), containers: many };
        const resource = { type: tokenOf(manifest), name: "api", urn: "u", props: manifest };
        const start = performance.now();
        const asked = rules.filter(({ name }) => name !== "pod-size");
        for (const rule of asked) if (rule.scope !== "stack") expect(evaluate(rule, resource)).toEqual([]);
        return (performance.now() - start) / 1000;
    };
    secondsFor(500);
    const [small, large] = [secondsFor(500), secondsFor(5000)];
    // Ten times the size; a rule that compared each with each would take a hundred times as long.
    expect(large).toBeLessThan(Math.max(small * 40, 2));
});
