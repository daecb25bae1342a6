/** The stack from one update to the next, to its end. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { pulumiDir } from "../../../local/platform.ts";
import { readStackFile } from "../../../local/pulumi.ts";
import { merge, settingsOf } from "../../../local/settings.ts";
import { ask, at } from "../orcheo.ts";
import {
    attempt,
    caller,
    committed,
    current,
    env,
    eventually,
    expectReady,
    kube,
    NAMESPACE,
    pulumi,
    putSettings,
    quickScaling,
    readyPods,
    spec,
    STACK,
    up,
} from "./harness.ts";
import { steadyLoad } from "./load.ts";
import { blocks } from "./runbooks.ts";

export function secondRun(): void {
    test("changes nothing, and refresh finds no drift", async () => {
        const preview = await pulumi("preview", "--expect-no-changes");
        expect(preview.output.slice(-3000)).toMatch(/\d+ unchanged/);
        expect(preview.code).toBe(0);
        const second = await pulumi("up", "--yes", "--expect-no-changes");
        expect(second.code, second.output.slice(-3000)).toBe(0);
        const refresh = await pulumi("refresh", "--yes", "--expect-no-changes");
        expect(refresh.code, refresh.output.slice(-3000)).toBe(0);
    });

    test("no secret is in the outputs, the preview's details or the state", async () => {
        const outputs = await pulumi("stack", "output", "--json", "--show-secrets");
        const state = await pulumi("stack", "export");
        const details = await pulumi("preview", "--diff", "--show-sames");
        for (const { output } of [outputs, state, details]) expect(output).not.toContain(caller().token);
    });
}

export function load(): void {
    // With nothing else that the stack would change there, and the scaling that the next test needs.
    test("what kubectl scaled, set and added, the next update names and takes back", async () => {
        const worker = ["get", "deployment", "worker", "-o", "json"];
        const others = ["get", "pods", "-l", "app.kubernetes.io/component in (beat, postgres)", "-o", "name"];
        const before = await kube(...others);
        await kube("scale", "deployment/worker", "--replicas=2");
        await kube("scale", "deployment/api", "--replicas=0");
        await kube("set", "env", "deployment/canvas", "--containers=canvas", "ADDED=by-hand");
        const file = join(pulumiDir(spec), `Pulumi.${STACK}.yaml`);
        putSettings(file, merge(settingsOf(readStackFile(file), file), quickScaling));
        const { code, output } = await pulumi("up", "--yes", "--skip-preview");
        expect(code, output.slice(-3000)).toBe(0);
        const changedByHand = (name: string) => `Deployment ${NAMESPACE}/${name} was changed outside of Pulumi`;
        expect(output).toContain(`${changedByHand("worker")}: spec.replicas: 2 instead of 1 (`);
        // Nothing but an update brings it back: at 0 its autoscaler is off.
        expect(output).toContain(`${changedByHand("api")}: spec.replicas: 0 instead of 2 (`);
        expect(output).toMatch(/containers\[canvas\]\.env\[ADDED\] was added \(kubectl-set, /);
        await expectReady("api", 240, 2);
        const answers = () => ask(caller(), "GET", "/api/workflows").then(({ status }) => status);
        expect(await eventually(30, answers, (status) => status === 200)).toBe(200);
        expect(at(JSON.parse(await kube(...worker)), "spec", "replicas")).toBe(1);
        expect(await kube("get", "deployment", "canvas", "-o", "json")).not.toContain("by-hand");
        expect(await kube(...others)).toBe(before);
    });

    test("under load the autoscaler adds API pods, and takes them away again", async () => {
        const before = await readyPods("api");
        const endLoad = steadyLoad(120, 130);
        const most = await eventually(
            130,
            () => readyPods("api"),
            (n) => n > before,
        );
        const measured = await kube("get", "hpa", "api", "-o", "jsonpath={.status.currentMetrics}");
        await endLoad();
        expect(most).toBeGreaterThan(before);
        expect(measured).toContain("averageUtilization");
        const after = await eventually(
            240,
            () => readyPods("api"),
            (n) => n === before,
        );
        expect(after, await kube("describe", "hpa", "api")).toBe(before);
    });
}

export function refusedUpgrade(): void {
    test("is refused with what to do first, and the old version keeps serving", async () => {
        const next = merge(current(), { release: "0.46", version: "0.2.0" });
        const server = ["get", "pod", "postgres-0", "-o", "jsonpath={.metadata.uid}"];
        const before = await kube(...server);
        await expect(up(next)).rejects.toThrow("pulumi up");
        // A new version of Orcheo is no reason to restart its database.
        expect(await kube(...server)).toBe(before);
        const logs = await kube("logs", "-l", "app.kubernetes.io/component=init", "--tail=-1");
        expect(logs).toContain("there is no upgrade in place");
        expect(logs).toContain("Do this first: 1. keep this database for 0.33");
        expect((await ask(caller(), "GET", "/api/workflows")).status).toBe(200);
    });

    test("the runbook takes the stack back to recorded images, without a builder", async () => {
        const file = join(pulumiDir(spec), `Pulumi.${STACK}.yaml`);
        const { release, version } = merge({ release: "0.33" }, committed());
        const settings = settingsOf(readStackFile(file), file);
        putSettings(file, merge(settings, { release, version, images: { builder: "gone" } }));
        const list = await kube("get", "configmap", "updates", "-o", "jsonpath={.data.updates\\.yaml}");
        const [latest] = parse(list) as { number: number; images: object; settings: unknown }[];
        if (latest === undefined) throw new Error("no update is recorded");
        expect(latest.settings).toMatchObject({ version });

        const [commands = "", forget = ""] = blocks("rollback.md", (section) =>
            section.startsWith("Without building anything"),
        );
        const yes = commands.replace("pulumi up", "pulumi up --yes").replace("NUMBER", String(latest.number));
        const { code, output } = await attempt("bash", ["-c", `set -euo pipefail\n${yes}`], env);
        expect(code, output.slice(-3000)).toBe(0);
        expect(output).toContain(`the images are those of update ${latest.number} of`);
        // The recorded update may have made backups as well.
        const running = JSON.parse((await pulumi("stack", "output", "images", "--json")).output) as object;
        expect(latest.images).toMatchObject(running);
        expect((await ask(caller(), "GET", "/api/workflows")).status).toBe(200);
        const preview = await pulumi("preview", "--diff", "--expect-no-changes");
        expect(preview.code, preview.output.slice(-6000)).toBe(0);
        expect((await attempt("bash", ["-c", forget], env)).code).toBe(0);
    });
}

export function destroy(): void {
    test("pulumi destroy leaves what is protected, and the guide says how to remove it", async () => {
        const images = await pulumi("stack", "output", "images", "--json");
        const { output: steps } = await pulumi("stack", "output", "nextSteps", "--json");
        expect(steps).toContain("pulumi destroy --exclude-protected");
        const { code, output } = await pulumi("destroy", "--exclude-protected", "--yes");
        expect(code, output.slice(-3000)).toBe(0);
        expect(await kube("get", "pods", "-o", "name")).toBe("");
        expect((await kube("get", "pvc", "-o", "name")).trim().split("\n").sort()).toEqual([
            "persistentvolumeclaim/postgres-data",
            "persistentvolumeclaim/valkey-data",
        ]);
        // The same images are built again, and the data is still there: the next `up` finds the workflows again.
        const { images: again } = await up(current());
        expect(again).toEqual(JSON.parse(images.output));
        expect(JSON.stringify((await ask(caller(), "GET", "/api/workflows")).body)).toContain("e2e-set");
        expect((await pulumi("state", "unprotect", "--all", "--yes")).code).toBe(0);
        expect((await pulumi("destroy", "--yes")).code).toBe(0);
        await kube("delete", "namespace", NAMESPACE, "--wait=true", "--timeout=120s");
    });
}
