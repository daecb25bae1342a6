/** images/published.json: the images that `images.kind: published` takes by default, the newest of each generation of Orcheo. */
import { imageNames, isOlder } from "./publish.plan.ts";

export interface Release {
    readonly version: string;
    /** By name, each by tag and digest. */
    readonly images: Readonly<Record<string, string>>;
}
export interface Digests {
    /** By generation of Orcheo, such as 0.33. */
    readonly releases: Readonly<Record<string, Release>>;
}

const digestOf = (reference: string): string => reference.slice(reference.indexOf("@") + 1);

/**
 * Why a version cannot be published beside what the file says: a version that is out keeps its digests.
 *
 * @param images  of the release, each by digest
 */
export function contradictions(
    digests: Digests,
    generation: string,
    version: string,
    images: Release["images"],
): string[] {
    const known = digests.releases[generation];
    if (known?.version !== version) return [];
    return Object.entries(images).flatMap(([name, reference]) => {
        const listed = known.images[name];
        if (listed === undefined || digestOf(listed) === digestOf(reference)) return [];
        return [
            `DIGESTS: ${name} of ${version} is ${digestOf(listed)} already; publish ${digestOf(reference)} as a new version`,
        ];
    });
}

/** The file with this release; undefined when it does not become the default: it is incomplete, a pre-release, or older. */
export function withRelease(digests: Digests, generation: string, release: Release): Digests | undefined {
    const known = digests.releases[generation];
    const complete = imageNames.every((name) => release.images[name] !== undefined);
    if (!complete || release.version.includes("-")) return undefined;
    if (known !== undefined && isOlder(release.version, known.version)) return undefined;
    const releases = { ...digests.releases, [generation]: release };
    return { releases: Object.fromEntries(Object.entries(releases).sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Every image of the file; `tagged` is what the registry's tag has to point to. */
export function listed(
    digests: Digests,
): { readonly name: string; readonly tagged: string; readonly digest: string }[] {
    return Object.entries(digests.releases).flatMap(([generation, { images }]) =>
        Object.entries(images).map(([name, reference]) => ({
            name: `${generation} ${name}`,
            tagged: reference.slice(0, reference.indexOf("@")),
            digest: digestOf(reference),
        })),
    );
}
