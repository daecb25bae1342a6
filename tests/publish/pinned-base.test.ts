/**
 * images/base by BuildKit, and an image on it: Debian's packages are those of an archive's day. A server on loopback stands for snapshot.debian.org: it
 * has one day, whose packages are those of this machine's mirrors, and refuses everything else.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ensureBaseImage } from "../../local/base-image.ts";
import { createCgroup, removeCgroup } from "../../local/cluster/cgroups.ts";
import { buildkit } from "../../local/cluster/configs.ts";
import { buildAt } from "../../local/cluster/images.ts";
import { cacheDir, projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import { ownMirrors } from "../../local/publish/packages.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain, type Toolchain } from "../../local/toolchain/build.ts";
import { tools } from "../../local/toolchain/tools.ts";
import { Loopback } from "./loopback.ts";

const day = "20261123T000000Z";
const cgroup = `orcheo-pinned-base-${process.pid}`;
const report = consoleReport();
let toolchain: Toolchain;
let loopback: Loopback;
let builder: ChildProcess;
let socket: string;
let archive: Server;
let address: string;
/** Paths that the archive was asked for, and those that it has not. */
let asked: string[];
let refused: string[];

beforeAll(async () => {
    const names = ["buildkit", "cosign", "crane", "registry", "runc"];
    const table = tools.filter(({ name }) => names.includes(name));
    toolchain = await ensureToolchain(["cluster", "publish"], report, { table });
    loopback = await Loopback.at("127.0.0.1:25025", toolchain);
    const crane = loopback.crane;
    await ensureBaseImage({
        registry: loopback.at,
        crane,
        cacheDir,
        report: (line) => {
            report.note(line);
        },
    });

    const mirrors = await ownMirrors();
    archive = createServer(({ url = "" }, response) => {
        const [, of = "", rest = ""] = /^\/archive\/(debian|debian-security)\/20261123T000000Z\/(.+)$/.exec(url) ?? [];
        if (rest === "") {
            refused.push(url);
            response.writeHead(404).end();
            return;
        }
        asked.push(`${of} ${rest}`);
        // snapshot.debian.org redirects as well.
        response.writeHead(302, { location: `${of === "debian" ? mirrors.debian : mirrors.security}/${rest}` }).end();
    });
    archive.listen(0, "127.0.0.1");
    await once(archive, "listening");
    address = `http://127.0.0.1:${(archive.address() as AddressInfo).port}/archive`;

    createCgroup(cgroup);
    socket = join(loopback.folder, "buildkit.sock");
    const config = join(loopback.folder, "buildkitd.toml");
    const [root, runc] = [join(loopback.folder, "buildkit"), toolchain.bin("runc")];
    writeFileSync(config, buildkit({ root, socket, cgroup, runc, mirror: loopback.at }));
    // In a mount namespace of its own its mounts end with it.
    builder = spawn("unshare", ["--mount", toolchain.bin("buildkitd"), "--config", config], { stdio: "ignore" });
    for (const end = Date.now() + 60_000; !existsSync(socket);) {
        if (Date.now() > end || builder.exitCode !== null) throw new Error(`no BuildKit at ${socket}`);
        await new Promise((done) => setTimeout(done, 200));
    }
}, 600_000);

beforeEach(() => {
    [asked, refused] = [[], []];
});

afterAll(async () => {
    archive.close();
    builder.kill();
    if (builder.exitCode === null) await once(builder, "close");
    loopback.close();
    removeCgroup(cgroup);
});

/** As .github/build-images.sh builds. @returns the reference by digest */
async function build(image: string, args: Readonly<Record<string, string>>, ...more: string[]): Promise<string> {
    const repository = `${loopback.at}/staging/${image}`;
    const given = Object.entries({ SOURCE_DATE_EPOCH: "1767225600", ...args });
    const digest = await buildAt(socket, toolchain, join(projectDir, "images", image), `${repository}:pinned`, {
        output: ["rewrite-timestamp=true", "oci-mediatypes=true"],
        args: [...given.flatMap(([name, value]) => ["--opt", `build-arg:${name}=${value}`]), ...more],
        timeoutSeconds: 600,
    });
    return `${repository}@${digest}`;
}

const base = (snapshot: string, ...more: string[]): Promise<string> =>
    build("base", { BASE_IMAGE: "debian:trixie-slim", SNAPSHOT: snapshot, ARCHIVE: address }, ...more);

test("base and packages are of the archive's day, and the same pins are the same digest", async () => {
    const pinned = await base(day);
    const indexes = ["debian dists/trixie/InRelease", "debian dists/trixie-updates/InRelease"];
    expect(asked).toEqual(expect.arrayContaining([...indexes, "debian-security dists/trixie-security/InRelease"]));
    const exported = join(loopback.folder, "base.tar");
    await loopback.crane("export", pinned, exported);
    const sources = await run("tar", ["-xOf", exported, "etc/apt/sources.list.d/debian.sources"]);
    const keyring = /^Signed-By: (.+)$/m.exec(sources)?.[1] ?? "";
    expect(keyring).toMatch(/^\/usr\/share\/keyrings\/debian-archive-keyring\.(gpg|pgp)$/);
    const source = (of: string, suites: string): string =>
        `Types: deb\nURIs: ${address}/${of}/${day}\nSuites: ${suites}\nComponents: main\nCheck-Valid-Until: no\nSigned-By: ${keyring}\n`;
    expect(sources).toBe(
        `${source("debian", "trixie trixie-updates")}\n${source("debian-security", "trixie-security")}`,
    );
    expect(await base(day, "--no-cache")).toBe(pinned);

    asked = [];
    await build("valkey", { BASE_IMAGE: pinned });
    expect(asked.filter((path) => /^debian(-security)? pool\/.*\/valkey-server_.*\.deb$/.test(path))).toHaveLength(1);
    expect(refused).toEqual([]);
}, 900_000);

test("a day that the archive does not have ends the build: nothing else takes its place", async () => {
    await expect(base("20200101T000000Z")).rejects.toThrow("exit code");
    expect(refused).toContain("/archive/debian/20200101T000000Z/dists/trixie/InRelease");
    expect(asked).toEqual([]);
}, 300_000);
