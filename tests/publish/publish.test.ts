/** `make publish` against a registry on loopback: `make publish-test`. The images hold what Syft reads of Debian, and no more. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { registry as registryConfig } from "../../local/cluster/configs.ts";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import { outdatedIn } from "../../local/publish/packages.ts";
import { pushImage } from "../../local/push-image.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain, type Toolchain } from "../../local/toolchain/build.ts";

const folder = mkdtempSync(join(tmpdir(), "orcheo-publish-test-"));
const at = "127.0.0.1:25019";
const target = `${at}/published`;
const password = "planted-password-7d21";
const architecture = process.arch === "x64" ? "amd64" : process.arch;
let toolchain: Toolchain;
let server: ChildProcess;
let current: string;
let outdated: string;

const crane = (...args: string[]): Promise<string> => run(toolchain.bin("crane"), args);
const cosign = (...args: string[]): Promise<string> =>
    run(toolchain.bin("cosign"), args, { cwd: folder, env: { ...process.env, COSIGN_PASSWORD: password } });
const verified = (image: string, ...more: string[]): Promise<string> =>
    cosign("verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", "--allow-http-registry", ...more, image);

/** An image of Debian with one package. @returns its reference by digest */
async function image(tag: string, version: string): Promise<string> {
    const root = join(folder, tag);
    mkdirSync(join(root, "etc"), { recursive: true });
    mkdirSync(join(root, "var/lib/dpkg"), { recursive: true });
    writeFileSync(
        join(root, "etc/os-release"),
        'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n',
    );
    writeFileSync(
        join(root, "var/lib/dpkg/status"),
        `Package: libc6\nStatus: install ok installed\nMaintainer: none\nVersion: ${version}\nArchitecture: ${architecture}\nDescription: none\n`,
    );
    const layerFile = join(folder, `${tag}.tar.gz`);
    await run("tar", ["-C", root, "-czf", layerFile, "."]);
    const diffId = `sha256:${createHash("sha256")
        .update(gunzipSync(readFileSync(layerFile)))
        .digest("hex")}`;
    const { digest } = await pushImage(crane, `${at}/built/backend:${tag}`, {
        layerFile,
        diffId,
        createdSeconds: 0,
        createdBy: "a test",
        labels: {},
    });
    return `${at}/built/backend@${digest}`;
}

/** `make publish` itself. */
const publish = (version: string, backend: string, more: NodeJS.ProcessEnv = {}): Promise<string> => {
    writeFileSync(join(folder, "images.json"), JSON.stringify({ backend }));
    const settings = { VERSION: version, REGISTRY: target, IMAGES: join(folder, "images.json") };
    const key = { KEY: join(folder, "cosign.key"), COSIGN_PASSWORD: password };
    return run("make", ["--silent", "publish"], {
        cwd: projectDir,
        env: { ...process.env, ...settings, ...key, ...more },
    });
};

beforeAll(async () => {
    toolchain = await ensureToolchain(["cluster", "publish"], consoleReport());
    writeFileSync(join(folder, "registry.yaml"), registryConfig(join(folder, "registry"), at));
    server = spawn(toolchain.bin("registry"), ["serve", join(folder, "registry.yaml")], { stdio: "ignore" });
    for (const end = Date.now() + 30_000; ;) {
        if (
            await fetch(`http://${at}/v2/`).then(
                (answer) => answer.ok,
                () => false,
            )
        )
            break;
        if (Date.now() > end) throw new Error(`no registry at ${at}`);
        await new Promise((done) => setTimeout(done, 200));
    }
    await cosign("generate-key-pair");
    const old = { type: "deb", name: "libc6", version: "2.0", metadata: { architecture } };
    const [found] = await outdatedIn(
        { distro: { id: "debian", versionCodename: "trixie" }, artifacts: [old] },
        architecture,
    );
    current = await image("current", found?.candidate ?? "");
    outdated = await image("outdated", "2.0");
});

afterAll(() => {
    server.kill();
    rmSync(folder, { recursive: true });
});

test("wrong settings are refused together, before anything is read", async () => {
    await expect(publish("latest", "backend:1.0", { REGISTRY: "orcheo" })).rejects.toThrow(
        /3 problem.*VERSION: found "latest".*REGISTRY: found "orcheo".*IMAGES: backend: found "backend:1\.0"/s,
    );
    await expect(publish("1.0.0", current, { KEY: "/none" })).rejects.toThrow('KEY: found "/none"');
});

test("an outdated package stops everything, with both versions", async () => {
    const attempt = publish("1.4.2", outdated);
    await expect(attempt).rejects.toThrow(/nothing was published.*backend: libc6 2\.0 is outdated, Debian has 2\./s);
    expect(await crane("catalog", at)).not.toContain("published");
});

test("what is current is copied by its digest, tagged, signed, and has its SBOM", async () => {
    const printed = await publish("1.4.2", current);
    const digest = current.slice(current.indexOf("@"));
    expect(parse(printed)).toEqual({
        images: { kind: "published", backend: `${target}/backend:1.4.2${digest}` },
    });
    expect(printed).not.toContain(password);
    const tags = (await crane("ls", `${target}/backend`)).split("\n");
    expect(tags).toEqual(expect.arrayContaining(["1.4.2", "1.4", "1"]));
    expect(tags).not.toContain("latest");
    await verified(`${target}/backend${digest}`);
    const attested = await cosign(
        ...["verify-attestation", "--key", "cosign.pub", "--insecure-ignore-tlog=true", "--allow-http-registry"],
        ...["--type", "spdxjson", `${target}/backend${digest}`],
    );
    const { payload } = JSON.parse(attested) as { payload: string };
    expect(Buffer.from(payload, "base64").toString()).toContain("libc6");
});

test("no other image passes the verification, and no other key", async () => {
    const other = `${target}/backend${outdated.slice(outdated.indexOf("@"))}`;
    await crane("copy", outdated, other);
    await expect(verified(other)).rejects.toThrow(/no (matching )?signatures/);
    await cosign("generate-key-pair", "--output-key-prefix", "another");
    const known = `${target}/backend${current.slice(current.indexOf("@"))}`;
    await expect(verified(known, "--key", "another.pub")).rejects.toThrow(/invalid signature|no matching/);
});

test("a version that is out stays as it is; an exception publishes an outdated package under another one", async () => {
    writeFileSync(
        join(folder, "allowed.json"),
        JSON.stringify([{ package: "libc6", until: "2999-12-31", reason: "for this test" }]),
    );
    const allowed = { ALLOWED: join(folder, "allowed.json") };
    await expect(publish("1.4.2", outdated, allowed)).rejects.toThrow(/VERSION: .*1\.4\.2 is sha256:.* already/);
    await publish("1.3.9", outdated, allowed);
    const newest = (await crane("digest", `${target}/backend:1`)).trim();
    expect(current).toContain(newest);
});
