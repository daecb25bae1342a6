/**
 * Publishes tested images: checks their packages, copies each by digest, tags it, signs it, and attaches its SBOM.
 * Nothing is copied before all images have passed.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../process.ts";
import type { Report } from "../report.ts";
import type { Toolchain } from "../toolchain/build.ts";
import releases from "../../images/backend/releases.json" with { type: "json" };
import { contradictions, withRelease } from "./digests.plan.ts";
import { digestsFile, readDigests, writeDigests } from "./digests.ts";
import { type Bill, outdatedIn } from "./packages.ts";
import { problemsOf, refusals, type Settings, tagsOf } from "./publish.plan.ts";

/** The image's manifest, and the repository that it gets. */
interface Copy {
    readonly name: string;
    readonly from: string;
    readonly to: string;
    readonly digest: string;
    readonly sbom: string;
}

export const refuse = (problems: readonly string[]): void => {
    if (problems.length > 0)
        throw new Error(
            `nothing was published; ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join("\n")}`,
        );
};

/**
 * @param keyFile  cosign's private key; its password is in COSIGN_PASSWORD
 * @returns the published images by name, for `images` with `kind: published`
 */
export async function publish(
    settings: Settings,
    keyFile: string,
    toolchain: Toolchain,
    report: Report,
): Promise<Readonly<Record<string, string>>> {
    refuse(problemsOf(settings, Object.keys(releases.releases)));
    const { version, release } = settings;
    const digests = readDigests();
    refuse(contradictions(digests, release, version, settings.images));
    const scratch = mkdtempSync(join(tmpdir(), "orcheo-publish-"));
    try {
        const copies = Object.entries(settings.images).map(([name, from]) => ({
            name,
            from,
            to: `${settings.registry}/${name}`,
            digest: from.slice(from.indexOf("@") + 1),
            sbom: join(scratch, `${name}.spdx.json`),
        }));
        const problems: string[] = [];
        const tags = new Map<string, readonly string[]>();
        for (const copy of copies) {
            const existing = await existingTags(copy.to, toolchain);
            tags.set(copy.name, tagsOf(version, existing));
            problems.push(...(await taken(copy, version, existing, toolchain)));
            report.note(`${copy.name}: reading the packages of ${copy.from}`);
            const bill = await billOf(copy, join(scratch, `${copy.name}.json`), toolchain);
            const outdated = await outdatedIn(bill, await architectureOf(copy.from, toolchain));
            problems.push(...refusals(copy.name, outdated, settings.allowed, new Date().toISOString().slice(0, 10)));
        }
        refuse(problems);
        for (const copy of copies) {
            const target = `${copy.to}@${copy.digest}`;
            // By digest first: a tag never names an image that is not signed.
            await run(toolchain.bin("crane"), ["copy", copy.from, target], { timeoutSeconds: 900 });
            await signed(copy, target, keyFile, toolchain);
            for (const tag of tags.get(copy.name) ?? []) await run(toolchain.bin("crane"), ["tag", target, tag]);
            refuse(await taken(copy, version, [version], toolchain));
            report.note(`${copy.name}: published as ${target}, tags ${(tags.get(copy.name) ?? []).join(", ")}`);
        }
        const images = Object.fromEntries(copies.map(({ name, to, digest }) => [name, `${to}:${version}@${digest}`]));
        const next = withRelease(digests, release, { version, images });
        if (next !== undefined) writeDigests(next);
        report.note(
            next === undefined
                ? `${digestsFile} stays: ${version} is no complete, newest release of Orcheo ${release}`
                : `${digestsFile} has the digests of ${version}: commit it`,
        );
        return images;
    } finally {
        rmSync(scratch, { recursive: true });
    }
}

async function existingTags(repository: string, toolchain: Toolchain): Promise<readonly string[]> {
    const said = await run(toolchain.bin("crane"), ["ls", repository]).catch((error: unknown) => {
        if (/NAME_UNKNOWN|404/.test(String(error))) return "";
        throw error;
    });
    return said.split("\n").filter((tag) => tag !== "");
}

/** A version that is out is not changed any more. */
async function taken(
    copy: Copy,
    version: string,
    existing: readonly string[],
    toolchain: Toolchain,
): Promise<string[]> {
    if (!existing.includes(version)) return [];
    const published = (await run(toolchain.bin("crane"), ["digest", `${copy.to}:${version}`])).trim();
    return published === copy.digest
        ? []
        : [`VERSION: ${copy.to}:${version} is ${published} already; publish ${copy.digest} as a new version`];
}

async function architectureOf(image: string, toolchain: Toolchain): Promise<string> {
    const config = JSON.parse(await run(toolchain.bin("crane"), ["config", image])) as { architecture: string };
    return config.architecture;
}

async function billOf({ from, sbom }: Copy, file: string, toolchain: Toolchain): Promise<Bill> {
    await run(
        toolchain.bin("syft"),
        ["scan", `registry:${from}`, "--quiet", "--output", `syft-json=${file}`, "--output", `spdx-json=${sbom}`],
        { env: { ...process.env, ...plainHttp(from), SYFT_CHECK_FOR_APP_UPDATE: "false" }, timeoutSeconds: 600 },
    );
    return JSON.parse(readFileSync(file, "utf8")) as Bill;
}

const isLoopback = (image: string): boolean => /^(127\.[0-9.]+|localhost)[:/]/.test(image);
const plainHttp = (image: string): NodeJS.ProcessEnv =>
    isLoopback(image) ? { SYFT_REGISTRY_INSECURE_USE_HTTP: "true" } : {};

/** With a key file there is no public log of the signature. */
async function signed({ sbom }: Copy, target: string, keyFile: string, toolchain: Toolchain): Promise<void> {
    const options = [
        ...["--yes", "--key", keyFile, "--use-signing-config=false", "--tlog-upload=false"],
        ...(isLoopback(target) ? ["--allow-http-registry"] : []),
    ];
    const cosign = (...args: string[]): Promise<string> =>
        run(toolchain.bin("cosign"), args, { timeoutSeconds: 120, env: { COSIGN_PASSWORD: "", ...process.env } });
    await cosign("sign", ...options, target);
    await cosign("attest", ...options, "--type", "spdxjson", "--predicate", sbom, target);
}
