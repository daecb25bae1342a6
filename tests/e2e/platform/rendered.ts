/** A stack in its other forms, with the images of one that was deployed here: its settings, its manifests, and its main job. */
import { writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect } from "vitest";
import { stringify } from "yaml";
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { run } from "../../../local/process.ts";
import type { Settings } from "../../../local/settings.ts";
import { block } from "../docs.ts";
import { answerOf, ask, at, createWorkflow, dispatch, ended, type Entrance, type Workflow } from "../orcheo.ts";
import { env, spec, toolchain, writesOf, type Written } from "./harness.ts";

export const inNamespace = (namespace: string, ...args: string[]): Promise<string> =>
    run("kubectl", ["--namespace", namespace, ...args], { env, timeoutSeconds: 300 });

/** The images of a stack, by digest. */
export async function imagesOf(namespace: string): Promise<Settings> {
    const workloads = {
        backend: ["deployment/api", "api"],
        canvas: ["deployment/canvas", "canvas"],
        postgres: ["statefulset/postgres", "postgres"],
        valkey: ["statefulset/valkey", "valkey"],
    } as const;
    const images: Record<string, string> = {};
    for (const [name, [workload, container]] of Object.entries(workloads)) {
        const path = `jsonpath={.spec.template.spec.containers[?(@.name=="${container}")].image}`;
        images[name] = await inNamespace(namespace, "get", workload, "-o", path);
        expect(images[name]).toMatch(/@sha256:[0-9a-f]{64}$/);
    }
    return images;
}

/** Makes room: the smallest node has none for another stack. */
export async function stopPods(namespace: string): Promise<void> {
    for (const kind of ["deployments", "statefulsets"])
        await inNamespace(namespace, "scale", kind, "--all", "--replicas=0");
}

/** Settings of a stack in its own namespace, whose name is also its host's. */
export function publishedSettings(namespace: string, owner: string, images: Settings): Settings {
    const { context, kubeconfig, registry } = clusterInfo(spec);
    return {
        kubernetes: { context, kubeconfig, namespace },
        registry: { prefix: `${registry}/${owner}` },
        images: { kind: "published", ...images },
        version: "1.0.0",
        host: `${namespace}.localhost`,
        entrance: { port: spec.ports.https },
        api: { scaling: { minReplicas: 1, maxReplicas: 1 } },
    };
}

/** Pulumi with its state in a folder, as somebody's whose own cluster this is. */
export const pulumiEnvironment = (home: string, state: string, tools = toolchain.path): NodeJS.ProcessEnv => ({
    HOME: process.env.HOME,
    KUBECONFIG: env.KUBECONFIG,
    PATH: [tools, process.env.PATH].join(delimiter),
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_HOME: home,
    PULUMI_SKIP_UPDATE_CHECK: "true",
});

/** Runs the command of docs/gitops.md. @param secrets  a file for them; without it they are not made */
export async function render(folder: string, settings: Settings, output: string, secrets?: string): Promise<void> {
    const file = join(folder, "settings.yaml");
    writeFileSync(file, stringify({ config: { "orcheo:stack": settings } }));
    const documented = block("gitops.md", "npm run render").trim();
    const command = documented
        .replace(/--output \S+/, `--output ${output}`)
        .replace(/--secrets \S+/, secrets === undefined ? "" : `--secrets ${secrets}`);
    expect(command).not.toBe(documented);
    await run("bash", ["-c", `${command} --config-file ${file}`], {
        env: pulumiEnvironment(join(folder, "home"), folder),
    });
}

/** Where Orcheo keeps the first token, in one of these Secrets. */
export const tokenOf = (secrets: readonly unknown[]): string => {
    const values = secrets.map((each) => at(each, "data", "auth-bootstrap-service-token"));
    return Buffer.from(values.find((value) => typeof value === "string") ?? "", "base64").toString();
};

/** The first token's owner at the front door of a stack with published settings. */
export const callerOf = (namespace: string, token: string): Entrance => ({
    origin: `https://${namespace}.localhost:${spec.ports.https}`,
    caFile: clusterInfo(spec).caFile,
    token,
});

export async function runsTheMainJob(caller: Entrance, handle: string): Promise<Workflow> {
    expect((await ask(caller, "GET", "/api/system/health")).status).toBe(200);
    const workflow = await createWorkflow(caller, "0.33", handle);
    expect(answerOf(await ended(caller, await dispatch(caller, workflow)))).toBe(42);
    return workflow;
}

/** Who wrote what of the objects in a folder of manifests, and when. */
export async function writes(folder: string): Promise<Map<string, unknown>> {
    const shown = await run("kubectl", ["get", "--kustomize", folder, "--show-managed-fields", "-o", "json"], { env });
    const { items } = JSON.parse(shown) as { items: readonly Written[] };
    return new Map(items.map((each) => [`${each.kind} ${each.metadata.name}`, writesOf(each)]));
}
