// Pulumi requires this file. Here, and in a copy of the folder, Node itself strips the types of the .ts files: nothing is
// compiled, and no type check costs seconds on every preview. A package holds them compiled: below node_modules Node strips none.
import { existsSync } from "node:fs";
import { flushCompileCache } from "node:module";

// The SDK takes the pack's version from the package.json of the working directory: let it find the pack's own.
process.chdir(import.meta.dirname);
// Imported, not required: Pulumi's runner has ts-node compile what is required.
void import(existsSync("index.ts") ? "./index.ts" : "./dist/index.js").then(() => {
    // If Node keeps what it compiles (NODE_COMPILE_CACHE), it does so at a process's end; but the engine kills this one.
    flushCompileCache();
});
