// Usage: node repair-lock.mjs package-lock.json
// The canvas' release script replaced its own old version everywhere in the lock, and with it that of the package `tmp`,
// which happened to be the same: the lock of 0.16.0 asks for tmp 0.16.0, which does not exist (0.2.5 is meant; its
// integrity hash is still in the lock, so that npm checks the repair). A lock without this fault is left untouched.
import { readFileSync, writeFileSync } from "node:fs";

const path = process.argv[2];
if (path === undefined) throw new Error("usage: node repair-lock.mjs package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8"));
const tmp = lock.packages?.["node_modules/tmp"];
const own = lock.packages?.[""]?.version ?? lock.version;
// `tmp` never had a 0.3 or later release that equals a version of the canvas.
if (tmp !== undefined && tmp.version === own && /^0\.(\d+)\./.exec(own)?.[1] > 2) {
    tmp.version = "0.2.5";
    writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
    console.log(`${path}: tmp ${own} does not exist, 0.2.5 is meant: repaired`);
}
