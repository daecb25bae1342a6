/** The newest published images of each generation of Orcheo, which `make publish` writes to images/published.json. */
import table from "../../images/published.json";
import type { Stack } from "../config/schema";

type Named = Exclude<keyof Extract<Stack["images"], { kind: "published" }>, "admission" | "kind">;

export interface PublishedImages {
    /** By generation of Orcheo. */
    readonly releases: Readonly<
        Partial<
            Record<string, { readonly version: string; readonly images: Readonly<Partial<Record<string, string>>> }>
        >
    >;
}

/**
 * The image that published settings name, or else the newest one of their generation.
 *
 * @returns undefined when there is neither, and for a backend with Chromium, which is not published
 */
export function publishedImage(
    name: Named,
    { images, release, worker }: Pick<Stack, "images" | "release" | "worker">,
    published: PublishedImages = table,
): string | undefined {
    const given = images.kind === "published" ? images[name] : undefined;
    if (given !== undefined || (name === "backend" && worker.browser)) return given;
    return published.releases[release]?.images[name];
}
