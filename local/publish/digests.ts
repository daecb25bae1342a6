/** Reads, writes and checks images/published.json. `make publish-check` compares it with the registry, before a release is announced. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../paths.ts";
import { run } from "../process.ts";
import { consoleReport } from "../report.ts";
import { ensureToolchain, type Toolchain } from "../toolchain/build.ts";
import { publishTools } from "./registry.ts";
import { type Digests, listed } from "./digests.plan.ts";

export const digestsFile = process.env.DIGESTS ?? join(projectDir, "images/published.json");

export const readDigests = (): Digests => JSON.parse(readFileSync(digestsFile, "utf8")) as Digests;

export const writeDigests = (digests: Digests): void => {
    writeFileSync(digestsFile, `${JSON.stringify(digests, undefined, 4)}\n`);
};

/** Every image of the file whose tag the registry does not have, or has with another digest. */
async function differences(digests: Digests, toolchain: Toolchain): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const { name, tagged, digest } of listed(digests)) {
        const found = await run(toolchain.bin("crane"), ["digest", tagged], { timeoutSeconds: 60 }).then(
            (printed) => printed.trim(),
            (error: unknown) => String(error).trim().split("\n").at(-1) ?? "",
        );
        if (found !== digest) problems.push(`${name}: the file has ${tagged}@${digest}, the registry answers ${found}`);
    }
    return problems;
}

if (import.meta.main) {
    const digests = readDigests();
    const problems = await differences(
        digests,
        await ensureToolchain(["cluster"], consoleReport(), { table: publishTools }),
    );
    const lines = problems.map((problem) => `  - ${problem}\n`).join("");
    process.stdout.write(
        problems.length > 0
            ? `${digestsFile}: ${problems.length} problem(s)\n${lines}`
            : `${digestsFile}: all ${listed(digests).length} images are in their registry with these digests\n`,
    );
    process.exitCode = problems.length > 0 ? 1 : 0;
}
