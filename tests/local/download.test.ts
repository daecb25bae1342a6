/** The download of built tools, from a server on loopback: two tools of the real builder, packed by the real command's function. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    statSync,
    utimesSync,
} from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { run } from "../../local/process.ts";
import type { Report } from "../../local/report.ts";
import type { Hashes } from "../../local/toolchain/hashes.ts";
import type { Tool } from "../../local/toolchain/tools.ts";
import { GO_OF_THE_MACHINE, shareCompileResults } from "./go-cache.ts";
import { write } from "./go-proxy.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-download-"));
vi.stubEnv("ORCHEO_CACHE_DIR", join(root, "cache"));
vi.stubEnv("ORCHEO_TOOLCHAIN_URL", undefined);
shareCompileResults(join(root, "cache"));
const { binariesOf, ensureToolchain, folderOf, toolKey, toolsToCome } = await import("../../local/toolchain/build.ts");
const { writeBundle } = await import("../../local/toolchain/bundle.ts");
const { bundleUrl, downloadTools, shown } = await import("../../local/toolchain/download.ts");
const { hashFiles, platform } = await import("../../local/toolchain/hashes.ts");

const modules = join(root, "modules");
const store = join(root, "cache", "toolchain");
const built = join(root, "built");
const one: Tool = {
    name: "one",
    group: "test",
    version: "1.0.0",
    module: "one",
    packages: ["."],
    go: GO_OF_THE_MACHINE,
    binary: "one",
    share: { "one.yaml": [{ file: "one.yaml" }] },
};
const two: Tool = { ...one, name: "two", module: "two", binary: "two", share: {} };
const table = [one, two];
for (const { module: name } of table) {
    write(join(modules, name), {
        "go.mod": `module example.org/${name}\n\ngo 1.24\n`,
        "main.go": `package main\n\nfunc main() { print("${name}") }\n`,
        "one.yaml": "kind: One\n",
    });
}
const folders = table.map((tool) => folderOf(tool, modules));
const [folderOne = "", folderTwo = ""] = folders.map((folder) => basename(folder));

const steps: string[] = [];
const notes: string[] = [];
const report: Report = {
    note: (text) => void notes.push(text),
    step: (name, _log, work) => {
        steps.push(name.replace(/127\.0\.0\.1:\d+/, "server"));
        return work();
    },
};

/** What the server does next. */
let answer: RequestListener = (_asked, response) => void response.writeHead(404).end();
const server = createServer((asked, response) => {
    answer(asked, response);
});
let base = "";
const bundle = join(root, "bundle.tar.zst");
let hashes: Hashes = {};
const serve = (content: Buffer): void => {
    answer = (_asked, response) => void response.writeHead(200, { "content-length": content.length }).end(content);
};

const limits = { connectSeconds: 2, bytesPerSecond: 1, stalledSeconds: 2, totalSeconds: 60 };
const url = (path = "/bundle.tar.zst"): URL => new URL(path, base);
const ensure = (tools: readonly Tool[] = table) =>
    ensureToolchain(["test"], report, { table: tools, modules, hashes, bundle: url(), limits });
const wanted = () =>
    table.map((tool) => ({
        folder: folderOf(tool, modules),
        files: hashes[platform]?.[tool.name]?.files ?? {},
        executables: binariesOf(tool),
    }));

beforeAll(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await ensureToolchain(["test"], report, { table, modules, hashes: {}, bundle: undefined });
    const recorded = await Promise.all(
        table.map(async (tool) => {
            const files = await hashFiles(folderOf(tool, modules));
            return [tool.name, { version: tool.version, key: toolKey(tool, modules), files }] as const;
        }),
    );
    hashes = { [platform]: Object.fromEntries(recorded) };
    await writeBundle(folders, bundle);
    cpSync(store, built, { recursive: true, verbatimSymlinks: true });
}, 300_000);
beforeEach(() => {
    steps.length = 0;
    notes.length = 0;
    rmSync(store, { recursive: true, force: true });
    serve(readFileSync(bundle));
});
afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(root, { recursive: true, force: true });
});

