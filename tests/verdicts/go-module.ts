/** What Go modules carry: fetched by the pinned version and checked against the checksum database. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { testModulesDir } from "../../local/paths.ts";
import { at, text } from "../../policies/values.ts";

/** The folder of a Go module. @param module  `path@version` */
export async function goModule(module: string): Promise<string> {
    const { stdout } = await promisify(execFile)("go", ["mod", "download", "-json", module], {
        cwd: import.meta.dirname,
        env: { ...process.env, GOMODCACHE: testModulesDir },
    });
    const folder = text(at(JSON.parse(stdout), "Dir"));
    if (folder === undefined) throw new Error(`go has no folder for ${module}: ${stdout}`);
    return folder;
}
