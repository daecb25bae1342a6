/** Packages of a lock file, for the Python that is here. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { cacheDir } from "../../../local/paths.ts";
import { run } from "../../../local/process.ts";

/** @returns the folder of the packages: for PYTHONPATH; programs are in `bin/` */
export async function pythonPackages(lock: string): Promise<string> {
    const key = createHash("sha256")
        .update(readFileSync(lock))
        .update(await run("python3", ["--version"]));
    const dir = join(cacheDir, `python-${basename(dirname(lock))}-${key.digest("hex").slice(0, 12)}`);
    if (existsSync(dir)) return dir;
    const part = `${dir}.part`;
    rmSync(part, { recursive: true, force: true });
    const checked = ["--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"];
    await run("python3", ["-m", "pip", "install", ...checked, "--target", part, "-r", lock], { timeoutSeconds: 300 });
    renameSync(part, dir);
    return dir;
}

/** moto, its server, and the AWS CLI. */
export const awsPackages = (): Promise<string> =>
    pythonPackages(join(import.meta.dirname, "..", "store", "requirements.lock"));
