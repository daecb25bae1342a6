/** The Orcheo source tree that dev.yaml mounts: a given one, else made from the images' own code. */
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import type { ComposeFolder } from "./stack.ts";

/** The packages as they are installed in the image, in the folders of Orcheo's repository. */
export async function makeTree(folder: ComposeFolder, tree: string): Promise<void> {
    mkdirSync(tree);
    const given = process.env.ORCHEO_CANVAS_SOURCE;
    if (given !== undefined) {
        for (const part of ["src", "packages", "apps", "tests", "pyproject.toml"])
            cpSync(join(given, part), join(tree, part), { recursive: true });
        return;
    }
    const site = "/opt/orcheo/lib/python3.13/site-packages";
    const packed = `tar check -C ${site} --exclude=__pycache__ -cf - orcheo orcheo_backend orcheo_sdk`;
    await folder.shell(`docker compose run --rm --no-deps -T --entrypoint ${packed} > ../packages.tar`);
    const homes = { orcheo: "src", orcheo_backend: "apps/backend/src", orcheo_sdk: "packages/sdk/src" };
    for (const [name, home] of Object.entries(homes)) {
        mkdirSync(join(tree, home), { recursive: true });
        await run("tar", ["-C", join(tree, home), "-xf", join(folder.root, "packages.tar"), name]);
    }
    const canvas = join(projectDir, "tests", "canvas-app", "apps", "canvas");
    cpSync(canvas, join(tree, "apps", "canvas"), {
        recursive: true,
        filter: (file) => !/\/(node_modules|dist)$/.test(file),
    });
}

/** The file of the tree whose path ends so. */
export function fileOf(tree: string, pattern: string): string {
    const found = readdirSync(tree, { recursive: true, encoding: "utf8" }).find((file) => file.endsWith(pattern));
    if (found === undefined) throw new Error(`the tree has no ${pattern}`);
    return join(tree, found);
}
