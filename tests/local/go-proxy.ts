/** Go modules made of a few lines, offered as a module proxy does. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../../local/process.ts";

export function write(folder: string, files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
    }
}

/** Adds a version of a module to the proxy in the folder `root`. */
export async function publish(
    root: string,
    goModule: string,
    version: string,
    files: Readonly<Record<string, string>>,
): Promise<void> {
    const listed = join(root, "proxy", goModule, "@v");
    write(join(root, "zip", `${goModule}@${version}`), files);
    write(listed, {
        [`${version}.info`]: JSON.stringify({ Version: version }),
        [`${version}.mod`]: files["go.mod"] ?? "",
    });
    // A module's zip has no entries for folders, which `python3 -m zipfile` would add.
    const zip =
        "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n    for f in sys.argv[2:]: z.write(f)";
    const names = Object.keys(files).map((name) => `${goModule}@${version}/${name}`);
    await run("python3", ["-c", zip, join(listed, `${version}.zip`), ...names], { cwd: join(root, "zip") });
}

/** The setting that makes `go` ask the proxy first. */
export async function proxyOf(root: string): Promise<string> {
    return `file://${join(root, "proxy")},${(await run("go", ["env", "GOPROXY"])).trim()}`;
}
