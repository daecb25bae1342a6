/**
 * pulumi-package/ in another program, evaluated by Pulumi's engine: what it would make is what the program of a stack with the same settings
 * would. Needs no cluster.
 */
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { projectDir } from "../../local/paths.ts";
import { committedFile, readStackFile } from "../../local/pulumi.ts";
import { settingsOf } from "../../local/settings.ts";
import { at, fields, list, text } from "../../policies/values.ts";
import { pythonPackages } from "../e2e/platform/python.ts";
import {
    generatedPackage,
    inPython,
    inPythonWithTypes,
    inYaml,
    writtenProgram,
} from "../local/documented-component.ts";
import { environment, pulumi } from "../verdicts/engine.ts";
// The types of what own-stack.ts takes from its project's setup.
import type {} from "../verdicts/aws/account.ts";
import { published, withOwnStack } from "../verdicts/own-stack.ts";
import { withoutCluster } from "./no-cluster.ts";

const folder = withoutCluster("languages");
const password = "planted-password-31c8";
/** The inputs of the programs in docs/component.md. */
const documented = {
    kubernetes: { context: "our-cluster" },
    registry: { prefix: "registry.example.com/orcheo", pull: { kind: "credentials", username: "puller" } },
    version: "0.1.0",
    images: { kind: "published", ...published, backup: undefined },
};

/** A preview of the program in component/, whose stack has the name and project of our own, with these inputs of the component. */
async function previewed(
    inputs: Readonly<Record<string, unknown>>,
    secrets: Readonly<Record<string, unknown>> = {},
): Promise<{ code: number; output: string; stdout: string }> {
    const state = mkdtempSync(join(folder, "state-"));
    const program = join(import.meta.dirname, "component");
    const env = { ...environment(state), INPUTS: join(state, "inputs.json") };
    writeFileSync(env.INPUTS, JSON.stringify({ inputs, secrets }));
    copyFileSync(join(projectDir, "Pulumi.yaml"), join(state, "Pulumi.yaml"));
    await pulumi(state, ["stack", "init", "dev"], env);
    const stack = ["--stack", "dev", "--config-file", join(state, "stack.yaml")];
    return pulumi(program, ["preview", "--json", "--non-interactive", ...stack], env);
}

/** The resources that a preview would make, each with its inputs; those that Pulumi names itself without the made-up part. */
function planned(json: string): ReadonlyMap<string, unknown> {
    const steps = list(at(JSON.parse(json), "steps")).map((step) => at(step, "newState"));
    const own = steps.filter(
        (state) => !/^(pulumi:pulumi:Stack|orcheo:index:Platform)$/.test(text(at(state, "type")) ?? ""),
    );
    return new Map(
        own.map((state) => {
            const urn = text(at(state, "urn")) ?? "";
            const inputs = JSON.stringify(at(state, "inputs") ?? {}).replaceAll(/"([a-z-]+)-[0-9a-f]{8}"/g, '"$1"');
            return [`${text(at(state, "type")) ?? ""} ${urn.split("::").at(-1) ?? ""}`, JSON.parse(inputs)];
        }),
    );
}

