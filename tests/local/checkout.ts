/** A checkout of this project as it is, for tests that leave files in one. */
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";

/** Copies the files that git knows into the folder `to`, and links the npm packages. */
export async function copyCheckout(to: string): Promise<void> {
    mkdirSync(to);
    const copy = `git ls-files -z | tar --create --null --files-from - | tar --extract --directory "$TO"`;
    await run("bash", ["-o", "pipefail", "-c", copy], { cwd: projectDir, env: { ...process.env, TO: to } });
    symlinkSync(join(projectDir, "node_modules"), join(to, "node_modules"));
}
