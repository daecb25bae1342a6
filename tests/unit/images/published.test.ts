/** The images that published settings leave out: those of images/published.json. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { pinnedImage, semver } from "../../../components/config/fields";
import { publishedImage } from "../../../components/images/images.plan";
import { parseStack } from "../../../components/stack/read";
import table from "../../../images/published.json";
import releases from "../../../images/backend/releases.json";
import { settingsOf } from "../../harness";
import { variants } from "../../variants";

const ref = (name: string, version = "1.4.2", letter = "a"): string =>
    `ghcr.io/example/orcheo/${name}:${version}@sha256:${letter.repeat(64)}`;
const names = ["backend", "canvas", "postgres", "pgbouncer", "valkey", "backup"] as const;
const released = {
    releases: {
        "0.33": { version: "1.4.2", images: Object.fromEntries(names.map((name) => [name, ref(name)])) },
    },
};

function parsed(images: object, more: object = {}) {
    const json = JSON.stringify({ ...settingsOf("dev"), ...more, images: { kind: "published", ...images } });
    return parseStack({ stack: "dev", keys: [], json, secret: false });
}
const given = Object.fromEntries(names.map((name) => [name, ref(name, "9.9.9", "b")]));

describe("an image that is left out", () => {
    const { stack } = parsed(given);
    if (stack === undefined) throw new Error("refused");
    const without = { ...stack, images: { kind: "published" as const, admission: { kind: "none" as const } } };

    it("is the newest published one of the same generation of Orcheo", () => {
        for (const name of names) {
            expect(publishedImage(name, without, released)).toBe(ref(name));
            expect(publishedImage(name, stack, released)).toBe(given[name]);
        }
        expect(publishedImage("backend", { ...without, release: "0.46" }, released)).toBeUndefined();
    });

    it("is never a backend without the browser that the stack wants", () => {
        const worker = { ...stack.worker, browser: true };
        expect(publishedImage("backend", { ...without, worker }, released)).toBeUndefined();
        expect(publishedImage("canvas", { ...without, worker }, released)).toBe(ref("canvas"));
    });

    // Until there is a release of 0.46.
    it.runIf(!("0.46" in table.releases))("is reported, each by its name, where none is published", () => {
        const { backup } = variants["backups to a store of one's own"];
        const { problems } = parsed({ canvas: ref("canvas") }, { release: "0.46", backup });
        const missing = problems.filter(({ found }) => found === "is missing");
        expect(missing.map(({ at }) => at)).toEqual(
            ["backend", "postgres", "valkey", "backup"].map((name) => `orcheo:stack.images.${name}`),
        );
        expect(missing[0]?.remedy).toContain('images/published.json has none for release "0.46"');
        expect(missing[3]?.remedy).toContain('or set backup.kind to "none"');
        const withBrowser = parsed({ ...given, backend: undefined }, { worker: { browser: true } }).problems;
        expect(withBrowser.find(({ found }) => found === "is missing")?.remedy).toContain(
            "no published image has a browser",
        );
    });
});

describe("images/published.json", () => {
    const images = z.strictObject(Object.fromEntries(names.map((name) => [name, pinnedImage()])));
    const release = z
        .strictObject({ version: semver(), images })
        .refine(
            ({ version, images: all }) => Object.values(all).every((each) => each.includes(`:${version}@sha256:`)),
            {
                error: "each image has the release's version as its tag",
            },
        );
    const file = z.strictObject({ releases: z.partialRecord(z.enum(Object.keys(releases.releases)), release) });

    it("has a complete set of images by digest for each generation it names", () => {
        expect(file.safeParse(table).error?.message).toBeUndefined();
        expect(file.safeParse(released).success).toBe(true);
    });

    it.each([
        ["a digest that is none", { backend: ref("backend").slice(0, -1) }],
        ["a tag of another version", { canvas: ref("canvas", "1.4.1") }],
        ["no digest", { canvas: "ghcr.io/example/orcheo/canvas:1.4.2" }],
        ["a missing image", { valkey: undefined }],
    ])("is refused with %s", (_, change) => {
        const release = released.releases["0.33"];
        const wrong = { releases: { "0.33": { ...release, images: { ...release.images, ...change } } } };
        expect(file.safeParse(wrong).success).toBe(false);
    });
});