test("tools with the recorded hashes are taken, and nothing is built", async () => {
    const toolchain = await ensure();
    expect(steps).toEqual(["download tools from http://server/bundle.tar.zst"]);
    expect(notes).toEqual(["toolchain: 2 of 2 tools downloaded and verified"]);
    expect((await run("sh", ["-c", `${toolchain.bin("one")} 2>&1; ${toolchain.bin("two")} 2>&1`])).trim()).toBe(
        "onetwo",
    );
    expect(readFileSync(toolchain.share("one.yaml"), "utf8")).toBe("kind: One\n");
    // As if they had been built.
    for (const folder of [folderOne, folderTwo]) {
        for (const file of readdirSync(join(built, folder)))
            expect(statSync(join(store, folder, file)).mode, file).toBe(statSync(join(built, folder, file)).mode);
    }
    expect(readdirSync(store).filter((name) => name.includes(".part-"))).toEqual([]);
});

test("what the bundle lacks is built: another version, and a tool that the C compiler makes", async () => {
    const newer = { ...two, version: "1.1.0" };
    const native = { ...two, name: "native", binary: "native", cgo: true };
    await ensure([one, newer, native]);
    expect(steps.toSorted()).toEqual([
        "build native 1.0.0",
        "build two 1.1.0",
        "download tools from http://server/bundle.tar.zst",
    ]);
    expect(notes.slice(0, 2)).toEqual([
        "toolchain: 1 of 3 tools downloaded and verified",
        "toolchain: 2 of 3 tools to build: two, native",
    ]);
});

test("nobody asks for tools that no hash is recorded of", async () => {
    let asked = 0;
    answer = (_asked, response) => {
        asked += 1;
        response.end();
    };
    await ensureToolchain(["test"], report, { table: [one], modules, hashes: {}, bundle: url(), limits });
    expect([steps, asked]).toEqual([["build one 1.0.0"], 0]);
});

test("only tools that no reachable bundle has count as to be built", async () => {
    const come = (given: object) => toolsToCome(["test"], { table, modules, hashes, bundle: url(), limits, ...given });
    expect(await come({})).toEqual({ missingTools: 2, toolsToBuild: 0 });
    expect(await come({ bundle: undefined })).toEqual({ missingTools: 2, toolsToBuild: 2 });
    expect(await come({ hashes: {} })).toEqual({ missingTools: 2, toolsToBuild: 2 });
    expect(await come({ table: [one, { ...two, version: "2.0.0" }] })).toEqual({ missingTools: 2, toolsToBuild: 1 });
    answer = (_asked, response) => void response.writeHead(404).end();
    expect(await come({})).toEqual({ missingTools: 2, toolsToBuild: 2 });
    serve(readFileSync(bundle));
    await ensure();
    expect(await come({})).toEqual({ missingTools: 0, toolsToBuild: 0 });
});

