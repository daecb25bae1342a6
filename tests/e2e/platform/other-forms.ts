/** The stack in its other forms, each on the cluster with the images of "elsewhere": plain manifests, and a component of somebody's program. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { run } from "../../../local/process.ts";
import { merge, type Settings } from "../../../local/settings.ts";
import { ensureToolchain } from "../../../local/toolchain/build.ts";
import { inPython, inYaml, type Program, writtenProgram } from "../../local/documented-component.ts";
import { endurance } from "../endurance.ts";
import { attemptIn, env, type Outcome, report, spec, toolchain } from "./harness.ts";
import { pythonPackages } from "./python.ts";
import {
    callerOf,
    imagesOf,
    inNamespace,
    publishedSettings,
    pulumiEnvironment,
    render,
    runsTheMainJob,
    stopPods,
    tokenOf,
    writes,
} from "./rendered.ts";

const apply = (...how: string[]): Promise<string> => run("kubectl", ["apply", ...how], { env });

export function otherForms(): void {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-forms-"));
    let images: Settings;
    let tools = toolchain.path;

    const settingsOf = (namespace: string): Settings => publishedSettings(namespace, "elsewhere", images);
    const environment = (state: string): NodeJS.ProcessEnv => pulumiEnvironment(join(folder, "home"), state, tools);

    beforeAll(async () => {
        images = await imagesOf("elsewhere");
        // There are two stacks here already.
        await stopPods("elsewhere");
    });

    afterAll(() => {
        rmSync(folder, { recursive: true });
    });

    test("rendered manifests, applied by kubectl alone, become a stack that runs the main job; applied again, they change nothing", async () => {
        const namespace = "rendered";
        const output = join(folder, "manifests");
        const secrets = join(folder, "secrets.yaml");
        await render(folder, settingsOf(namespace), output, secrets);

        await apply("--kustomize", output);
        // As after a sync by Argo CD or Flux: pods exist, and wait for them.
        await apply("--filename", secrets);
        await inNamespace(namespace, "wait", "--for=condition=Available", "deployment", "--all", "--timeout=240s");
        const written = parseAllDocuments(readFileSync(secrets, "utf8")).map((each) => each.toJS() as unknown);
        await runsTheMainJob(callerOf(namespace, tokenOf(written)), `e2e-${namespace}`);

        // As Argo CD applies. What kubectl says of it is no measure: it sends lists as a whole.
        const before = await writes(output);
        expect(before.size).toBeGreaterThan(80);
        await apply("--kustomize", output);
        expect(await writes(output)).toEqual(before);
        await inNamespace(namespace, "delete", "namespace", namespace, "--wait=false");
    });

    if (endurance) componentPrograms();

    function componentPrograms(): void {
        const password = "planted-password-31c8";
        let namespace: string;

        beforeAll(async () => {
            tools = (await ensureToolchain(["pulumi", "cluster", "languages"], report)).path;
        });

        afterEach(async () => {
            await inNamespace(namespace, "delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s");
        });

        /** Creates the stack, shows that it works and that nothing is left to do, and destroys it. */
        async function lives(program: Program): Promise<void> {
            const pulumi = (...args: string[]): Promise<Outcome> =>
                attemptIn(program.folder, "pulumi", [...args, "--non-interactive", "--stack", "dev"], program.env);
            const succeeds = async (...args: string[]): Promise<string> => {
                const { code, output } = await pulumi(...args);
                expect(code, output.slice(-3000)).toBe(0);
                return output;
            };
            const created = await succeeds("up", "--yes", "--skip-preview");
            expect(created).not.toContain(password);
            expect(await succeeds("stack", "output", "url")).toContain(
                `https://${namespace}.localhost:${spec.ports.https}`,
            );
            const secret = ["get", "secret", "--output", "json"];
            const { items } = JSON.parse(await inNamespace(namespace, ...secret)) as { items: readonly object[] };
            await runsTheMainJob(callerOf(namespace, tokenOf(items)), `e2e-${namespace}`);
            await succeeds("up", "--yes", "--skip-preview", "--expect-no-changes");
            await succeeds("destroy", "--exclude-protected", "--yes", "--skip-preview");
            expect(await inNamespace(namespace, "get", "pods", "-o", "name")).toBe("");
            const kept = (await inNamespace(namespace, "get", "pvc", "-o", "name")).trim().split("\n");
            expect(kept.sort()).toEqual(["persistentvolumeclaim/postgres-data", "persistentvolumeclaim/valkey-data"]);
        }

        test("the documented component in YAML is created, has nothing to change, and keeps its data when it is destroyed", async () => {
            namespace = "in-yaml";
            const documented = parse(inYaml()) as { resources: { orcheo: { properties: Settings } } };
            const { orcheo } = documented.resources;
            orcheo.properties = merge(orcheo.properties, settingsOf(namespace));
            await lives(await writtenProgram(folder, { "Pulumi.yaml": stringify(documented) }, environment, password));
        });

        test("the documented component in Python lives as the one in YAML does", async () => {
            namespace = "in-python";
            const files = inPython();
            const program = files["__main__.py"] ?? "";
            // The settings of this cluster over those of the page.
            const settings = `import json\n\n\ndef merged(one, other):\n    both = {**one, **other}\n    return {k: merged(one[k], v) if k in one and isinstance(v, dict) else v for k, v in both.items()}\n\n\nHERE = json.loads(${JSON.stringify(JSON.stringify(settingsOf(namespace)))})\n`;
            const here = `${settings}\n${program.replace("{**settings, ", "{**merged(settings, HERE), ")}`;
            expect(here).toContain("merged(settings, HERE)");
            const written = await writtenProgram(folder, { ...files, "__main__.py": here }, environment, password);
            const packages = await pythonPackages(
                join(import.meta.dirname, "..", "..", "publish", "languages", "requirements.lock"),
            );
            written.env.PYTHONPATH = packages;
            await lives(written);
        });
    }
}
