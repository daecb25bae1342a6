/**
 * The base of every image is `debian:trixie-slim`. Where Docker Hub cannot be reached, a stand-in of the same suite is
 * made with debootstrap and put into a registry as `library/debian:trixie-slim`, where BuildKit's mirror for docker.io
 * finds it: the Dockerfiles stay as they are.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { withLock } from "./lock.ts";
import { run } from "./process.ts";
import { type Crane, pushImage, type SingleLayerImage } from "./push-image.ts";

const suite = "trixie";
const repository = "library/debian";
const tag = `${suite}-slim`;
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
// The day the suite came out: a fixed time for every file, so that the same packages make the same layer.
const epochSeconds = Date.UTC(2025, 7, 9) / 1000;
const slimPaths = ["/usr/share/doc", "/usr/share/man", "/usr/share/info", "/usr/share/locale", "/usr/share/lintian"];

export interface BaseImageArgs {
    /** The registry that BuildKit asks for docker.io's images, such as `127.0.0.1:5000`. */
    registry: string;
    /** Runs crane where that registry can be reached. */
    crane: Crane;
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

/**
 * Makes `debian:trixie-slim` available to image builds.
 *
 * @throws when debootstrap, its keyring or root rights are missing, when debootstrap fails, or when the registry refuses
 */
export async function ensureBaseImage(args: BaseImageArgs): Promise<BaseImage> {
    const { registry, crane, cacheDir, report } = args;
    // A stand-in that was pushed before answers for docker.io in this registry, whatever the network does meanwhile.
    const cached = await readCached(cacheDir);
    if (cached === undefined && (await (args.hubReachable ?? hubReachable)())) return { from: "hub", changed: false };

    const image = cached ?? (await makeStandIn(cacheDir, report));
    const pushed = await pushImage(crane, `${registry}/${repository}:${tag}`, image);
    if (pushed.changed) report(`base image: the stand-in of debian:${tag} is in ${registry} as ${pushed.digest}`);
    return { from: "stand-in", digest: pushed.digest, changed: cached === undefined || pushed.changed };
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
        createdSeconds: epochSeconds,
        createdBy: "debootstrap",
        labels: {
            "org.opencontainers.image.title": `Stand-in for debian:${tag}`,
            "org.opencontainers.image.description": `Made with debootstrap because Docker Hub could not be reached`,
            // Two stand-ins with this label alike have to have the same digest; the list is in the image's dpkg status.
            "orcheo.debian-packages": createHash("sha256")
                .update(await readFile(join(dir, "packages")))
                .digest("hex"),
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
    return withLock(`${parent}.lock`, { note: report }, async () => {
        // What an older recipe or an interrupted run left is of no more use.
        for (const entry of existsSync(parent) ? await readdir(parent) : [])
            if (join(parent, entry) !== dir) await rm(join(parent, entry), { recursive: true });
        if (!existsSync(dir)) await makeIn(dir, report);
        return imageOf(dir);
    });
}

async function makeIn(dir: string, report: (line: string) => void): Promise<void> {
    const mirrors = mirrorsOf(await run("apt-get", ["indextargets", "--format", INDEX_FORMAT, "Identifier: Packages"]));
    await mkdir(join(dir, ".."), { recursive: true });
    const work = await mkdtemp(`${dir}.partial-`);
    const root = join(work, "root");

    report(
        `base image: Docker Hub cannot be reached, making a stand-in of debian:${tag} with debootstrap (about 1 min)`,
    );
    // In a mount namespace of their own the mounts that debootstrap makes end with it, even when it is killed.
    const inMounts = (...command: string[]): Promise<string> => run("unshare", ["--mount", ...command]);
    await inMounts("debootstrap", "--variant=minbase", `--keyring=${keyring}`, suite, root, mirrors.debian);
    await writeConfiguration(root, mirrors);
    await cp("/etc/resolv.conf", join(root, "etc/resolv.conf"), { dereference: true });
    await inMounts("chroot", root, "sh", "-euc", upgradeScript);
    await writeFile(join(work, "packages"), await run("chroot", [root, "dpkg-query", "--show"]));
    await tidy(root);

    const tar = join(work, "layer.tar");
    await run("tar", [
        ...["--create", `--file=${tar}`, "--numeric-owner", "--sort=name", `--mtime=@${epochSeconds}`],
        ...["--format=gnu", "-C", root, "."],
    ]);
    await pipeline(createReadStream(tar), createGzip({ level: 9 }), createWriteStream(join(work, "layer.tar.gz")));
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(tar)) hash.update(chunk as Buffer);
    await writeFile(join(work, "diff-id"), `sha256:${hash.digest("hex")}\n`);
    await rm(root, { recursive: true });
    await rm(tar);
    await rename(work, dir);
}

/** Where this machine's own apt gets Debian from: what it reaches, an image build on it reaches too. */
export interface Mirrors {
    readonly debian: string;
    readonly security: string;
}

/** Of one index of apt: origin and label of its Release file, and where it is. */
const INDEX_FORMAT = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";

/** @throws when apt knows no such mirror, with what it knows */
export function mirrorsOf(indexes: string): Mirrors {
    const known = indexes.split("\n").map((line) => line.split("|"));
    const find = (wanted: string): string => {
        // Without CA certificates, as in Debian's own image, apt in the image cannot use https; packages are signed.
        const uri = known.find(
            ([origin, label, at]) => origin === "Debian" && label === wanted && at?.startsWith("http://") === true,
        )?.[2];
        if (uri === undefined)
            throw new Error(
                `base image: apt knows no http:// mirror with the label "${wanted}"; found ` +
                    `${[...new Set(known.map(([origin, label, at]) => `${origin ?? ""} ${label ?? ""} ${at ?? ""}`.trim()))].join(", ") || "nothing"}; ` +
                    "name Debian's and its security mirror in /etc/apt/sources.list, then run apt-get update",
            );
        return uri.replace(/\/$/, "");
    };
    return { debian: find("Debian"), security: find("Debian-Security") };
}

/** As the official image: Debian's three ordinary sources, no recommended services started, nothing but code installed. */
async function writeConfiguration(root: string, mirrors: Mirrors): Promise<void> {
    const source = (uri: string, suites: string) =>
        `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${keyring}\n`;
    await rm(join(root, "etc/apt/sources.list"), { force: true });
    const files: Record<string, string> = {
        "etc/apt/sources.list.d/debian.sources": [
            source(mirrors.debian, `${suite} ${suite}-updates`),
            source(mirrors.security, `${suite}-security`),
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
