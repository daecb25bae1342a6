/** Data that is damaged, or that another key encrypted: refused with the way out, which is then gone. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { answerOf, createWorkflow, dispatch, ended } from "../orcheo.ts";
import { apply, attempt, attemptIn, caller, env, eventually, exec, expectReady, kube } from "./harness.ts";
import { commands } from "./runbooks.ts";

export function damagedFile(): void {
    test("Valkey refuses it, the worker leaves all the same when it is told to, and the runbook brings the queue back", async () => {
        // Where a command has to begin: garbage inside a value would not be noticed.
        const damage = "cd /data/appendonlydir && printf 'no command\\r\\n' >> $(ls *.incr.aof)";
        expect((await exec("valkey-0", "sh", "-c", damage)).code).toBe(0);
        await kube("delete", "pod", "valkey-0", "--wait=true", "--timeout=90s");
        const restarts = () =>
            kube("get", "pod", "valkey-0", "-o", "jsonpath={.status.containerStatuses[0].restartCount}").catch(
                () => "",
            );
        expect(Number(await eventually(120, restarts, (seen) => Number(seen) > 0))).toBeGreaterThan(0);
        // With prod's settings a run may take an hour, and so could the pod: the broker is away.
        await kube("delete", "pods", "-l", "app.kubernetes.io/component=worker", "--wait=true", "--timeout=45s");

        const script = commands("damaged-append-only-file.md", "3. ");
        const { code, output } = await attempt("bash", ["-c", `set -euo pipefail\n${script}`], env);
        expect(code, output.slice(-3000)).toBe(0);
        expect(output).toContain("Bad file format reading the append only file");
        expect(output).toContain("All AOF files and manifest are valid");
        await expectReady("worker");
        await expectReady("api");
        const workflow = await createWorkflow(caller(), "0.33", "e2e-after-damage");
        expect(answerOf(await ended(caller(), await dispatch(caller(), workflow)))).toBe(42);
    });
}

interface Template {
    metadata: { labels: Record<string, string> };
    spec: { volumes: { projected?: { sources: { secret: { name: string; items: { path: string }[] } }[] } }[] };
}

export function anotherVaultKey(): void {
    test("initialisation refuses it with the way out, and nothing changes", async () => {
        const file = "vault-encryption-key";
        const folder = mkdtempSync(join(tmpdir(), "orcheo-vault-key-"));
        const { items } = JSON.parse(
            await kube("get", "jobs", "-l", "app.kubernetes.io/component=init", "-o", "json"),
        ) as { items: { spec: { template: Template } }[] };
        const template = items[0]?.spec.template;
        if (template === undefined) throw new Error("there is no initialisation Job");
        const { labels } = template.metadata;
        template.metadata.labels = Object.fromEntries(
            Object.entries(labels).filter(([key]) => !/(^|\/)(controller-uid|job-name)$/.test(key)),
        );
        for (const { projected } of template.spec.volumes) {
            if (projected === undefined) continue;
            for (const { secret } of projected.sources) secret.items = secret.items.filter(({ path }) => path !== file);
            projected.sources.push({ secret: { name: "another-key", items: [{ key: file, path: file } as never] } });
        }
        const metadata = { name: "another-key", namespace: "orcheo" };
        await apply([
            { apiVersion: "v1", kind: "Secret", metadata, stringData: { [file]: "f".repeat(64) } },
            { apiVersion: "batch/v1", kind: "Job", metadata, spec: { backoffLimit: 0, template } },
        ]);
        try {
            await kube("wait", "--for=condition=Failed", "job/another-key", "--timeout=180s");
            const pods = ["get", "pods", "-l", "job-name=another-key"];
            const code = "jsonpath={.items[0].status.containerStatuses[0].state.terminated.exitCode}";
            expect(await kube(...pods, "-o", code)).toBe("78");
            const log = await kube("logs", "job/another-key");
            expect(log).toContain("The vault encryption key is not the one that this database was encrypted with");
            expect(log).toMatch(/ORCHEO_VAULT_DROP_CREDENTIALS: \\"[0-9a-f]{12}\\"/);
            const script = `set -euo pipefail\n${commands("vault-key.md")}`;
            const ran = await attemptIn(folder, "bash", ["-c", script], env);
            expect(ran.code, ran.output.slice(-3000)).toBe(0);
            expect(ran.output).toContain(
                "The vault encryption key is not the one that this database was encrypted with",
            );
            const dataOf = async (name: string) =>
                JSON.parse(await kube("get", "secret", name, "-o", "jsonpath={.data}")) as Record<string, string>;
            const own = /^secret\/(backend-secret-\S+)$/m.exec(await kube("get", "secrets", "-o", "name"))?.[1] ?? "";
            // The stack's own Secret also holds what it does not share: the database's and the cache's.
            const [made, known] = [await dataOf("orcheo-secrets"), await dataOf(own)];
            expect(Object.keys(made)).toHaveLength(4);
            // Of the values themselves nothing is printed.
            expect(Object.keys(made).filter((name) => made[name] !== known[name])).toEqual([]);
            expect(readdirSync(folder)).toEqual([]);
        } finally {
            await kube("delete", "job/another-key", "secret/another-key", "--wait=false");
            await kube("delete", "secret/orcheo-secrets", "--ignore-not-found");
            rmSync(folder, { recursive: true, force: true });
        }
    });
}
