/** Which images a preview changes, and how their packages differ, by their signed SBOMs. */
import { podsIn } from "./stack.ts";
import { ask, questionsOf, sbomProblem, signerOf, statementsOf } from "./signatures.ts";
import { settingsOf, type Resource } from "./rule.ts";
import { imageSigned } from "./rules/image-signed.ts";
import { at, fields, list, text } from "./values.ts";
import { imagesOf } from "./workloads.ts";

/** By name, with every version that is in the image. */
export type Packages = ReadonlyMap<string, string>;

export interface ImageChange {
    readonly repository: string;
    /** What follows the repository, such as `:1.4.2@sha256:…`; undefined where it was not used, or is not any more. */
    readonly before: string | undefined;
    readonly after: string | undefined;
    /** A line for each package that differs; or why that is not known. */
    readonly packages: readonly string[] | string;
}

/** The packages of an image; or why they are not known. */
export type PackagesOf = (image: string) => Packages | string;

const repositoryOf = (image: string): string => image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");

function references(resources: readonly Resource[]): ReadonlySet<string> {
    const images = resources.flatMap(podsIn).flatMap(imagesOf);
    return new Set(images.map(({ image }) => text(image)).filter((image) => image !== undefined));
}

/** Every image that is new, gone, or another one of the same repository. */
export function imageChanges(
    before: readonly Resource[],
    after: readonly Resource[],
    packagesOf: PackagesOf,
): readonly ImageChange[] {
    const [old, now] = [references(before), references(after)];
    const gone = [...old].filter((image) => !now.has(image)).sort();
    const added = [...now].filter((image) => !old.has(image)).sort();
    const repositories = [...new Set([...gone, ...added].map(repositoryOf))].sort();
    return repositories.flatMap((repository) => {
        const of = (images: readonly string[]) => images.filter((image) => repositoryOf(image) === repository);
        const [from, to] = [of(gone), of(added)];
        return Array.from({ length: Math.max(from.length, to.length) }, (_, index): ImageChange => {
            const rest = (image: string | undefined) => image?.slice(repository.length);
            const [one, other] = [from[index], to[index]];
            const packages =
                one === undefined || other === undefined ? [] : compared(packagesOf(one), packagesOf(other));
            return { repository, before: rest(one), after: rest(other), packages };
        });
    });
}

function compared(before: Packages | string, after: Packages | string): readonly string[] | string {
    if (typeof before === "string") return before;
    if (typeof after === "string") return after;
    return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
        const [old, now] = [before.get(name), after.get(name)];
        if (old === now) return [];
        if (old === undefined) return [`${name} ${now ?? ""} is new`];
        return [now === undefined ? `${name} ${old} is gone` : `${name}: ${old} becomes ${now}`];
    });
}

/** The packages in what `cosign verify-attestation` printed of SPDX documents. */
export function packagesIn(printed: string): Packages {
    const found = new Map<string, Set<string>>();
    for (const statement of statementsOf(printed))
        for (const each of list(at(statement, "predicate", "packages"))) {
            const [name, version] = [text(at(each, "name")), text(at(each, "versionInfo"))];
            // The image itself is a package of its SBOM, with its digest as the version.
            if (name === undefined || version === undefined || version.startsWith("sha256:")) continue;
            found.set(name, (found.get(name) ?? new Set()).add(version));
        }
    return new Map([...found].map(([name, versions]) => [name, [...versions].sort().join(", ")]));
}

/** Asks cosign for signed SBOMs, by the settings that the rule `image-signed` has. */
export function signedPackages(config: unknown): PackagesOf {
    const signer = signerOf(settingsOf(imageSigned, fields(fields(config)[imageSigned.name])));
    return (image) => {
        if (signer === undefined) return `packages are known with the settings of ${imageSigned.name}`;
        if (typeof signer === "string") return `${imageSigned.name} ${signer}`;
        const digest = image.slice(image.indexOf("@") + 1);
        const answer = ask(questionsOf(image, signer).sbom);
        return sbomProblem(answer, digest) ?? packagesIn(answer.printed);
    };
}