test("a download that fails on a disk with too little space for building ends there, and builds nothing", async () => {
    serve(readFileSync(bundle).subarray(0, 100));
    const place = { dir: "/cache", device: 1, freeGiB: 6 };
    await expect(
        ensureToolchain(["test"], report, { table, modules, hashes, bundle: url(), limits, place }),
    ).rejects.toThrow(/^disk: found 6\.0 GiB free at \/cache; .* about 7 GiB more \(Go's caches .* 6, tools 1\)/);
    expect(steps).toEqual(["download tools from http://server/bundle.tar.zst"]);
    await ensureToolchain(["test"], report, {
        ...{ table, modules, hashes, bundle: url(), limits },
        place: { ...place, freeGiB: 7 },
    });
    expect(steps.slice(2)).toEqual(["build one 1.0.0", "build two 1.0.0"]);
});

test("a wrong byte: nothing is taken, everything is built", async () => {
    const wrong = zstdDecompressSync(readFileSync(bundle));
    const at = wrong.lastIndexOf("two");
    wrong[at] = 0x54;
    serve(zstdCompressSync(wrong));
    const toolchain = await ensure();
    expect(notes[0]).toMatch(
        new RegExp(`^toolchain: nothing was downloaded, building instead: ${folderTwo}/two has sha256 [0-9a-f]{64}; `),
    );
    expect(steps.slice(1)).toEqual(["build one 1.0.0", "build two 1.0.0"]);
    await run(toolchain.bin("two"), []);
    expect(await hashFiles(join(store, folderTwo))).toEqual(hashes[platform]?.two?.files);
});

test("a server that hangs is given up, and everything is built", async () => {
    answer = (_asked, response) => void response.writeHead(200).write(readFileSync(bundle).subarray(0, 5000));
    const began = Date.now();
    await ensure([one]);
    expect(notes[0]).toContain("nothing was downloaded, building instead: curl: (28) ");
    expect(steps.slice(1)).toEqual(["build one 1.0.0"]);
    expect(Date.now() - began).toBeLessThan(60_000);
});

interface Entry {
    readonly name: string;
    readonly content?: Buffer | string;
    readonly type?: string;
    readonly size?: number;
}

/** A bundle of these entries, whatever they are. */
function archiveOf(entries: readonly Entry[]): Buffer {
    const blocks = entries.flatMap(({ name, content = "", type = "0", size }) => {
        const header = Buffer.alloc(512);
        const body = Buffer.from(content);
        header.write(name, 0);
        header.write("0000755\0", 100);
        header.write(`${(size ?? body.length).toString(8).padStart(11, "0")} `, 124);
        header.write(type, 156);
        header.write(type === "2" ? "/etc/passwd" : "", 157);
        header.write("ustar\x0000", 257);
        return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
    });
    return zstdCompressSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

describe("refused, and nothing is left of it:", () => {
    const contents: Entry = { name: "contents.json", content: JSON.stringify([folderOne, folderTwo]) };
    const file = (folder: string, name: string): Entry => ({
        name: `${folder}/${name}`,
        content: readFileSync(join(built, folder, name)),
    });
    const good = (): Entry[] => [contents, file(folderOne, "one"), file(folderOne, "one.yaml")];
    const outside = join(root, "outside");

    test.each<[string, () => Buffer, string]>([
        ["a truncated file", () => readFileSync(bundle).subarray(0, -2000), "the archive ends early"],
        ["an empty file", () => Buffer.alloc(0), "the archive ends early"],
        ["no archive at all", () => zstdCompressSync(Buffer.alloc(2048, "x")), "it is no tar archive"],
        ["something else", () => Buffer.from("<html>".repeat(1000)), "Unknown frame descriptor"],
        ["no list of its contents", () => archiveOf(good().slice(1)), "its first file is not contents.json"],
        ["a list that is not kept", () => archiveOf(good()), `it lacks ${folderTwo}/two`],
        ["a file twice", () => archiveOf([...good(), file(folderOne, "one")]), "is there twice"],
        [
            "an unknown file of a tool",
            () => archiveOf([...good(), { name: `${folderOne}/more`, content: "x" }]),
            "the repository does not know it",
        ],
        ["a path upwards", () => archiveOf([...good(), { name: "../outside" }]), '"../outside" is not a file in'],
        ["a folder upwards", () => archiveOf([...good(), { name: "../../outside" }]), "is not a file in"],
        ["an absolute path", () => archiveOf([...good(), { name: outside }]), "is not a file in"],
        ["a path in a tool", () => archiveOf([...good(), { name: `${folderTwo}/../outside` }]), "is not a file in"],
        [
            "a symbolic link",
            () => archiveOf([...good(), { name: `${folderTwo}/two`, type: "2" }]),
            "is no regular file (type 2)",
        ],
        [
            "a hard link",
            () => archiveOf([...good(), { name: `${folderTwo}/two`, type: "1" }]),
            "is no regular file (type 1)",
        ],
        ["a folder", () => archiveOf([...good(), { name: folderTwo, type: "5" }]), "is no regular file (type 5)"],
        [
            "a file without end",
            () => archiveOf([...good(), { name: `${folderTwo}/two`, size: 7 * 1024 ** 3 }]),
            "accepted: 536870912",
        ],
    ])("%s", async (_title, content, message) => {
        serve(content());
        await expect(downloadTools(url(), wanted(), { limits })).rejects.toThrow(message);
        expect(readdirSync(store)).toEqual([]);
        expect(existsSync(outside) || existsSync(join(root, "cache", "outside"))).toBe(false);
    });

    test.each<[string, RequestListener, string]>([
        ["404", (_asked, response) => void response.writeHead(404).end("not here"), "curl: (22) "],
        [
            "a connection that breaks",
            (_asked, response) => {
                const content = readFileSync(bundle);
                response.writeHead(200, { "content-length": content.length });
                response.write(content.subarray(0, 5000), () => response.destroy());
            },
            "curl: (18) ",
        ],
        ["a server that never answers", () => undefined, "curl: (28) "],
        [
            "a redirect to a file of this machine",
            (_asked, response) => void response.writeHead(302, { location: `file://${bundle}` }).end(),
            "curl: (1) ",
        ],
    ])("%s", async (_title, behaviour, message) => {
        answer = behaviour;
        await expect(downloadTools(url(), wanted(), { limits })).rejects.toThrow(message);
        expect(readdirSync(store)).toEqual([]);
    });

    test("a port on which nobody listens", async () => {
        const closed = createServer().listen(0, "127.0.0.1");
        await once(closed, "listening");
        const { port } = closed.address() as AddressInfo;
        closed.close();
        const nobody = new URL(`http://127.0.0.1:${port}/bundle.tar.zst`);
        await expect(downloadTools(nobody, wanted(), { limits })).rejects.toThrow("curl: (7) ");
    });

    test("a machine without curl", async () => {
        const path = process.env.PATH;
        vi.stubEnv("PATH", join(root, "nothing"));
        const outcome = await downloadTools(url(), wanted(), { limits }).catch((error: unknown) => String(error));
        vi.stubEnv("PATH", path);
        expect(outcome).toContain("spawn curl ENOENT");
        expect(readdirSync(store)).toEqual([]);
    });
});

test("a wrong archive is refused at once, though the server holds the line", async () => {
    answer = (_asked, response) => void response.writeHead(200).write(zstdCompressSync(randomBytes(1 << 20)));
    const patient = { ...limits, stalledSeconds: 100, totalSeconds: 100 };
    const began = Date.now();
    await expect(downloadTools(url(), wanted(), { limits: patient })).rejects.toThrow("it is no tar archive");
    expect(Date.now() - began).toBeLessThan(30_000);
});

test("it stops reading once it has what is wanted", async () => {
    let sent = 0;
    answer = (_asked, response) => {
        // Two gigabytes of a tool that nobody wants would follow, hardly compressible.
        const [start, noise] = [readFileSync(bundle), Buffer.alloc(1 << 20, randomBytes(1 << 16))];
        const send = (part: Buffer): void => {
            if (response.destroyed || sent > 2000) return;
            sent += 1;
            response.write(part, () => {
                send(noise);
            });
        };
        send(start);
    };
    expect(await downloadTools(url(), wanted(), { limits })).toHaveLength(2);
    expect(sent).toBeLessThan(2000);
});

test("a server elsewhere is followed, and a password stays out of the arguments and the output", async () => {
    const asked: (string | undefined)[] = [];
    answer = (request, response) => {
        asked.push(request.headers.authorization);
        if (request.url?.startsWith("/start") === true) {
            const { args } = JSON.parse(JSON.stringify({ args: argumentsOfCurl() })) as { args: string };
            expect(args).not.toContain("secret");
            response.writeHead(302, { location: "/bundle.tar.zst" }).end();
        } else response.end(readFileSync(bundle));
    };
    const start = url("/start?signature=secret");
    start.username = "user";
    start.password = "secret";
    expect(await downloadTools(start, wanted(), { limits })).toHaveLength(2);
    expect(asked[0]).toBe(`Basic ${Buffer.from("user:secret").toString("base64")}`);
    expect(shown(start)).toBe(`${base}/start`);
});

/** The command lines of all processes named curl. */
const argumentsOfCurl = (): string =>
    readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => {
            try {
                return readFileSync(`/proc/${pid}/cmdline`, "utf8");
            } catch {
                return "";
            }
        })
        .filter((line) => line.startsWith("curl\0"))
        .join("\n");

test.each(["SIGINT", "SIGKILL"] as const)("after %s the next run clears up and takes the tools", async (signal) => {
    let asked = false;
    answer = (_asked, response) => {
        asked = true;
        response.writeHead(200).write(readFileSync(bundle).subarray(0, -100));
    };
    const program = `
        const { ensureToolchain } = await import(${JSON.stringify(join(import.meta.dirname, "../../local/toolchain/build.ts"))});
        const report = { note() {}, step: (name, log, work) => work() };
        await ensureToolchain(["test"], report, {
            table: ${JSON.stringify(table)}, modules: ${JSON.stringify(modules)},
            hashes: ${JSON.stringify(hashes)}, bundle: new URL(${JSON.stringify(url().href)}),
        });`;
    // A group of its own, as a terminal's: Ctrl-C reaches curl too.
    const first = spawn(process.execPath, ["--input-type=module", "--eval", program], {
        detached: true,
        stdio: "inherit",
    });
    const exited = once(first, "exit");
    const unfinished = (): string[] =>
        existsSync(store) ? readdirSync(store).filter((name) => name.includes(".part-")) : [];
    await vi.waitFor(
        () => {
            expect([asked, unfinished().length]).toEqual([true, 1]);
        },
        { timeout: 60_000, interval: 50 },
    );
    process.kill(-(first.pid ?? 0), signal);
    await exited;
    expect(readdirSync(store).filter((name) => !name.includes(".part-"))).toEqual([]);

    serve(readFileSync(bundle));
    await ensure();
    expect(notes.at(-1)).toBe("toolchain: 2 of 2 tools downloaded and verified");
    expect(unfinished()).toEqual([]);
});

test("the same tools make the same bundle, whenever and under whatever umask they were written", async () => {
    const again = join(root, "again.tar.zst");
    cpSync(built, store, { recursive: true, verbatimSymlinks: true });
    for (const folder of folders) {
        // Written in another order, at another time.
        const files = readdirSync(folder).sort().reverse();
        renameSync(folder, `${folder}.old`);
        mkdirSync(folder);
        for (const name of files) {
            cpSync(join(`${folder}.old`, name), join(folder, name), { mode: 0 });
            utimesSync(join(folder, name), new Date(0), new Date(86_400_000));
        }
    }
    await run("chmod", ["-R", "go-rwx", ...folders]);
    await writeBundle(folders, again);
    expect(sha256(again)).toBe(sha256(bundle));
    const listed = await run("sh", [
        "-c",
        'node -e "process.stdout.write(zlib.zstdDecompressSync(fs.readFileSync(process.argv[1])))" "$0" | tar -t',
        bundle,
    ]);
    expect(listed.trim().split("\n")).toEqual([
        "contents.json",
        `${folderOne}/one`,
        `${folderOne}/one.yaml`,
        `${folderTwo}/two`,
    ]);
});

const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

test("the address is that of the release, or of a mirror, or none", () => {
    const release = { url: "https://example.org/v1/toolchain-{platform}.tar.zst" };
    expect(bundleUrl({}, { url: "" })).toBeUndefined();
    expect(bundleUrl({}, release)?.href).toBe(`https://example.org/v1/toolchain-${platform}.tar.zst`);
    expect(bundleUrl({ ORCHEO_TOOLCHAIN_URL: "http://mirror/{platform}" }, release)?.href).toBe(
        `http://mirror/${platform}`,
    );
    for (const off of ["none", ""]) expect(bundleUrl({ ORCHEO_TOOLCHAIN_URL: off }, release)).toBeUndefined();
    for (const [found, said] of [
        ["ftp://user:secret@mirror/x", "found one of ftp:"],
        ["mirror", "found no URL"],
    ] as const)
        expect(() => bundleUrl({ ORCHEO_TOOLCHAIN_URL: found }, release)).toThrow(
            `ORCHEO_TOOLCHAIN_URL: ${said}; accepted: an http or https URL, in which {platform} becomes ${platform}, or "none"`,
        );
    expect(() => bundleUrl()).not.toThrow();
});
