/**
 * Writes the built tools of `make up` to one file, for a release: `make toolchain-bundle`, or `node local/toolchain/bundle.ts FILE`.
 * The same tools make the same file, on every machine.
 */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import { cacheDir } from "../paths.ts";
import { folderOf } from "./build.ts";
import { CONTENTS } from "./download.ts";
import { isReproducible, platform, recordedHashes } from "./hashes.ts";
import { compareAll } from "./record-hashes.ts";
import { tools, upGroups } from "./tools.ts";

/** Level 19 makes it a tenth smaller and takes ten times as long. */
const LEVEL = 12;

const BLOCK = 1024 ** 2;

/** Packs folders of one parent folder, with a list of them first. */
export async function writeBundle(folders: readonly string[], file: string): Promise<void> {
    const lists = mkdtempSync(join(tmpdir(), "orcheo-bundle-"));
    const part = `${file}.part-${process.pid}`;
    try {
        const names = folders.map((folder) => basename(folder));
        writeFileSync(join(lists, CONTENTS), `${JSON.stringify(names)}\n`);
        const files = folders.flatMap((folder) =>
            readdirSync(folder)
                .sort()
                .map((name) => join(basename(folder), name)),
        );
        const same = ["--mtime=@0", "--mode=0755", "--owner=0", "--group=0", "--numeric-owner"];
        const from = ["-C", lists, CONTENTS, "-C", dirname(folders[0] ?? ""), ...files];
        const tar = spawn("tar", ["--create", "--format=ustar", ...same, ...from], {
            stdio: ["ignore", "pipe", "inherit"],
        });
        const ended = new Promise<number | null>((done, fail) => {
            tar.once("error", fail);
            tar.once("close", done);
        });
        mkdirSync(dirname(resolve(file)), { recursive: true });
        const smaller = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
        const [code] = await Promise.all([ended, pipeline(tar.stdout, blocks, smaller, createWriteStream(part))]);
        if (code !== 0) throw new Error(`tar: exit code ${code ?? "?"}`);
        renameSync(part, file);
    } finally {
        rmSync(part, { force: true });
        rmSync(lists, { recursive: true, force: true });
    }
}

/** Parts of one size: zstd's output depends on how its input arrives, which for a pipe is chance. */
async function* blocks(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of input) {
        parts.push(part);
        bytes += part.length;
        if (bytes < BLOCK) continue;
        const all = Buffer.concat(parts);
        const whole = bytes - (bytes % BLOCK);
        for (let at = 0; at < whole; at += BLOCK) yield all.subarray(at, at + BLOCK);
        parts = [all.subarray(whole)];
        bytes -= whole;
    }
    yield Buffer.concat(parts);
}

if (import.meta.main) {
    const file = process.argv[2] ?? `toolchain-${platform}.tar.zst`;
    const bundled = upGroups.flatMap((group) => tools.filter((tool) => tool.group === group && isReproducible(tool)));
    const { differences, recorded, missing } = await compareAll(recordedHashes(), bundled);
    const problems = [
        ...differences,
        ...recorded.map((name) => `${name}: its hash is not recorded (npm run hashes -- --write)`),
        ...missing.map((name) => `${name}: not in ${join(cacheDir, "toolchain")} (node local/toolchain/build.ts)`),
    ];
    if (problems.length > 0) {
        process.stderr.write(`no bundle was written:\n${problems.map((line) => `  - ${line}\n`).join("")}`);
        process.exitCode = 1;
    } else {
        await writeBundle(
            bundled.map((tool) => folderOf(tool)),
            file,
        );
        process.stdout.write(`${file}: ${bundled.length} tools\n`);
    }
}
