/** The stack in its other forms, each on the cluster with the images of "elsewhere": plain manifests, and a component of somebody's program. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { run } from "../../../local/process.ts";
import { merge, type Settings } from "../../../local/settings.ts";
import { ensureToolchain } from "../../../local/toolchain/build.ts";
import { inPython, inYaml, type Program, writtenProgram } from "../../local/documented-component.ts";
import { block } from "../docs.ts";
import { endurance } from "../endurance.ts";
import { answerOf, ask, at, createWorkflow, dispatch, ended } from "../orcheo.ts";
import { attempt, attemptIn, env, type Outcome, report, spec, toolchain, writesOf, type Written } from "./harness.ts";
import { pythonPackages } from "./python.ts";

const inNamespace = (namespace: string, ...args: string[]): Promise<string> =>
    run("kubectl", ["--namespace", namespace, ...args], { env, timeoutSeconds: 300 });

/** The images of the stack that somebody brought here, by digest. */
async function builtImages(): Promise<Settings> {
    const workloads = {
        backend: ["deployment/api", "api"],
        canvas: ["deployment/canvas", "canvas"],
        postgres: ["statefulset/postgres", "postgres"],
        valkey: ["statefulset/valkey", "valkey"],
    } as const;
    const images: Record<string, string> = {};
    for (const [name, [workload, container]] of Object.entries(workloads)) {
        const path = `jsonpath={.spec.template.spec.containers[?(@.name=="${container}")].image}`;
        images[name] = await inNamespace("elsewhere", "get", workload, "-o", path);
        expect(images[name]).toMatch(/@sha256:[0-9a-f]{64}$/);
    }
    return images;
}

/** Where Orcheo keeps the first token, in one of these Secrets. */
const tokenOf = (secrets: readonly unknown[]): string => {
    const values = secrets.map((each) => at(each, "data", "auth-bootstrap-service-token"));
    return Buffer.from(values.find((value) => typeof value === "string") ?? "", "base64").toString();
};

async function runsTheMainJob(namespace: string, token: string): Promise<void> {
    const caller = {
        origin: `https://${namespace}.localhost:${spec.ports.https}`,
        caFile: clusterInfo(spec).caFile,
        token,
    };
    expect((await ask(caller, "GET", "/api/system/health")).status).toBe(200);
    const workflow = await createWorkflow(caller, "0.33", `e2e-${namespace}`);
    expect(answerOf(await ended(caller, await dispatch(caller, workflow)))).toBe(42);
}

/** Who wrote what of the objects in a folder of manifests, and when. */
async function writes(folder: string): Promise<Map<string, unknown>> {
    const shown = await run("kubectl", ["get", "--kustomize", folder, "--show-managed-fields", "-o", "json"], { env });
    const { items } = JSON.parse(shown) as { items: readonly Written[] };
    return new Map(items.map((each) => [`${each.kind} ${each.metadata.name}`, writesOf(each)]));
}

const apply = (...how: string[]): Promise<string> => run("kubectl", ["apply", ...how], { env });

/** Flux applies on the server's side, and becomes the owner first. */
async function settlesForFlux(folder: string): Promise<void> {
    const how = ["--server-side", "--force-conflicts", "--field-manager=kustomize-controller", "--kustomize", folder];
    await apply(...how);
    const before = await writes(folder);
    await apply(...how);
    expect(await writes(folder)).toEqual(before);
    const { code, output } = await attempt("kubectl", ["diff", ...how]);
    expect(code, output).toBe(0);
}

export function otherForms(): void {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-forms-"));
    let images: Settings;
    let tools = toolchain.path;

    /** Of a stack in its own namespace, whose name is also its host's. */
    const settingsOf = (namespace: string): Settings => {
        const { context, kubeconfig, registry } = clusterInfo(spec);
        return {
            kubernetes: { context, kubeconfig, namespace },
            registry: { prefix: `${registry}/elsewhere` },
            images: { kind: "published", ...images },
            version: "1.0.0",
            host: `${namespace}.localhost`,
            entrance: { port: spec.ports.https },
            api: { scaling: { minReplicas: 1, maxReplicas: 1 } },
        };
    };

    /** Pulumi with its state in a folder, as somebody's whose own cluster this is. */
    const environment = (state: string): NodeJS.ProcessEnv => ({
        HOME: process.env.HOME,
        KUBECONFIG: env.KUBECONFIG,
        PATH: [tools, process.env.PATH].join(delimiter),
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_HOME: join(folder, "home"),
        PULUMI_SKIP_UPDATE_CHECK: "true",
    });

    beforeAll(async () => {
        images = await builtImages();
        // The smallest node has no room for another stack beside the two that are here.
        for (const kind of ["deployments", "statefulsets"])
            await inNamespace("elsewhere", "scale", kind, "--all", "--replicas=0");
    });

    afterAll(() => {
        rmSync(folder, { recursive: true });
    });

    test("rendered manifests, applied by kubectl alone, become a stack that runs the main job; applied again, they change nothing", async () => {
        const namespace = "rendered";
        const output = join(folder, "manifests");
        const secrets = join(folder, "secrets.yaml");
        const settings = join(folder, "settings.yaml");
        writeFileSync(settings, stringify({ config: { "orcheo:stack": settingsOf(namespace) } }));
        const documented = block("gitops.md", "npm run render").trim();
        const command = documented
            .replace(/--output \S+/, `--output ${output}`)
            .replace(/--secrets \S+/, `--secrets ${secrets}`);
        expect(command).not.toBe(documented);
        await run("bash", ["-c", `${command} --config-file ${settings}`], { env: environment(folder) });

        await apply("--kustomize", output);
        // As after a sync by Argo CD or Flux: pods exist, and wait for them.
        await apply("--filename", secrets);
        await inNamespace(namespace, "wait", "--for=condition=Available", "deployment", "--all", "--timeout=240s");
        const written = parseAllDocuments(readFileSync(secrets, "utf8")).map((each) => each.toJS() as unknown);
        await runsTheMainJob(namespace, tokenOf(written));

        // As Argo CD applies. What kubectl says of it is no measure: it sends lists as a whole.
        const before = await writes(output);
        expect(before.size).toBeGreaterThan(80);
        await apply("--kustomize", output);
        expect(await writes(output)).toEqual(before);
        if (endurance) await settlesForFlux(output);
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
            await runsTheMainJob(namespace, tokenOf(items));
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
