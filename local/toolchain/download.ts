/**
 * Takes built tools from the bundle of a release (bundle.ts) or its mirror. Only the hashes in the repository are trusted: a tool
 * is taken when each of its files has the recorded one, and nothing is taken from a bundle that has anything wrong in it.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import type { Progress } from "../report.ts";
import { platform } from "./hashes.ts";
import { filesIn, type TarFile } from "./tar.ts";

/** A tool as it has to arrive. */
export interface Wanted {
    /** Where it goes; in the bundle, its folder has the same name. */
    readonly folder: string;
    /** SHA-256 of each of its files. */
    readonly files: Readonly<Record<string, string>>;
    readonly executables: readonly string[];
}

/** When a download is given up. */
export interface Limits {
    readonly connectSeconds: number;
    /** Slower than this for so long is as good as not at all. */
    readonly bytesPerSecond: number;
    readonly stalledSeconds: number;
    /** By then, two cores have built everything. */
    readonly totalSeconds: number;
}

const LIMITS: Limits = { connectSeconds: 10, bytesPerSecond: 256 * 1024, stalledSeconds: 20, totalSeconds: 900 };

/** First file of a bundle: the names of its folders. */
export const CONTENTS = "contents.json";
const CONTENTS_BYTES = 64 * 1024;
/** Twice the largest tool. */
const FILE_BYTES = 512 * 1024 ** 2;

const VARIABLE = "ORCHEO_TOOLCHAIN_URL";

/**
 * Where the bundle is: of the release that release.json names, or a mirror that `ORCHEO_TOOLCHAIN_URL` names.
 *
 * @returns undefined when there is none, or it is not wanted
 * @throws when it is no such URL
 */
export function bundleUrl(
    env: NodeJS.ProcessEnv = process.env,
    { url } = JSON.parse(readFileSync(join(import.meta.dirname, "release.json"), "utf8")) as { url: string },
): URL | undefined {
    const found = env[VARIABLE] ?? url;
    if (found === "" || found === "none") return undefined;
    const parsed = URL.parse(found.replaceAll("{platform}", platform));
    if (parsed?.protocol === "https:" || parsed?.protocol === "http:") return parsed;
    throw new Error(
        `${VARIABLE}: found ${parsed === null ? "no URL" : `one of ${parsed.protocol}`}; ` +
            `accepted: an http or https URL, in which {platform} becomes ${platform}, or "none" to build every tool`,
    );
}

/** Without what may be secret: name and password, or the signature of a bucket. */
export const shown = ({ origin, pathname }: URL): string => `${origin}${pathname}`;

/**
 * Downloads the wanted tools that the bundle has, and installs them once all are verified. Nothing is left when it fails, and no
 * archive on the disk when it succeeds.
 *
 * @returns the folders that were installed
 * @throws when the bundle cannot be had in time, or anything in it is wrong
 */
export async function downloadTools(
    url: URL,
    wanted: readonly Wanted[],
    { progress, limits = LIMITS }: { progress?: Progress; limits?: Limits } = {},
): Promise<string[]> {
    const [first] = wanted;
    if (first === undefined) return [];
    mkdirSync(dirname(first.folder), { recursive: true });
    // On the same disk, so that they only have to be renamed; the next run removes it after a kill.
    const temporary = mkdtempSync(join(dirname(first.folder), "download.part-"));
    try {
        const taken = await received(url, limits, progress, (archive) => unpack(archive, wanted, temporary));
        for (const { folder } of taken) renameSync(join(temporary, basename(folder)), folder);
        return taken.map(({ folder }) => folder);
    } finally {
        rmSync(temporary, { recursive: true, force: true });
    }
}

/**
 * The folders that a bundle says it has, for which only its beginning is read.
 *
 * @returns none when it cannot be had, for whatever reason
 */
export async function offeredBy(
    url: URL,
    limits: Limits = { ...LIMITS, totalSeconds: 30 },
): Promise<readonly unknown[]> {
    return received(url, limits, undefined, async (archive) => {
        for await (const file of filesIn(archive)) return contentsOf(file);
        return [];
    }).catch(() => []);
}

