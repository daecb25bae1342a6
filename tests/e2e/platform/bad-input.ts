/** Settings and surroundings that are refused before anything changes. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { inNode } from "../../../local/cluster/node.ts";
import { pathsOf, registryOf } from "../../../local/cluster/spec.ts";
import { pulumiDir } from "../../../local/platform.ts";
import { merge, type Settings, settingsOf } from "../../../local/settings.ts";
import { ask, at } from "../orcheo.ts";
import { artifacts, caller, eventually, kube, pulumi, readyPods, spec, STACK } from "./harness.ts";

/** The settings of the stack's file with some changed, in their own file: nothing of it may come to pass. */
function changed(settings: Settings, name: string): string {
    const file = join(pulumiDir(spec), `Pulumi.${STACK}.yaml`);
    const whole = parse(readFileSync(file, "utf8")) as Settings;
    const path = join(artifacts, `bad-${name}.yaml`);
    const next = merge(settingsOf(whole, file), settings);
    writeFileSync(path, stringify({ ...whole, config: { "orcheo:stack": next } }), { mode: 0o600 });
    return path;
}

/** What the state says of the resources; its time and its ciphertexts change with each update, also with a refused one. */
export const recorded = async (): Promise<unknown> => {
    const { output } = await pulumi("stack", "export", "--show-secrets");
    return at(JSON.parse(output), "deployment", "resources");
};

export function badInput(): void {
    test("an update and a preview refuse every problem at once, and nothing changes", async () => {
        const settings = {
            api: { replicas: 3, scaling: { minReplicas: 9 } },
            worker: { concurrency: "two" },
            database: { kind: "mysql" },
            kubernetes: { context: "nowhere" },
            registry: { pull: { kind: "credentials", username: "ci" } },
            version: "latest",
        };
        const reasons = [
            /api\.replicas.*unknown/i,
            /minReplicas.*at most maxReplicas/,
            /worker\.concurrency.*"two".*whole number/,
            /database\.kind.*mysql.*statefulset/,
            /nowhere.*accepted: orcheo-platform/,
            /orcheo:registryPassword.*pulumi config set --secret/,
            /version.*semantic version/,
        ];
        const file = changed(settings, "settings");
        const before = await recorded();
        for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
            const { code, output } = await pulumi(...command, "--config-file", file);
            expect(code).not.toBe(0);
            for (const reason of reasons) expect(output).toMatch(reason);
        }
        expect(await recorded()).toEqual(before);
    });

    test("a registry that is down", async () => {
        const service = join(pathsOf(spec).services, "registry");
        try {
            await inNode(spec, ["sv", "-w", "60", "down", service]);
            const { code, output } = await pulumi(
                "up",
                "--yes",
                "--config-file",
                changed({ version: "0.1.1" }, "down"),
            );
            expect(code).not.toBe(0);
            expect(output).toContain("the registry does not answer at http://127.0.0.1:25001/v2/");
        } finally {
            await inNode(spec, ["sv", "-w", "60", "up", service]);
            // A process that runs does not listen yet.
            const answers = () =>
                fetch(`http://${registryOf(spec)}/v2/`).then(
                    ({ ok }) => ok,
                    () => false,
                );
            expect(await eventually(60, answers, (ok) => ok)).toBe(true);
        }
    });

    // The next part of the story corrects it by its own update.
    test("a value that only a container refuses, and a pod that no node has room for, are told within seconds", async () => {
        const name = "mistyped-settings";
        await kube("create", "configmap", name, "--from-literal=ORCHEO_LOGLEVEL=DEBUG");
        const settings = {
            pods: { worker: { envFrom: [{ kind: "configMap", name }] } },
            canvas: { resources: { cpuRequestMillis: 64_000, cpuLimitMillis: 64_000 } },
        };
        const started = Date.now();
        const { code, output } = await pulumi("up", "--yes", "--config-file", changed(settings, "container"));
        const seconds = (Date.now() - started) / 1000;
        writeFileSync(join(artifacts, "failed-start.log"), output);
        expect(code).not.toBe(0);
        expect(output).toMatch(
            /The pod orcheo\/canvas-\S+ finds no node: 0\/1 nodes are available: .*Insufficient cpu/,
        );
        expect(output).toMatch(/The container "worker" of the pod orcheo\/worker-\S+ ended at its start: exit code 78/);
        expect(output).toMatch(/ORCHEO_LOGLEVEL is not read by this release: did you mean ORCHEO_LOG_LEVEL\?/);
        expect(output).toContain("docs/runbooks/failed-start.md");
        // Ten minutes is what Pulumi's provider waits.
        expect(seconds).toBeLessThan(180);
        console.log(`the update ended after ${Math.round(seconds)} s`);
        const state = JSON.parse((await pulumi("stack", "export")).output) as { deployment: Settings };
        expect(state.deployment["pending_operations"] ?? []).toEqual([]);
        expect(await readyPods("worker")).toBeGreaterThan(0);
        expect((await ask(caller(), "GET", "/api/workflows")).status).toBe(200);
        await kube("delete", "configmap", name);
    });
}
