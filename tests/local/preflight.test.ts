import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { specFromEnvironment } from "../../local/main.ts";
import { needsOf, shortages } from "../../local/needs.ts";
import { inspectMachine, type Machine, problemsOf } from "../../local/preflight.ts";

const good: Machine = {
    uid: 0,
    os: "debian 12",
    arch: "x64",
    command: "up",
    needs: needsOf("up", { missingTools: 27, toolsToBuild: 27, builder: false, cluster: false }),
    places: {
        cache: { dir: "/root", device: 1, freeGiB: 100 },
        state: { dir: "/var/lib", device: 1, freeGiB: 100 },
    },
    freeMemoryGiB: 20,
    refused: { namespaces: undefined, cgroups: undefined },
    takenPorts: [],
};

test("a fit machine has no problems", () => {
    expect(problemsOf(good)).toEqual([]);
});

test("every problem is told at once, with what was found and what to do", () => {
    const machine: Machine = {
        uid: 1000,
        os: "fedora 43",
        arch: "riscv64",
        command: "up",
        needs: needsOf("up", { missingTools: 27, toolsToBuild: 27, builder: false, cluster: false }),
        places: {
            cache: { dir: "/root", device: 1, freeGiB: 3.14 },
            state: { dir: "/var/lib", device: 1, freeGiB: 3.14 },
        },
        freeMemoryGiB: 3.96,
        refused: { namespaces: "unshare: Operation not permitted", cgroups: "EROFS: read-only file system" },
        takenPorts: [{ use: "https", port: 443 }],
    };
    expect(problemsOf(machine)).toEqual([
        "user: found uid 1000; the embedded cluster creates namespaces and cgroups: run `make up` as root, or set your own cluster's context (README)",
        "operating system: found fedora 43; the embedded cluster supports debian 12; elsewhere set your own cluster's context (README)",
        "processor: found riscv64; x64 and arm64 are accepted",
        "disk: found 3.1 GiB free at /root and /var/lib; `make up` needs about 30 GiB more (Go's caches until every tool is built 18, tools 2, image builder 5, cluster data 5): `make prune` deletes what can be rebuilt, and ORCHEO_CACHE_DIR or ORCHEO_STATE_DIR selects another disk",
        "memory: found 4.0 GiB free; `make up` needs about 6 GiB: stop something, or set your own cluster's context (README)",
        "permission to create namespaces, mounts and a bridge: found unshare: Operation not permitted; run it on the machine itself or in a privileged container, or set your own cluster's context (README)",
        "permission to create cgroups: found EROFS: read-only file system; run it on the machine itself or in a privileged container, or set your own cluster's context (README)",
        "port 127.0.0.1:443: found another process listening; stop it, or choose another with ORCHEO_HTTPS_PORT",
    ]);
});

test("each command needs what it makes, and no more once that exists", () => {
    const total = (...args: Parameters<typeof needsOf>): number =>
        needsOf(...args).reduce((sum, { gib }) => sum + gib, 0);
    const nothing = { missingTools: 27, toolsToBuild: 27, builder: false, cluster: false };
    const afterUp = { missingTools: 5, toolsToBuild: 5, builder: true, cluster: true };
    const all = { missingTools: 0, toolsToBuild: 0, builder: true, cluster: true };
    expect([total("up", nothing), total("up", all)]).toEqual([30, 4]);
    expect([total("test", nothing), total("test", afterUp), total("test", all)]).toEqual([38, 29, 12]);
    expect([total("bench", all), total("faults", all)]).toEqual([8, 8]);
    expect(needsOf("up", all).map(({ what }) => what)).toEqual(["image builder", "cluster data"]);
});

test("tools that are downloaded need no space for building, and few tools less than all", () => {
    const nothing = { builder: false, cluster: false };
    const parts = (tools: { missingTools: number; toolsToBuild: number }) =>
        Object.fromEntries(needsOf("up", { ...nothing, ...tools }).map(({ what, gib }) => [what, gib]));
    const rest = { "image builder": 5, "cluster data": 5 };
    expect(parts({ missingTools: 26, toolsToBuild: 0 })).toEqual({ tools: 2, ...rest });
    expect(parts({ missingTools: 26, toolsToBuild: 1 })).toEqual({
        "Go's caches until every tool is built": 3,
        tools: 2,
        ...rest,
    });
    expect(parts({ missingTools: 1, toolsToBuild: 0 })).toEqual({ tools: 0.5, ...rest });
    expect(parts({ missingTools: 0, toolsToBuild: 0 })).toEqual(rest);
});

test("space is counted per file system", () => {
    const needs = needsOf("up", { missingTools: 27, toolsToBuild: 27, builder: false, cluster: false });
    const places = (cache: number, state: number) => ({
        cache: { dir: "/cache", device: 1, freeGiB: cache },
        state: { dir: "/state", device: 2, freeGiB: state },
    });
    expect(shortages("up", needs, places(25, 5))).toEqual([]);
    expect(shortages("up", needs, places(25, 4.9))).toEqual([
        "disk: found 4.9 GiB free at /state; `make up` needs about 5 GiB more (cluster data 5): `make prune` deletes what can be rebuilt, and ORCHEO_STATE_DIR selects another disk",
    ]);
    expect(shortages("up", needs, places(24, 5))).toEqual([
        expect.stringMatching(/^disk: found 24.0 GiB free at \/cache;.*ORCHEO_CACHE_DIR selects/),
    ]);
    expect(shortages("up", needs, places(0, 0))).toHaveLength(2);
});

test("a port that someone listens on is found taken, a free one is not", async () => {
    const server = createServer();
    const port = await new Promise<number>((done, fail) => {
        server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            if (address === null || typeof address === "string") fail(new Error("not a TCP address"));
            else done(address.port);
        });
    });
    const question = {
        command: "up",
        stateDir: tmpdir(),
        tools: { missingTools: 0, toolsToBuild: 0 },
        runs: false,
        ports: { registry: port },
    } as const;
    const taken = await inspectMachine({ ...question, stateDir: `${tmpdir()}/not/yet/there` });
    await new Promise((done) => server.close(done));
    const free = await inspectMachine(question);
    expect([taken.takenPorts, free.takenPorts]).toEqual([[{ use: "registry", port }], []]);
    // What a running cluster uses is not missing.
    const running = await inspectMachine({ ...question, runs: true });
    expect([free.freeMemoryGiB, running.freeMemoryGiB]).toEqual([expect.any(Number), undefined]);
});

test("settings from the environment are refused together", () => {
    expect(() =>
        specFromEnvironment({ ORCHEO_CLUSTER: "Bad Name", ORCHEO_API_PORT: "70000", ORCHEO_HTTP_PORT: "443" }),
    ).toThrow(
        [
            "nothing was changed; 3 problems:",
            '  - ORCHEO_API_PORT: found "70000"; accepted: a port from 1 to 65535',
            '  - ORCHEO_CLUSTER: found "Bad Name"; accepted: 1 to 10 characters of a-z and 0-9, starting with a letter',
            "  - ports: found 70000, 5000, 443, 443; they must all be different",
        ].join("\n"),
    );
});
