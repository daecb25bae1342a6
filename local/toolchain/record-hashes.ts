/**
 * Compares the built tools with hashes.json: `node local/toolchain/record-hashes.ts`; exits with 1 on a difference.
 * With `--write`, records those that are not recorded as they are now; the others have to be equal.
 */
import { existsSync } from "node:fs";
import { folderOf, toolKey } from "./build.ts";
import {
    differencesOf,
    hashFiles,
    type Hashes,
    isReproducible,
    platform,
    recordedHashes,
    writeHashes,
} from "./hashes.ts";
import { type Tool, tools } from "./tools.ts";

interface Outcome {
    readonly hashes: Hashes;
    readonly differences: readonly string[];
    readonly recorded: readonly string[];
    readonly missing: readonly string[];
}

/** Never overwrites the hash of sources that did not change: with equal sources, a new hash is a finding. */
export async function compareAll(
    hashes: Hashes,
    table: readonly Tool[] = tools,
    place: (tool: Tool) => { key: string; folder: string } = (tool) => ({ key: toolKey(tool), folder: folderOf(tool) }),
): Promise<Outcome> {
    const kept = Object.entries(hashes[platform] ?? {}).filter(([name]) => table.some((tool) => tool.name === name));
    const known = new Map(kept);
    const differences: string[] = [];
    const recorded: string[] = [];
    const missing: string[] = [];
    for (const tool of table.filter(isReproducible)) {
        const { key, folder } = place(tool);
        if (!existsSync(folder)) missing.push(tool.name);
        else if (known.get(tool.name)?.key === key)
            differences.push(...(await differencesOf(tool, key, folder, hashes)));
        else {
            known.set(tool.name, { version: tool.version, key, files: await hashFiles(folder) });
            recorded.push(tool.name);
        }
    }
    return { hashes: { ...hashes, [platform]: Object.fromEntries(known) }, differences, recorded, missing };
}

if (import.meta.main) {
    const write = process.argv.includes("--write");
    const { hashes, differences, recorded, missing } = await compareAll(recordedHashes());
    if (write) writeHashes(hashes);
    const lines = [
        ...differences,
        ...recorded.map((name) => `${name}: ${write ? "recorded" : "not recorded for these sources"}`),
        ...missing.map((name) => `${name}: not built on this machine`),
    ];
    process.stdout.write(lines.map((line) => `${line}\n`).join(""));
    if (differences.length > 0) process.exitCode = 1;
}