/** Hands what curl receives, decompressed, to `work`. curl knows the machine's proxies and CAs. */
async function received<T>(
    url: URL,
    { connectSeconds, bytesPerSecond, stalledSeconds, totalSeconds }: Limits,
    progress: Progress | undefined,
    work: (archive: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
    const flags = ["--silent", "--show-error", "--fail", "--location", "--max-redirs", "5", "--proto", "=http,https"];
    const times = {
        "--connect-timeout": connectSeconds,
        "--speed-limit": bytesPerSecond,
        "--speed-time": stalledSeconds,
        "--max-time": totalSeconds,
    };
    const args = [...flags, ...Object.entries(times).flatMap(([flag, value]) => [flag, String(value)])];
    // The URL may have a password, which everybody could read among the arguments.
    const curl = spawn("curl", [...args, "--config", "-"]);
    curl.stdin.on("error", () => undefined).end(`url = "${url.href.replaceAll("\\", "\\\\")}"\n`);
    let said = "";
    curl.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const failure = new Promise<string | undefined>((done) => {
        curl.once("error", ({ message }) => {
            done(message);
        });
        // Without a code, it was killed: by us, or with us.
        curl.once("close", (code) => {
            done(code === 0 || code === null ? undefined : said.trim());
        });
    });
    let bytes = 0;
    curl.stdout.on("data", (part: Buffer) => {
        bytes += part.length;
        progress?.(`${Math.round(bytes / 1e6)} MB`);
    });
    const plain = createZstdDecompress();
    // Its outcome is that of whoever reads.
    const flow = pipeline(curl.stdout, plain).catch(() => undefined);
    try {
        return await work(plain);
    } catch (error) {
        // An archive that ends early may be a connection that did; nobody waits for the rest of a wrong one.
        if (!curl.stdout.readableEnded) curl.kill();
        // Its end is reported once its output is read or closed.
        plain.destroy();
        const why = await failure;
        throw why === undefined ? error : new Error(why, { cause: error });
    } finally {
        plain.destroy();
        curl.kill();
        await flow;
        await failure;
    }
}

/** @returns the tools that are complete in `into`, each file verified */
async function unpack(archive: AsyncIterable<Buffer>, wanted: readonly Wanted[], into: string): Promise<Wanted[]> {
    let taken: Wanted[] | undefined;
    const missing = new Set<string>();
    for await (const file of filesIn(archive)) {
        if (taken === undefined) {
            const has = await contentsOf(file);
            taken = wanted.filter(({ folder }) => has.includes(basename(folder)));
            for (const { folder, files } of taken) {
                mkdirSync(join(into, basename(folder)));
                for (const name of Object.keys(files)) missing.add(`${basename(folder)}/${name}`);
            }
        } else {
            const [folder = "", name = "", ...deeper] = file.name.split("/");
            if (deeper.length > 0 || !isName(folder) || !isName(name))
                throw new Error(`${JSON.stringify(file.name)} is not a file in a tool's folder`);
            const tool = taken.find((each) => basename(each.folder) === folder);
            if (tool === undefined) continue;
            if (!missing.delete(file.name))
                throw new Error(`${file.name} is there twice, or the repository does not know it`);
            const mode = tool.executables.includes(name) ? 0o755 : 0o644;
            const sha256 = await written(file, join(into, file.name), mode);
            if (sha256 !== tool.files[name])
                throw new Error(`${file.name} has sha256 ${sha256}; the repository records ${tool.files[name] ?? "?"}`);
        }
        if (missing.size === 0) return taken;
    }
    throw new Error(`it lacks ${[...missing].join(", ") || CONTENTS}`);
}

/** Neither empty nor a path; `..` is none either. */
const isName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text);

async function contentsOf({ name, size, content }: TarFile): Promise<readonly unknown[]> {
    if (name !== CONTENTS || size > CONTENTS_BYTES) throw new Error(`its first file is not ${CONTENTS}`);
    const names = JSON.parse(await text(content)) as unknown;
    if (!Array.isArray(names)) throw new Error(`${CONTENTS} is no list`);
    return names as unknown[];
}

/** Writes a file. @returns its SHA-256 */
async function written({ name, size, content }: TarFile, path: string, mode: number): Promise<string> {
    if (size > FILE_BYTES) throw new Error(`${name} has ${size} bytes; accepted: ${FILE_BYTES}`);
    const hash = createHash("sha256");
    const hashed = async function* (parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const part of parts) {
            hash.update(part);
            yield part;
        }
    };
    await pipeline(content, hashed, createWriteStream(path, { flags: "wx", mode }));
    return hash.digest("hex");
}
