/**
 * The base of every image is `debian:trixie-slim`. Where Docker Hub cannot be reached, a stand-in of the same suite is
 * made with debootstrap and put into the embedded registry as `library/debian:trixie-slim`, where BuildKit's mirror
 * for docker.io finds it: the Dockerfiles stay as they are.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

const suite = "trixie";
const repository = "library/debian";
const tag = `${suite}-slim`;
const mirror = "http://deb.debian.org/debian";
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
// The day the suite came out: a fixed time for every file, so that the same packages make the same layer.
const epochSeconds = Date.UTC(2025, 7, 9) / 1000;
const slimPaths = ["/usr/share/doc", "/usr/share/man", "/usr/share/info", "/usr/share/locale", "/usr/share/lintian"];

export interface BaseImageArgs {
    /** The embedded registry, plain http, such as `127.0.0.1:5000`. */
    registry: string;
    /** Holds the stand-in between runs; about 50 MB. Safe to delete. */
    cacheDir: string;
    /** Called with one line for each step that takes time. */
    report: (line: string) => void;
    /** Answers whether the real image can be had; default asks Docker Hub once, for at most 5 s. */
    hubReachable?: () => Promise<boolean>;
}

export interface BaseImage {
    /** `hub`: the real image is used and nothing was done. `stand-in`: the registry holds the stand-in. */
    from: "hub" | "stand-in";
    /** Digest of the stand-in's manifest, `sha256:…`. */
    digest?: string;
    /** Whether this call made the file system or pushed it; false when all was in place. */
    changed: boolean;
}

/** What {@link pushImage} needs of an image with one layer. */
export interface SingleLayerImage {
    /** A gzip-compressed tar. */
    layerFile: string;
    /** `sha256:…` of the layer before compression. */
    diffId: string;
    labels: Record<string, string>;
}

/**
 * Makes `debian:trixie-slim` available to image builds.
 *
 * @throws when debootstrap, its keyring or root rights are missing, when debootstrap fails, or when the registry refuses
 */
export async function ensureBaseImage(args: BaseImageArgs): Promise<BaseImage> {
    const { registry, cacheDir, report } = args;
    // A stand-in that was pushed before answers for docker.io in this registry, whatever the network does meanwhile.
    const cached = await readCached(cacheDir);
    if (cached === undefined && (await (args.hubReachable ?? hubReachable)())) return { from: "hub", changed: false };

    const image = cached ?? (await makeStandIn(cacheDir, report));
    const pushed = await pushImage(registry, repository, tag, image);
    if (pushed.changed) report(`base image: the stand-in of debian:${tag} is in ${registry} as ${pushed.digest}`);
    return { from: "stand-in", digest: pushed.digest, changed: cached === undefined || pushed.changed };
}

