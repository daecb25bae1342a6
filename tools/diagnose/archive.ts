/** Writes files as one compressed archive, readable by its owner only. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { File } from "./collect.ts";

/** @param output  ends with .tar.gz; its name is that of the folder in the archive */
export function writeArchive(output: string, files: readonly File[]): void {
    const dir = mkdtempSync(join(tmpdir(), "orcheo-diagnose-"));
    try {
        const name = basename(output).replace(/\.(tar\.gz|tgz)$/, "");
        for (const { path, text } of files) {
            const file = join(dir, name, path);
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, text);
        }
        const target = resolve(output);
        const part = `${target}.part`;
        const { status, stderr, error } = spawnSync("tar", ["-czf", part, "-C", dir, name], { encoding: "utf8" });
        if (status !== 0) throw new Error(`tar: ${error?.message ?? stderr}`);
        chmodSync(part, 0o600);
        renameSync(part, target);
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
}