/** The files of a program, with the digests of the images that the test names. */
const withDigests = (files: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(
        Object.entries(files).map(([name, content]) => [
            name,
            content.replaceAll("sha256:…", `sha256:${"a".repeat(64)}`),
        ]),
    );

test("the programs of docs/component.md in YAML and in Python, with and without types, make what one in JavaScript does", async () => {
    const expected = await previewed(documented, { registryPassword: password });
    expect(expected.code, expected.output).toBe(0);
    const resources = planned(expected.stdout);
    expect(resources.size).toBeGreaterThan(100);
    // The labels of objects have the name of the project.
    const ofProject = (json: string): typeof resources => planned(json.replaceAll("our-platform-dev", "orcheo-dev"));

    const yaml = await writtenProgram(folder, withDigests({ "Pulumi.yaml": inYaml() }), environment, password);
    expect(parse(readFileSync(join(yaml.folder, "Pulumi.yaml"), "utf8"))).toMatchObject({
        packages: { orcheo: "../orcheo/pulumi-package" },
    });
    const python = await writtenProgram(folder, withDigests(inPython()), environment, password);
    const packages = await pythonPackages(join(import.meta.dirname, "languages", "requirements.lock"));
    python.env.PYTHONPATH = [packages, python.env.PYTHONPATH].join(delimiter);
    const typed = await writtenProgram(folder, withDigests(inPythonWithTypes()), environment, password);
    const generated = await generatedPackage(typed, packages);
    typed.env.PYTHONPATH = [generated, typed.env.PYTHONPATH].join(delimiter);
    for (const program of [yaml, python, typed]) {
        const preview = ["preview", "--json", "--non-interactive", "--stack", "dev"];
        const { code, output, stdout } = await pulumi(program.folder, preview, program.env);
        expect(code, output).toBe(0);
        expect(ofProject(stdout)).toEqual(resources);
        expect(output).not.toContain(password);
    }
});

test("another program makes the resources of this one with the same settings, below one component", async () => {
    const committed = settingsOf(readStackFile(committedFile("dev")), "dev");
    await withOwnStack(
        "dev",
        committed,
        async (stack) => {
            const settings: unknown = parse(readFileSync(join(stack.folder, "stack.yaml"), "utf8"));
            const own = planned(await stack.run("preview", "--json"));
            const { code, stdout, output } = await previewed(fields(at(settings, "config", "orcheo:stack")));
            expect(code, output).toBe(0);
            const component = planned(stdout);
            expect(own.size).toBeGreaterThan(100);
            expect([...component.keys()].sort()).toEqual([...own.keys()].sort());
            for (const [key, inputs] of own) expect(component.get(key), key).toEqual(inputs);
            const urns = list(at(JSON.parse(stdout), "steps")).map((step) => text(at(step, "urn")) ?? "");
            const outside = urns.filter((urn) => !urn.includes("orcheo:index:Platform"));
            expect(outside.filter((urn) => !/pulumi:(pulumi:Stack|providers:)/.test(urn))).toEqual([]);
        },
        "stand-in",
    );
});

test("all that is wrong with the inputs is reported at once, by their names, and no secret is shown", async () => {
    const url = `postgres://orcheo:${password}@db.example.com/orcheo`;
    const { code, output } = await previewed(
        {
            kubernetes: { context: "nowhere" },
            registry: { prefix: "registry.example.com/orcheo", pull: { kind: "credentials" } },
            images: { kind: "build" },
            worker: { replicas: -1 },
        },
        { registryPassword: password, database: { kind: "external", url: { kind: "value", value: url } } },
    );
    expect(code).not.toBe(0);
    expect(output).toContain('orcheo:index:Platform \\"orcheo\\": ');
    for (const told of [
        'images.kind: found [secret]; accepted: \\"published\\"',
        "version: is missing; ",
        "registry.pull.username: is missing; ",
        "worker.replicas: found [secret]; ",
        'kubernetes.context: found \\"nowhere\\", which is no context of ',
    ])
        expect(output).toContain(`  - ${told}`);
    expect(output).not.toContain(password);
    expect(output).not.toContain("orcheo:stack");
});

test("a preview shows no secret", async () => {
    const { code, output, stdout } = await previewed(
        {
            kubernetes: { context: "none" },
            registry: { prefix: "registry.example.com/orcheo", pull: { kind: "credentials", username: "puller" } },
            version: "0.1.0",
            images: { kind: "published", ...published },
        },
        { registryPassword: password },
    );
    expect(code, output).toBe(0);
    expect(planned(stdout).get("kubernetes:core/v1:Secret cluster-pull")).toBeDefined();
    expect(output).not.toContain(password);
    expect(output).not.toContain(Buffer.from(password).toString("base64"));
});
