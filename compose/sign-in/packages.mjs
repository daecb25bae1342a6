// packages.mjs NAME TARGET: copies a package and everything it needs from node_modules.
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [, , name, target] = process.argv;
const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
const done = new Set();
function copy(wanted, from) {
    // As Node resolves: the nearest node_modules on the way up.
    for (let here = from; ; here = here.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, "")) {
        const folder = `${here === "" ? "" : `${here}/`}node_modules/${wanted}`;
        if (packages[folder] === undefined) {
            if (here === "") throw new Error(`package-lock.json has no ${wanted}`);
            continue;
        }
        if (done.has(folder)) return;
        done.add(folder);
        cpSync(folder, join(target, folder.replace(/^node_modules\//, "")), { recursive: true });
        for (const next of Object.keys(packages[folder].dependencies ?? {})) copy(next, folder);
        return;
    }
}
copy(name, "");
