/** `make prune` in its own cache: what it frees, and what it keeps because someone uses it. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { statOf } from "../../local/process.ts";
import { linesOf } from "../../local/prune.ts";
import { folderOf } from "../../local/toolchain/build.ts";
import { tools } from "../../local/toolchain/tools.ts";
import { cacheDir } from "../../local/paths.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-prune-"));
const cache = join(root, "cache");
const state = join(root, "state");
const main = join(import.meta.dirname, "../../local/main.ts");

/** Runs the command, with `path` on the PATH of another process meanwhile. */
async function prune(path = ""): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: root, ORCHEO_CACHE_DIR: cache, ORCHEO_STATE_DIR: state };
    const bystander = spawn("sleep", ["60"], { env: { PATH: `${path}:${process.env.PATH ?? ""}` } });
    const child = spawn(process.execPath, [main, "prune"], { env, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    const code = await new Promise((done) => child.once("close", done));
    bystander.kill();
    expect(code).toBe(0);
    return said;
}

const file = (path: string): string => {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "x".repeat(1000));
    return path;
};
const [tool] = tools;
if (tool === undefined) throw new Error("there are no tools");
const current = file(join(folderOf(tool).replace(cacheDir, cache), "binary"));
const old = join(cache, "toolchain", "etcd-0.0.1-0123456789ab");
const links = join(cache, "toolchain", "bin-0123456789ab");

beforeAll(() => {
    mkdirSync(state);
});
beforeEach(() => {
    file(join(cache, "go", "modules", "example.org@v1.0.0", "go.mod"));
    file(join(old, "etcd"));
    if (!existsSync(links)) {
        mkdirSync(links);
        symlinkSync(join(old, "etcd"), join(links, "etcd"));
    }
    file(join(cache, "builder", "buildkit", "cache.db"));
    file(join(cache, "buildkit", "local", "buildkitd.lock"));
    file(join(cache, "toolchain", "etcd-0.0.1-0123456789ab.part-abc", "etcd"));
    file(join(cache, "toolchain", "bin-0123456789ab.new-abc", "etcd"));
});
afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});

test("deletes what can be rebuilt, and keeps tools of this version, the base image and the data of clusters", async () => {
    const base = file(join(cache, "base-image", "trixie-0", "layer.tar.gz"));
    const data = file(join(state, "local", "etcd", "db"));
    const said = await prune();
    expect(said).toMatch(/^freed +0\.0 GiB {2}Go's modules and compile results: .*\/go$/m);
    expect(said).toMatch(/^freed +0\.0 GiB {2}tool of another version: .*etcd-0\.0\.1-0123456789ab$/m);
    expect(said).toMatch(/^freed +0\.0 GiB {2}layers of image builds: /m);
    expect(said).toMatch(
        /^kept +0\.0 GiB {2}data of the cluster "local": .* \(stopped; `ORCHEO_CLUSTER=local make delete` deletes it\)$/m,
    );
    expect(said).toMatch(/^Freed 0\.0 GiB in total\.$/m);
    const gone = ["go", "toolchain/bin-0123456789ab", "builder/buildkit", "buildkit/local"];
    expect(gone.filter((name) => existsSync(join(cache, name)))).toEqual([]);
    expect([old, `${old}.part-abc`, `${links}.new-abc`].filter(existsSync)).toEqual([]);
    expect([current, base, data].filter((path) => !existsSync(path))).toEqual([]);
});

test("keeps tools on the PATH of any process", async () => {
    expect(await prune(links)).toMatch(
        /^kept .*tool of another version: .* \(a running cluster or a shell uses it\)$/m,
    );
    expect([existsSync(join(old, "etcd")), existsSync(links)]).toEqual([true, true]);
});

test("keeps the layers of a running builder and names the cluster that uses it", async () => {
    const started = { pid: process.pid, start: statOf(process.pid)?.[19] };
    const node = file(join(state, "busy", "run", "node.json"));
    for (const path of [node, file(join(cache, "builder", "run", "node.json"))])
        writeFileSync(path, JSON.stringify(started));
    const user = { cluster: "busy", node, service: { name: "registry-1", command: [] } };
    writeFileSync(file(join(cache, "builder", "users", "1.json")), JSON.stringify(user));
    const said = await prune();
    expect(said).toMatch(
        /^kept .*layers of image builds: .* \(the builder is running for busy; `make down` stops it\)$/m,
    );
    expect(said).toMatch(/^kept .*data of the cluster "busy": .* \(running; /m);
    expect(existsSync(join(cache, "builder", "buildkit", "cache.db"))).toBe(true);
    rmSync(join(cache, "builder", "run"), { recursive: true });
});

test("a former builder whose lock is held keeps its layers", async () => {
    const lock = join(cache, "buildkit", "local", "buildkitd.lock");
    const holder = spawn("flock", [lock, "sh", "-c", "echo locked; sleep 60"], {
        stdio: ["ignore", "pipe", "ignore"],
        detached: true,
    });
    await new Promise((done) => holder.stdout.once("data", done));
    expect(await prune()).toMatch(/^kept .*of an earlier version: .* \(its cluster is running\)$/m);
    process.kill(-(holder.pid ?? 0));
    expect(existsSync(lock)).toBe(true);
});

test("items of a kind with the same outcome share one line", () => {
    const gib = 1024 ** 3;
    expect(
        linesOf([
            { what: "tool", path: "/c/a", keep: "of this version", bytes: gib },
            { what: "tool", path: "/c/b", keep: "of this version", bytes: gib },
            { what: "layers", path: "/c/l", bytes: 3 * gib },
        ]),
    ).toEqual([
        "kept    2.0 GiB  tool: 2 in /c (of this version)",
        "freed   3.0 GiB  layers: /c/l",
        "Freed 3.0 GiB in total.",
    ]);
});
