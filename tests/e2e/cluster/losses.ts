/** What a cluster loses, and how it comes back. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { attachBuilder, builderPid, builderUsers, detachBuilder } from "../../../local/cluster/builder.ts";
import * as configs from "../../../local/cluster/configs.ts";
import { buildAndPush } from "../../../local/cluster/images.ts";
import { inNode, linkPid, nodePid } from "../../../local/cluster/node.ts";
import { builderPaths, clusterSpec, pathsOf, registryOf } from "../../../local/cluster/spec.ts";
import { run, statOf } from "../../../local/process.ts";
import { ask, eventually, kube, report, shell, spec, start, toolchain } from "./harness.ts";
import { https } from "./ingress.ts";

/** A process group that starts the cluster and gets SIGINT, which is what Ctrl-C sends, some time after it began to. */
async function interruptedStart(milliseconds: number): Promise<void> {
    const harness = JSON.stringify(join(import.meta.dirname, "harness.ts"));
    const program = `const { start } = await import(${harness}); process.stdout.write("starts"); await start();`;
    const starter = spawn(process.execPath, ["--input-type=module", "--eval", program], {
        detached: true,
        stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = once(starter, "exit");
    await once(starter.stdout, "data");
    await sleep(milliseconds);
    process.kill(-(starter.pid ?? 0), "SIGINT");
    expect(await ended).toEqual([null, "SIGINT"]);
}

/** How many processes of the machine have such a command line. */
const processesWith = async (pattern: string): Promise<number> =>
    (await run("pgrep", ["--full", pattern])).trim().split("\n").length;

export function losses(): void {
    test("a second start changes nothing and is quick to say so", async () => {
        const [node, link] = [nodePid(spec), linkPid(spec)];
        await start();
        expect([nodePid(spec), linkPid(spec)]).toEqual([node, link]);
    });

    test("an add-on that was deleted by hand comes back with the next start", async () => {
        expect(await https()).toBe("kept\n");
        await kube("delete", "--namespace", "traefik", "deployment/traefik", "service/traefik", "--wait");
        expect(await eventually(30, https, (seen) => seen !== "kept\n")).not.toBe("kept\n");
        await start();
        expect(await eventually(30, https, (seen) => seen === "kept\n")).toBe("kept\n");
    });

    test.each(["etcd", "kube-apiserver", "containerd", "kubelet", "kube-router", "registry"])(
        "%s comes back after kill -9",
        async (name) => {
            const pidFile = join(pathsOf(spec).services, name, "supervise", "pid");
            const pid = readFileSync(pidFile, "utf8").trim();
            await inNode(spec, ["kill", "-9", pid]);
            const next = await eventually(
                20,
                () => Promise.resolve(readFileSync(pidFile, "utf8").trim()),
                (seen) => seen !== "" && seen !== pid,
            );
            expect(next).not.toBe(pid);
        },
    );

    test("after these losses the next start finds everything in its place", async () => {
        await start();
        expect(await eventually(30, ask, (seen) => seen.includes("kept"))).toContain("kept");
    });

    test("the image builder comes back with the next start, with its cache and for every cluster that uses it", async () => {
        const build = () => buildAndPush(spec, toolchain, context, `${registryOf(spec)}/e2e/lost:1`);
        const context = join(pathsOf(spec).run, "lost");
        mkdirSync(context, { recursive: true });
        // Other bytes at each run of this test: only the builder's cache can give them a second time.
        writeFileSync(
            join(context, "Dockerfile"),
            `FROM ${await shell()}\nRUN ["/bin/sh", "-c", "head -c 16 /dev/urandom > /tmp/random; echo ${Date.now()}"]\n`,
        );
        const digest = await build();
        const users = builderUsers();
        expect(users).toContain(spec.name);
        process.kill(builderPid() ?? 0, "SIGKILL");
        await eventually(
            10,
            () => Promise.resolve(builderPid()),
            (seen) => seen === undefined,
        );
        await start();
        expect(builderUsers()).toEqual(users);
        expect(await build()).toBe(digest);
        expect(await processesWith(`runsvdir -P ${builderPaths().services}`)).toBe(1);
    });

    test("a cluster that ends leaves the builder to the others", async () => {
        // As a second cluster would: its first process runs, and it has its own registry.
        const other = clusterSpec("other", { api: 29443, registry: 29000, http: 29080, https: 29444 }, spec.stateDir);
        for (const dir of [pathsOf(other).run, pathsOf(other).config]) mkdirSync(dir, { recursive: true });
        const node = { pid: process.pid, start: statOf(process.pid)?.[19] };
        writeFileSync(join(pathsOf(other).run, "node.json"), JSON.stringify(node));
        writeFileSync(
            join(pathsOf(other).config, "registry.yaml"),
            configs.registry(pathsOf(other).registry, registryOf(other)),
        );
        await attachBuilder(other, toolchain, report);
        const pid = builderPid();
        const context = join(pathsOf(spec).run, "lost");
        const shared = await buildAndPush(spec, toolchain, context, `${registryOf(spec)}/e2e/lost:1`);
        // Nothing is made anew: the same bytes reach the other registry.
        expect(await buildAndPush(other, toolchain, context, `${registryOf(other)}/e2e/lost:1`)).toBe(shared);
        expect(existsSync(join(pathsOf(other).registry, "docker/registry/v2/repositories/e2e/lost"))).toBe(true);
        await detachBuilder(other, report);
        expect([builderPid(), builderUsers()]).toEqual([pid, expect.arrayContaining([spec.name])]);
        expect(builderUsers()).not.toContain("other");
    });

    test("its link to the host comes back with the next start", async () => {
        process.kill(linkPid(spec) ?? 0, "SIGKILL");
        await eventually(
            5,
            () => Promise.resolve(linkPid(spec)),
            (seen) => seen === undefined,
        );
        await start();
        expect(await kube("get", "--raw", "/readyz")).toBe("ok");
        expect(await eventually(10, https, (seen) => seen === "kept\n")).toBe("kept\n");
    });

    test("after the loss of the whole node the next start brings the pods back with their data", async () => {
        process.kill(nodePid(spec) ?? 0, "SIGKILL");
        await eventually(
            10,
            () => Promise.resolve(nodePid(spec)),
            (seen) => seen === undefined,
        );
        // Ctrl-C at different moments of the start: none leaves a second node, or one that the next start does not know.
        for (const milliseconds of [400, 700, 1000, 2000]) await interruptedStart(milliseconds);
        await start();
        expect(await processesWith(`runsvdir -P ${pathsOf(spec).services}`)).toBe(1);
        expect(await processesWith(`pasta --foreground .*127.0.0.1/${spec.ports.https}:`)).toBe(1);
        // These pods have no controller: the kubelet starts the same ones again.
        expect(await eventually(90, ask, (seen) => seen.includes("kept"))).toContain("kept");
        expect(await eventually(60, https, (seen) => seen === "kept\n")).toBe("kept\n");
    });
}