/** Pushes an image by the OCI distribution API; does nothing when the tag already names it. */
export async function pushImage(
    registry: string,
    repository: string,
    tag: string,
    image: SingleLayerImage,
): Promise<{ digest: string; changed: boolean }> {
    const base = `http://${registry}/v2/${repository}`;
    const layer = await readFile(image.layerFile);
    const created = new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
    const config = Buffer.from(
        JSON.stringify({
            architecture: process.arch === "x64" ? "amd64" : process.arch,
            os: "linux",
            created,
            config: {
                Cmd: ["bash"],
                Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                Labels: image.labels,
            },
            rootfs: { type: "layers", diff_ids: [image.diffId] },
            history: [{ created, created_by: "debootstrap" }],
        }),
    );
    const manifestType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = Buffer.from(
        JSON.stringify({
            schemaVersion: 2,
            mediaType: manifestType,
            config: describe("application/vnd.oci.image.config.v1+json", config),
            layers: [describe("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
        }),
    );
    const digest = sha256(manifest);
    const there = await request(
        `${base}/manifests/${tag}`,
        { method: "HEAD", headers: { Accept: manifestType } },
        [404],
    );
    if (there.headers.get("docker-content-digest") === digest) return { digest, changed: false };

    for (const blob of [config, layer]) await pushBlob(base, blob);
    await request(`${base}/manifests/${tag}`, {
        method: "PUT",
        headers: { "Content-Type": manifestType },
        body: new Uint8Array(manifest),
    });
    return { digest, changed: true };
}

async function pushBlob(base: string, blob: Buffer): Promise<void> {
    const digest = sha256(blob);
    const there = await request(`${base}/blobs/${digest}`, { method: "HEAD" }, [404]);
    if (there.status === 200) return;
    const start = await request(`${base}/blobs/uploads/`, { method: "POST" });
    const location = start.headers.get("location");
    if (location === null) throw new Error(`${base}: the registry opened an upload and named no location`);
    const url = new URL(location, base);
    url.searchParams.set("digest", digest);
    await request(url.href, {
        method: "PUT",
        headers: { "Content-Type": "application/octet-stream" },
        body: new Uint8Array(blob),
    });
}

async function request(url: string, init: RequestInit, accepted: number[] = []): Promise<Response> {
    const method = init.method ?? "GET";
    let response: Response;
    try {
        response = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
    } catch (cause) {
        throw new Error(`${method} ${url}: the registry gave no answer within 60 s; is the cluster running?`, {
            cause,
        });
    }
    if (!response.ok && !accepted.includes(response.status)) {
        throw new Error(`${method} ${url}: HTTP ${response.status} ${await response.text()}`);
    }
    return response;
}

function describe(mediaType: string, content: Buffer) {
    return { mediaType, digest: sha256(content), size: content.length };
}

function sha256(content: Buffer | string): string {
    return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Docker Hub's API answers 401 to everybody without a token; anything else is not Docker Hub. */
async function hubReachable(): Promise<boolean> {
    try {
        const response = await fetch("https://registry-1.docker.io/v2/", { signal: AbortSignal.timeout(5_000) });
        return response.status === 401 && response.headers.get("www-authenticate")?.includes("auth.docker.io") === true;
    } catch {
        return false;
    }
}

/** Where the stand-in is kept: another suite, or any change of how it is made (this file), is another folder. */
async function standInDir(cacheDir: string): Promise<string> {
    const recipe = await readFile(import.meta.filename);
    const key = createHash("sha256").update(suite).update(process.arch).update(recipe).digest("hex").slice(0, 16);
    return join(cacheDir, "base-image", `${suite}-${key}`);
}

async function readCached(cacheDir: string): Promise<SingleLayerImage | undefined> {
    const dir = await standInDir(cacheDir);
    if (!existsSync(join(dir, "diff-id"))) return undefined;
    return imageOf(dir);
}

async function imageOf(dir: string): Promise<SingleLayerImage> {
    return {
        layerFile: join(dir, "layer.tar.gz"),
        diffId: (await readFile(join(dir, "diff-id"), "utf8")).trim(),
        labels: {
            "org.opencontainers.image.title": `Stand-in for debian:${tag}`,
            "org.opencontainers.image.description": `Made with debootstrap from ${mirror} because Docker Hub could not be reached`,
        },
    };
}

async function makeStandIn(cacheDir: string, report: (line: string) => void): Promise<SingleLayerImage> {
    if (process.getuid?.() !== 0) throw new Error("debootstrap needs root: run this as root");
    if (!existsSync("/usr/sbin/debootstrap") || !existsSync(keyring)) {
        throw new Error(`debootstrap or ${keyring} is missing: apt-get install debootstrap debian-archive-keyring`);
    }
    const dir = await standInDir(cacheDir);
    const parent = join(cacheDir, "base-image");
    await mkdir(parent, { recursive: true });
    // What an older recipe or an interrupted run left is of no more use; a young folder may be another run's work.
    for (const entry of await readdir(parent)) {
        const path = join(parent, entry);
        const ageMs = Date.now() - (await stat(path)).mtimeMs;
        if (ageMs > 3_600_000) await rm(path, { recursive: true, force: true });
    }
    const work = await mkdtemp(`${dir}.partial-`);
    const root = join(work, "root");

    report(
        `base image: Docker Hub cannot be reached, making a stand-in of debian:${tag} with debootstrap (about 1 min)`,
    );
    // In a mount namespace of their own the mounts that debootstrap makes end with it, even when it is killed.
    await run(["unshare", "--mount", "debootstrap", "--variant=minbase", `--keyring=${keyring}`, suite, root, mirror]);
    await writeConfiguration(root);
    await cp("/etc/resolv.conf", join(root, "etc/resolv.conf"), { dereference: true });
    await run(["unshare", "--mount", "chroot", root, "sh", "-euc", upgradeScript]);
    await tidy(root);

    const tar = join(work, "layer.tar");
    await run([
        "tar",
        ...["--create", `--file=${tar}`, "--numeric-owner", "--sort=name", `--mtime=@${epochSeconds}`],
        ...["--format=gnu", "-C", root, "."],
    ]);
    await pipeline(createReadStream(tar), createGzip({ level: 9 }), createWriteStream(join(work, "layer.tar.gz")));
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(tar)) hash.update(chunk as Buffer);
    await rm(root, { recursive: true });
    await rm(tar);
    // Written last: a folder without it is not taken for a finished one.
    await writeFile(join(work, "diff-id"), `sha256:${hash.digest("hex")}\n`);
    if (existsSync(dir)) await rm(work, { recursive: true });
    else await rename(work, dir);
    return imageOf(dir);
}

/** As the official image: Debian's three ordinary sources, no recommended services started, nothing but code installed. */
async function writeConfiguration(root: string): Promise<void> {
    const source = (uri: string, suites: string) =>
        `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${keyring}\n`;
    await rm(join(root, "etc/apt/sources.list"), { force: true });
    const files: Record<string, string> = {
        "etc/apt/sources.list.d/debian.sources": [
            source(mirror, `${suite} ${suite}-updates`),
            source("http://deb.debian.org/debian-security", `${suite}-security`),
        ].join("\n"),
        "etc/apt/apt.conf.d/docker": [
            'Acquire::Languages "none";',
            'Acquire::GzipIndexes "true";',
            'Apt::AutoRemove::SuggestsImportant "false";',
            'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";',
            'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };',
            "",
        ].join("\n"),
        "etc/dpkg/dpkg.cfg.d/docker": [
            "force-unsafe-io",
            ...slimPaths.map((path) => `path-exclude ${path}/*`),
            "path-include /usr/share/doc/*/copyright",
            "",
        ].join("\n"),
    };
    for (const [path, content] of Object.entries(files)) await writeFile(join(root, path), content);
    await writeFile(join(root, "usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
}

const upgradeScript = `
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C
    apt-get -qq update
    apt-get -qq --yes dist-upgrade
    apt-get clean
    find / -xdev -depth -path '/usr/share/doc/*' ! -name copyright ! -type d -delete
    find /usr/share/doc -depth -type d -empty -delete
    rm -rf ${slimPaths
        .slice(1)
        .map((path) => `${path}/*`)
        .join(" ")}
`;

/** Removes what differs from run to run. */
async function tidy(root: string): Promise<void> {
    for (const dir of ["var/lib/apt/lists", "var/cache/apt", "var/log", "tmp", "run", "var/tmp", "root"]) {
        const path = join(root, dir);
        for (const entry of await readdir(path)) {
            if (dir === "root" && entry.startsWith(".")) continue; // root's .bashrc and .profile
            await rm(join(path, entry), { recursive: true, force: true });
        }
    }
    const files = ["passwd-", "group-", "shadow-", "gshadow-", "machine-id", "hostname", "resolv.conf", ".pwd.lock"];
    for (const file of files) await rm(join(root, "etc", file), { force: true });
    await rm(join(root, "var/cache/ldconfig/aux-cache"), { force: true });
    for (const file of ["var/lib/dpkg/status-old", "var/lib/dpkg/diversions-old", "var/lib/dpkg/lock"]) {
        await rm(join(root, file), { force: true });
    }
    for (const entry of await readdir(join(root, "var/cache/debconf"))) {
        if (entry.endsWith("-old")) await rm(join(root, "var/cache/debconf", entry));
    }
    // An empty machine-id is filled in at start; none at all would make the root filesystem differ later.
    await writeFile(join(root, "etc/machine-id"), "");
}

async function run(command: string[]): Promise<void> {
    const [program = "", ...rest] = command;
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-4_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const code = await new Promise<number | null>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", resolve);
    });
    if (code !== 0) throw new Error(`${command.join(" ")} failed with ${code ?? "a signal"}:\n${output}`);
}
