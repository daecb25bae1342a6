/** A stack whose state is lost. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { projectDir } from "../../../local/paths.ts";
import { pulumiDir } from "../../../local/platform.ts";
import { prepareStack } from "../../../local/pulumi.ts";
import { merge, type Settings } from "../../../local/settings.ts";
import { answerOf, ask, createWorkflow, dispatch, ended } from "../orcheo.ts";
import { attemptIn, caller, callerAt, current, dev, env, kube, pulumi, recovered, spec, STACK, up } from "./harness.ts";

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
        const jobs = await kube("get", "jobs", "-o", "name");
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
        // Of those with generated names no state knows any more.
        await kube("delete", ...jobs.trim().split("\n"));
        dev.caller = await callerAt("orcheo.localhost", String(bootstrapToken));
        expect(JSON.stringify((await ask(caller(), "GET", "/api/workflows")).body)).toContain("e2e-set");
        const workflow = await createWorkflow(caller(), "0.33", "e2e-adopted");
        expect(answerOf(await ended(caller(), await dispatch(caller(), workflow)))).toBe(42);
    });
}
