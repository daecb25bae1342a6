/**
 * The hashes of the built tools, which the repository records. Go's compiler makes the same binary of the same source on every
 * machine, so a difference means that something else was built, or by something else.
 */
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Tool } from "./tools.ts";

/** One tool, as it was built. */
export interface Recorded {
    readonly version: string;
    /** The end of its folder's name: other module files, flags or another compiler make other binaries. */
    readonly key: string;
    /** SHA-256 of each file. */
    readonly files: Readonly<Record<string, string>>;
}

/** By platform (`linux-x64`) and tool. */
export type Hashes = Readonly<Record<string, Readonly<Record<string, Recorded>>>>;

const FILE = join(import.meta.dirname, "hashes.json");

export const platform = `${process.platform}-${process.arch}`;

export const recordedHashes = (): Hashes => JSON.parse(readFileSync(FILE, "utf8")) as Hashes;

/** The C compiler and the C library of the machine go into the others. */
export const isReproducible = (tool: Tool): boolean => tool.cgo !== true && tool.cSource === undefined;

/** SHA-256 of every file in a tool's folder. */
export async function hashFiles(folder: string): Promise<Record<string, string>> {
    const hashed: Record<string, string> = {};
    for (const name of readdirSync(folder).sort()) {
        const hash = createHash("sha256");
        await pipeline(createReadStream(join(folder, name)), hash);
        hashed[name] = hash.digest("hex");
    }
    return hashed;
}

/** One line per file that differs. Empty as well when nothing is recorded for these sources on this platform. */
export async function differencesOf(tool: Tool, key: string, folder: string, hashes: Hashes): Promise<string[]> {
    const recorded = hashes[platform]?.[tool.name];
    if (recorded?.key !== key || !isReproducible(tool)) return [];
    const built = await hashFiles(folder);
    return [...new Set([...Object.keys(recorded.files), ...Object.keys(built)])]
        .filter((name) => recorded.files[name] !== built[name])
        .map(
            (name) =>
                `${tool.name} ${tool.version}, ${name}: the repository records sha256 ${recorded.files[name] ?? "no such file"}, ` +
                `this machine has ${built[name] ?? "no such file"} (${join(folder, name)})`,
        );
}

/**
 * A warning, no refusal: sources and compiler were verified by their checksums before. Whoever publishes binaries has to
 * take a difference for a failure: `node local/toolchain/record-hashes.ts` exits with 1.
 */
export const differenceNote = (differences: readonly string[]): string =>
    [
        "warning: tools differ from the hashes in local/toolchain/hashes.json; they are used all the same:",
        ...differences.map((line) => `  - ${line}`),
        "  Altered compile results may be the cause. To find out: delete the tool's folder and Go's caches (make prune), and build again.",
    ].join("\n");

export function writeHashes(hashes: Hashes): void {
    const sorted = Object.entries(hashes).map(([name, tools]) => [
        name,
        Object.fromEntries(Object.entries(tools).sort(([a], [b]) => (a < b ? -1 : 1))),
    ]);
    writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(sorted), undefined, 4)}\n`);
}
