/**
 * Publishes tested images: checks their packages, copies each by digest, tags it, signs it, and attaches its SBOMs and provenance.
 * Nothing is copied before all images have passed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../process.ts";
import type { Report } from "../report.ts";
import type { Toolchain } from "../toolchain/build.ts";
import releases from "../../images/backend/releases.json" with { type: "json" };
import { contradictions, withRelease } from "./digests.plan.ts";
import { digestsFile, readDigests, writeDigests } from "./digests.ts";
import { outdatedIn } from "./packages.ts";
import { provenanceOf } from "./provenance.plan.ts";
import { outdatedRefusals, problemsOf, type Settings, tagsOf, vulnerableRefusals } from "./publish.plan.ts";
import { billOf, platformsOf, tagsIn } from "./registry.ts";
import { signing } from "./signing.ts";

/** The image's manifest or index, and the repository that it gets. */
interface Copy {
    readonly name: string;
    readonly from: string;
    readonly to: string;
    readonly digest: string;
    /** Files in SPDX, one for each platform. */
    readonly sboms: string[];
}

export const refuse = (problems: readonly string[]): void => {
    if (problems.length > 0)
        throw new Error(
            `nothing was published; ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join("\n")}`,
        );
};

/**
 * @param key  file of cosign's private key, whose password is in COSIGN_PASSWORD; `keyless` for the identity of a workflow
 * @returns the published images by name, for `images` with `kind: published`
 */
export async function publish(
    settings: Settings,
    key: string,
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
            sboms: [] as string[],
        }));
        const today = new Date().toISOString().slice(0, 10);
        const problems = [...vulnerableRefusals(settings.audits, settings.allowed, today)];
        const tags = new Map<string, readonly string[]>();
        for (const copy of copies) {
            const existing = await tagsIn(copy.to, toolchain);
            tags.set(copy.name, tagsOf(version, existing));
            problems.push(...(await taken(copy, version, existing, toolchain)));
            for (const { image, architecture } of await platformsOf(copy.from, toolchain)) {
                report.note(`${copy.name}: reading the packages of ${image} (${architecture})`);
                const sbom = join(scratch, `${copy.name}-${architecture}.spdx.json`);
                copy.sboms.push(sbom);
                const outdated = await outdatedIn(await billOf(image, sbom, toolchain), architecture);
                problems.push(...outdatedRefusals(copy.name, outdated, settings.allowed, today));
            }
        }
        refuse(problems);
        const signer = signing(key, toolchain);
        const provenance = writtenProvenance(scratch);
        for (const copy of copies) {
            const target = `${copy.to}@${copy.digest}`;
            // By digest first: a tag never names an image that is not signed.
            await run(toolchain.bin("crane"), ["copy", copy.from, target], { timeoutSeconds: 900 });
            await signer.sign(target);
            for (const sbom of copy.sboms) await signer.attest(target, "spdxjson", sbom);
            if (provenance !== undefined) await signer.attest(target, "slsaprovenance1", provenance);
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

/** Of the run that this process belongs to, in a file; undefined outside of GitHub. */
function writtenProvenance(folder: string): string | undefined {
    const provenance = provenanceOf(process.env);
    if (provenance === undefined) return undefined;
    const file = join(folder, "provenance.json");
    writeFileSync(file, JSON.stringify(provenance));
    return file;
}
