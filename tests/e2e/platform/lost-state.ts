/** A stack whose state is lost, and what people change by hand. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { projectDir } from "../../../local/paths.ts";
import { pulumiDir } from "../../../local/platform.ts";
import { prepareStack, readStackFile } from "../../../local/pulumi.ts";
import { merge, type Settings, settingsOf } from "../../../local/settings.ts";
import { answerOf, ask, at, createWorkflow, dispatch, ended } from "../orcheo.ts";
import {
    attemptIn,
    caller,
    callerAt,
    current,
    dev,
    env,
    kube,
    NAMESPACE,
    pulumi,
    putSettings,
    recovered,
    spec,
    STACK,
    up,
} from "./harness.ts";

const runbook = readFileSync(join(projectDir, "docs", "runbooks", "lost-state.md"), "utf8");
/** The block of the runbook's step. */
function block(step: string, language: string): string {
    const section = runbook.split(/^### /m).find((text) => text.startsWith(step)) ?? "";
    const [, found] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(section) ?? [];
    if (found === undefined) throw new Error(`lost-state.md has no ${language} in step ${step}`);
    return found;
}

const uids = (): Promise<string> =>
    kube("get", "deployments,statefulsets,persistentvolumeclaims,services", "-o", "jsonpath={.items[*].metadata.uid}");

export function lostState(): void {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-lost-state-"));
    afterAll(() => {
        rmSync(folder, { recursive: true, force: true });
    });

    test("its runbook takes over what runs, with its data, and no object is made anew", async () => {
        const before = await uids();
        const stacks = join(pulumiDir(spec), "state", ".pulumi", "stacks", "orcheo");
        const files = readdirSync(stacks).filter((name) => name.startsWith(`${STACK}.json`));
        expect(files).not.toEqual([]);
        for (const name of files) rmSync(join(stacks, name));
        await prepareStack(pulumiDir(spec), STACK, { ...env });
        const refused = await pulumi("preview");
        expect(refused.code).not.toBe(0);
        const [, owner = ""] = /orcheo:stack\.kubernetes\.adopt: "([^"]+)"/.exec(refused.output) ?? [];
        expect(owner).toMatch(new RegExp(`^organization/orcheo/${STACK}/`));

        const kept = await attemptIn(folder, "bash", ["-c", `set -euo pipefail\n${block("1. ", "sh")}`], env);
        expect(kept.code, kept.output).toBe(0);
        expect(readdirSync(folder)).toEqual(["former-secret.yaml"]);
        const { kubernetes, secrets } = parse(block("2. ", "yaml")) as { kubernetes: Settings; secrets: Settings };
        expect(Object.keys(kubernetes).sort()).toEqual(["adopt", "context"]);
        recovered.secrets = { ...secrets, name: kept.output.trim() };
        const adopting = merge(current(), { kubernetes: { adopt: owner } });
        const { bootstrapToken } = await up(adopting);

        expect(await uids()).toBe(before);
        dev.caller = await callerAt("orcheo.localhost", String(bootstrapToken));
        expect(JSON.stringify((await ask(caller(), "GET", "/api/workflows")).body)).toContain("e2e-set");
        const workflow = await createWorkflow(caller(), "0.33", "e2e-adopted");
        expect(answerOf(await ended(caller(), await dispatch(caller(), workflow)))).toBe(42);
    });

    // The runbook's last step is an update without changes to the pods.
    test("what kubectl scaled, set and added, the next update names and takes back", async () => {
        const worker = ["get", "deployment", "worker", "-o", "json"];
        const canvas = ["get", "deployment", "canvas", "-o", "json"];
        const pods = await kube("get", "pods", "-l", "app.kubernetes.io/component in (beat, postgres)", "-o", "name");
        await kube("scale", "deployment/worker", "--replicas=2");
        await kube("scale", "deployment/api", "--replicas=0");
        await kube("set", "env", "deployment/canvas", "--containers=canvas", "ADDED=by-hand");
        const file = join(pulumiDir(spec), `Pulumi.${STACK}.yaml`);
        const { kubernetes, ...rest } = settingsOf(readStackFile(file), file);
        const { adopt, ...cluster } = kubernetes as Settings;
        expect(adopt).toBeDefined();
        putSettings(file, { ...rest, kubernetes: cluster });
        const { code, output } = await pulumi("up", "--yes", "--skip-preview");
        expect(code, output.slice(-3000)).toBe(0);
        expect(output).toContain(
            `Deployment ${NAMESPACE}/worker was changed outside of Pulumi: spec.replicas: 2 instead of 1 (`,
        );
        // Nothing else than an update brings it back: at 0 its autoscaler is off.
        expect(output).toContain(
            `Deployment ${NAMESPACE}/api was changed outside of Pulumi: spec.replicas: 0 instead of 2 (`,
        );
        expect((await ask(caller(), "GET", "/api/workflows")).status).toBe(200);
        expect(output).toMatch(/containers\[canvas\]\.env\[ADDED\] was added \(kubectl-set, /);
        expect(at(JSON.parse(await kube(...worker)), "spec", "replicas")).toBe(1);
        expect(await kube(...canvas)).not.toContain("by-hand");
        expect(await kube("get", "pods", "-l", "app.kubernetes.io/component in (beat, postgres)", "-o", "name")).toBe(
            pods,
        );
    });
}
