/** A stack from its rendered manifests by Flux' own controllers, on a cluster of its own: the promises of docs/gitops.md. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { run } from "../../local/process.ts";
import { merge, type Settings } from "../../local/settings.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { ask, type Entrance, expected, type Workflow } from "./orcheo.ts";
import { follow, push, ready, reconciled, remove, startFlux } from "./platform/flux.ts";
import { artifacts, committed, env, eventually, NAMESPACE, report, spec, toolchain, up } from "./platform/harness.ts";
import {
    callerOf,
    imagesOf,
    inNamespace,
    publishedSettings,
    render,
    runsTheMainJob,
    stopPods,
    tokenOf,
    writes,
} from "./platform/rendered.ts";

/** For work on the tests: the cluster with the images stays, and the next run takes it as it is. */
const kept = process.env["ORCHEO_KEEP_CLUSTER"] === "1";
const namespace = "by-flux";
const folder = mkdtempSync(join(tmpdir(), "orcheo-flux-"));
const manifests = join(folder, "manifests");
const secrets = join(folder, "secrets.yaml");
let settings: Settings;
let caller: Entrance;
let workflow: Workflow;
const started: { stop?: () => void } = {};

const kube = (...args: string[]): Promise<string> => inNamespace(namespace, ...args);
const names = async (kind: string): Promise<string[]> =>
    (await kube("get", kind, "-o", "name")).split("\n").filter((name) => name !== "");
const exists = (object: string): Promise<boolean> =>
    kube("get", object, "--ignore-not-found", "-o", "name").then((found) => found.trim() !== "");

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const done = await work();
    report.note(`flux: ${what} after ${((performance.now() - start) / 1000).toFixed(0)} s`);
    return done;
}

/** Until something is as it should be: Flux looks every ten seconds. */
async function comesBack(what: string, look: () => Promise<boolean>): Promise<void> {
    const seen = await timed(what, () => eventually(90, look, (there) => there));
    expect(seen, what).toBe(true);
}

beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    const flux = await ensureToolchain(["gitops"], report);
    if (!kept) await stopCluster(spec, report, { deleteData: true });
    await startCluster(spec, toolchain, report);
    // For its images.
    await up(committed());
    settings = publishedSettings(namespace, "dev", await imagesOf(NAMESPACE));
    await stopPods(NAMESPACE);
    started.stop = await startFlux(flux, mkdtempSync(join(folder, "storage-")));
});

afterAll(async () => {
    started.stop?.();
    if (!kept) await stopCluster(spec, report, { deleteData: true });
    rmSync(folder, { recursive: true });
});

test("Flux makes the stack of an artifact; it runs the main job, and nothing is written when Flux applies it again", async () => {
    await render(folder, settings, manifests, secrets);
    await push(folder, manifests);
    await timed("ready", async () => {
        await follow();
        // The pods wait for the Secrets, as docs/gitops.md says.
        await eventually(
            120,
            () => run("kubectl", ["get", "namespace", namespace, "--ignore-not-found", "-o", "name"], { env }),
            (found) => found !== "",
        );
        await run("kubectl", ["apply", "--filename", secrets], { env });
        await ready(420);
    });
    const written = parseAllDocuments(readFileSync(secrets, "utf8")).map((each) => each.toJS() as unknown);
    caller = callerOf(namespace, tokenOf(written));
    workflow = await runsTheMainJob(caller, "by-flux");
    const before = await writes(manifests);
    expect(before.size).toBeGreaterThan(80);
    await reconciled();
    expect(await writes(manifests)).toEqual(before);
});

test("what somebody deletes or changes by hand comes back", async () => {
    await kube("delete", "service", "canvas");
    await kube("scale", "deployment", "beat", "--replicas=0");
    await comesBack("a deleted Service is there", () => exists("service/canvas"));
    const replicas = ["get", "deployment", "beat", "-o", "jsonpath={.spec.replicas}"];
    await comesBack("a changed Deployment is restored", async () => (await kube(...replicas)) === "1");
});

test("a change of the settings arrives with the next artifact", async () => {
    const before = await ready(60);
    await render(folder, merge(settings, { worker: { replicas: 2 } }), manifests);
    await push(folder, manifests);
    await timed("the change is applied and ready", () => ready(240, ({ revision }) => revision !== before));
    expect(await kube("get", "deployment", "worker", "-o", "jsonpath={.status.readyReplicas}")).toBe("2");
});

test("files that are gone take their objects along, but never data", async () => {
    const before = await ready(60);
    const fewer = join(folder, "fewer");
    cpSync(manifests, fewer, { recursive: true });
    const file = join(fewer, "kustomization.yaml");
    const kustomization = parse(readFileSync(file, "utf8")) as { resources: string[] };
    const gone = /^(deployment.apps-canvas|namespace-|persistentvolumeclaim-)/;
    const resources = kustomization.resources.filter((name) => !gone.test(name));
    expect(kustomization.resources.length - resources.length).toBe(4);
    writeFileSync(file, stringify({ ...kustomization, resources }));
    const claims = await names("pvc");
    await push(folder, fewer);
    const without = await timed("the objects are gone", () => ready(240, ({ revision }) => revision !== before));
    expect(await exists("deployment/canvas")).toBe(false);
    expect(await names("pvc")).toEqual(claims);
    await push(folder, manifests);
    await timed("they are back", () => ready(240, ({ revision }) => revision !== without));
    expect(await exists("deployment/canvas")).toBe(true);
});

test("without the application only the data stays, and the stack comes back with it", async () => {
    const claims = await names("pvc");
    expect(claims).toHaveLength(2);
    await timed("everything else is deleted", remove);
    expect([...(await names("deployments")), ...(await names("statefulsets")), ...(await names("services"))]).toEqual(
        [],
    );
    expect(await names("pvc")).toEqual(claims);
    await timed("ready again", async () => {
        await follow();
        await ready(420);
    });
    const found = await expected(ask(caller, "GET", `/api/workflows/${workflow.id}`), 200);
    expect(found).toMatchObject({ id: workflow.id });
    await runsTheMainJob(caller, "by-flux-again");
});
