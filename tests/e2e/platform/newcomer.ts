/** A newcomer, and somebody who brings a cluster along. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { pathsOf } from "../../../local/cluster/spec.ts";
import { caBundleFile } from "../../../local/paths.ts";
import { pulumiDir } from "../../../local/platform.ts";
import { committedFile } from "../../../local/pulumi.ts";
import { ask } from "../orcheo.ts";
import { assignedUid, assignUids } from "./assigned-uids.ts";
import { artifacts, attempt, caller, callerAt, dev, env, redirectOf, spec } from "./harness.ts";
import { buildTestPlugin, refusedByBuild, usesTestPlugin } from "./plugins.ts";

export function newcomer(): void {
    test("make up ends with the URL", async () => {
        const { code, output } = await attempt("make", ["up"], process.env);
        writeFileSync(join(artifacts, "make-up.log"), output);
        expect(output.slice(-3000)).toContain(`Orcheo is running at https://orcheo.localhost:${spec.ports.https}`);
        expect(code).toBe(0);
        const shown = await attempt("make", ["-s", "env"], process.env);
        expect(shown.output).toContain(`export KUBECONFIG='${pathsOf(spec).kubeconfig}'`);
        const command = /^ {2}(kubectl .*base64 --decode)$/m.exec(output)?.[1] ?? "no command for the token";
        dev.caller = await callerAt("orcheo.localhost", command);
    });

    test("health answers 200 through the Ingress, its certificate verified", async () => {
        const { status, headers } = await ask(caller(), "GET", "/api/system/health");
        expect(status).toBe(200);
        expect(headers.toLowerCase()).toContain("strict-transport-security: max-age=31536000");
    });

    test("http leads to https; anonymous callers, internal paths and unknown hosts lead nowhere", async () => {
        const target = new RegExp(`^30[18] https://orcheo.localhost:${spec.ports.https}/x\\?y=1$`);
        expect(await redirectOf("orcheo.localhost", "/x?y=1")).toMatch(target);
        expect((await ask({ ...caller(), token: undefined }, "GET", "/api/workflows")).status).toBe(401);
        for (const path of ["/internal/x", "/api/internal/x"])
            expect((await ask(caller(), "POST", path, {})).status, path).toBeGreaterThanOrEqual(400);
    });
}

export function elsewhere(): void {
    test("names its context, registry and a plugin, and make up leaves the embedded cluster alone", async () => {
        const file = committedFile("elsewhere");
        const { context, kubeconfig, registry, builder, buildxConfigDir, caFile } = clusterInfo(spec);
        const settings = {
            kubernetes: { context, kubeconfig, namespace: "elsewhere", podUser: "assigned" },
            registry: { prefix: `${registry}/elsewhere` },
            images: {
                kind: "build",
                builder,
                canvas: { source: { kind: "directory", path: "tests/canvas-app" } },
                ...(await buildTestPlugin("plugins-0.33")),
                ...(caBundleFile !== undefined && { caBundleFile }),
            },
            version: "1.0.0",
            host: "elsewhere.localhost",
            entrance: { port: spec.ports.https },
            api: { scaling: { minReplicas: 1, maxReplicas: 1 } },
            network: { enforcement: "probed" },
        };
        writeFileSync(file, stringify({ config: { "orcheo:stack": settings } }));
        await assignUids("elsewhere");
        try {
            const state = join(pulumiDir(spec), "elsewhere");
            mkdirSync(state, { recursive: true });
            const own = {
                PATH: process.env.PATH,
                HOME: process.env.HOME,
                BUILDX_CONFIG: buildxConfigDir,
                ORCHEO_STACK: "elsewhere",
                PULUMI_HOME: join(state, "home"),
                PULUMI_CONFIG_PASSPHRASE: "",
            };
            const locked = await attempt("make", ["plugins"], { ...process.env, ORCHEO_STACK: "elsewhere" });
            expect(locked.code, locked.output).toBe(0);
            const nowhere = await attempt("make", ["up"], own);
            expect(nowhere.output).toContain("pulumi login --local");
            const there = { ...own, PULUMI_BACKEND_URL: `file://${state}` };
            const unasked = await attempt("make", ["up"], there);
            expect(unasked.output).toContain("--yes or --skip-preview");
            // On a terminal Pulumi asks; here the answer is given before.
            const { code, output } = await attempt("make", ["up"], { ...there, PULUMI_OPTION_YES: "true" });
            expect(output).toContain(`names the context "${context}": the embedded cluster is not used`);
            expect(code, output.slice(-3000)).toBe(0);
            const health = { origin: `https://elsewhere.localhost:${spec.ports.https}`, caFile };
            expect((await ask(health, "GET", "/api/system/health")).status).toBe(200);
            const tokenCommand = ["stack", "output", "bootstrapToken", "--stack", "elsewhere"];
            const token = await attempt("pulumi", tokenCommand, { ...there, PATH: env.PATH });
            const newcomer = await callerAt("elsewhere.localhost", token.output, caFile);
            await usesTestPlugin(newcomer, "0.33");
            const probe = ["--namespace", "elsewhere", "logs", "-l", "app.kubernetes.io/component=network-probe"];
            expect((await attempt("kubectl", probe)).output).toMatch(/^NetworkPolicies are enforced: /m);
            for (const workload of [
                "deployment/api",
                "deployment/canvas",
                "statefulset/postgres",
                "statefulset/valkey",
            ]) {
                const id = ["--namespace", "elsewhere", "exec", workload, "--", "sh", "-c", "id -u; id -g"];
                // kubectl says before it which container it takes.
                expect((await attempt("kubectl", id)).output, workload).toMatch(
                    new RegExp(`^${assignedUid}\n0\n$`, "m"),
                );
            }
        } finally {
            rmSync(file, { force: true });
        }
    });

    test("a plugin for another Orcheo fails the build by name", async () => {
        expect(await refusedByBuild("0.33")).toMatch(
            /plugin orcheo-plugin-greeting 1\.0\.0: .*0\.33\.1 does not satisfy >=9/,
        );
    });
}
