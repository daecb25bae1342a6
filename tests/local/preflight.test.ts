import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { specFromEnvironment } from "../../local/main.ts";
import { lookAtMachine, type Machine, problemsOf } from "../../local/preflight.ts";

const good: Machine = {
    uid: 0,
    os: "debian 12",
    arch: "x64",
    freeGiB: 100,
    neededGiB: 15,
    disk: "/var/lib",
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
        freeGiB: 3.14,
        neededGiB: 30,
        disk: "/var/lib",
        freeMemoryGiB: 3.96,
        refused: { namespaces: "unshare: Operation not permitted", cgroups: "EROFS: read-only file system" },
        takenPorts: [{ use: "https", port: 443 }],
    };
    expect(problemsOf(machine)).toEqual([
        "user: found uid 1000; the embedded cluster makes namespaces and cgroups: run `make up` as root, or set your own cluster's context (README)",
        "operating system: found fedora 43; the embedded cluster is made for debian 12; elsewhere set your own cluster's context (README)",
        "processor: found riscv64; x64 and arm64 are accepted",
        "disk: found 3.1 GiB free at /var/lib; at least 30 GiB are needed: free some, or move the data with ORCHEO_STATE_DIR",
        "memory: found 4.0 GiB free; about 6 GiB are needed: end something, or set your own cluster's context (README)",
        "rights to make namespaces, mounts and a bridge: found unshare: Operation not permitted; run it on the machine itself or in a privileged container, or set your own cluster's context (README)",
        "rights to make cgroups: found EROFS: read-only file system; run it on the machine itself or in a privileged container, or set your own cluster's context (README)",
        "port 127.0.0.1:443: found another process listening; stop it, or choose another with ORCHEO_HTTPS_PORT",
    ]);
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
    const taken = await lookAtMachine(`${tmpdir()}/not/yet/there`, { registry: port });
    await new Promise((done) => server.close(done));
    const free = await lookAtMachine(tmpdir(), { registry: port });
    expect([taken.takenPorts, free.takenPorts]).toEqual([[{ use: "registry", port }], []]);
    // What a running cluster uses is not missing.
    const running = await lookAtMachine(tmpdir(), {});
    expect([free.freeMemoryGiB, running.freeMemoryGiB]).toEqual([expect.any(Number), undefined]);
});

test("settings from the environment are refused together", () => {
    expect(() =>
        specFromEnvironment({ ORCHEO_CLUSTER: "Bad Name", ORCHEO_API_PORT: "70000", ORCHEO_HTTP_PORT: "443" }),
    ).toThrow(
        [
            "nothing was changed; 3 problems:",
            '  - ORCHEO_API_PORT: found "70000"; a port from 1 to 65535 is accepted',
            '  - ORCHEO_CLUSTER: found "Bad Name"; 1 to 10 of a-z and 0-9, a letter first, are accepted',
            "  - ports: found 70000, 5000, 443, 443; each has to be another one",
        ].join("\n"),
    );
});
