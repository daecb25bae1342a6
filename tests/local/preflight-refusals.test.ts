/** `make up` on machines that cannot have the cluster: real runs, as root in a mount namespace with what is missing. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";

const root = mkdtempSync(join(tmpdir(), "orcheo-preflight-"));
const main = join(import.meta.dirname, "../../local/main.ts");
const state = join(root, "state");
const cache = join(root, "cache");

beforeEach(() => {
    rmSync(cache, { recursive: true, force: true });
});
afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});

/** Runs `up` after `prepare` in its own mount namespace, through the words of `as`; returns what it says. */
async function refusal({ prepare = ":", as = "", env = {} }: { prepare?: string; as?: string; env?: object }) {
    const child = spawn(
        "unshare",
        ["--mount", "sh", "-ec", `${prepare}\nexec ${as} "$0" "$@"`, process.execPath, main, "up"],
        {
            timeout: 30_000,
            stdio: ["ignore", "ignore", "pipe"],
            env: {
                PATH: process.env.PATH,
                HOME: root,
                ORCHEO_CLUSTER: "refused",
                ORCHEO_STATE_DIR: state,
                ORCHEO_CACHE_DIR: cache,
                ORCHEO_API_PORT: "39443",
                ORCHEO_REGISTRY_PORT: "39000",
                ORCHEO_HTTP_PORT: "39080",
                ORCHEO_HTTPS_PORT: "39444",
                ...env,
            },
        },
    );
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const code = await new Promise((done) => child.once("close", done));
    expect(code, said).toBe(1);
    expect(said).toMatch(/nothing was changed; \d+ problem/);
    expect([existsSync(cache), existsSync(state) ? readdirSync(state) : []]).toEqual([false, []]);
    return said;
}

/** A file of the machine, replaced for one run. */
function replaced(path: string, text: string): string {
    const file = join(root, path.replaceAll("/", "_"));
    writeFileSync(file, text);
    return `mount --bind '${file}' ${path}`;
}

test("not root", async () => {
    expect(await refusal({ as: "unshare --user --map-user=1000" })).toContain("user: found uid 1000; ");
});

test("another operating system", async () => {
    expect(await refusal({ prepare: replaced("/etc/os-release", 'ID=fedora\nVERSION_ID="43"\n') })).toContain(
        "operating system: found fedora 43; ",
    );
});

test("a disk that is too small", async () => {
    mkdirSync(state);
    expect(await refusal({ prepare: `mount -t tmpfs -o size=1g tmpfs '${state}'` })).toMatch(
        new RegExp(`disk: found 1.0 GiB free at ${state}; \`make up\` needs about 5 GiB more \\(cluster data 5\\): `),
    );
    rmSync(state, { recursive: true });
});

test("too little memory", async () => {
    const meminfo = "MemTotal: 8388608 kB\nMemFree: 1048576 kB\nMemAvailable: 2097152 kB\n";
    expect(await refusal({ prepare: replaced("/proc/meminfo", meminfo) })).toContain(
        "memory: found 2.0 GiB free; `make up` needs about 6 GiB",
    );
});

test("root without its rights, as in an unprivileged container", async () => {
    expect(await refusal({ as: "setpriv --bounding-set=-all" })).toMatch(
        /permission to create namespaces, mounts and a bridge: found unshare.*Operation not permitted; /,
    );
});

test("cgroups that cannot be written", async () => {
    expect(
        await refusal({
            prepare:
                "mount -t tmpfs tmpfs /sys/fs/cgroup; mkdir /sys/fs/cgroup/memory; touch /sys/fs/cgroup/memory/cgroup.procs; mount -o remount,ro /sys/fs/cgroup",
        }),
    ).toContain("permission to create cgroups: found EROFS: read-only file system, access '/sys/fs/cgroup/memory'; ");
});

test("a port on which another process listens", async () => {
    const server = createServer();
    const port = await new Promise<number>((done, fail) => {
        server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            if (address === null || typeof address === "string") fail(new Error("not a TCP address"));
            else done(address.port);
        });
    });
    expect(await refusal({ env: { ORCHEO_REGISTRY_PORT: String(port) } })).toContain(
        `port 127.0.0.1:${port}: found another process listening; stop it, or choose another with ORCHEO_REGISTRY_PORT`,
    );
    await new Promise((done) => server.close(done));
});
