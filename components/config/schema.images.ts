/** Settings of the images: built by the stack, or published ones. */
import { z } from "zod";
import releases from "../../images/backend/releases.json";
import { gitUrl, kind, oneOf, path, pinnedImage, words, choice, whole } from "./fields";

/** Where the canvas of release 0.33 is public; later front ends are not. */
const { git, tag } = releases.releases["0.33"].canvas;
export const publicCanvas = { url: git, ref: tag };

export const canvasSource = oneOf([
    z.strictObject({
        kind: kind("git"),
        url: gitUrl().default(publicCanvas.url).describe("Repository that holds apps/canvas."),
        ref: words("a tag, branch or commit").default(publicCanvas.ref).describe("Tag or commit to build."),
    }),
    z.strictObject({ kind: kind("directory"), path: path().describe("Directory that holds apps/canvas.") }),
    z.strictObject({
        kind: kind("image"),
        ref: pinnedImage().describe("Ready image that keeps images/canvas' contract."),
    }),
]);

export const images = oneOf([
    z.strictObject({
        kind: kind("build"),
        builder: words("the name of a buildx builder")
            .optional()
            .describe("Buildx builder; default the one buildx has selected."),
        platforms: z
            .array(choice(["linux/amd64", "linux/arm64"]))
            .max(2)
            .default([])
            .describe("Platforms to build; none builds the builder's own."),
        baseImage: words("an image reference")
            .default("debian:trixie-slim")
            .describe("Base of all images: Debian trixie."),
        caBundleFile: path()
            .optional()
            .describe(
                "PEM bundle of additional CA certificates that image builds trust, for networks that inspect TLS. Passed as a build secret; it does not become part of the image.",
            ),
        buildArgs: z
            .record(z.string(), z.string({ error: "a string" }))
            .default({})
            .describe("Additional build arguments for every image, such as NPM_REGISTRY. Do not put secrets here."),
        sourceDateEpoch: whole(0, 4_102_444_800)
            .default(1_767_225_600)
            .describe(
                "Time stamp of everything in the images, seconds since 1970: the same input gives the same digest.",
            ),
        revision: words("a git commit")
            .default("unknown")
            .describe("Commit for the images' labels. Another value is another digest."),
        canvas: z
            .strictObject({
                source: canvasSource.prefault({ kind: "git" }).describe("Where the front end comes from."),
            })
            .prefault({})
            .describe("The canvas image."),
    }),
    z.strictObject({
        kind: kind("published"),
        backend: pinnedImage().describe("API, worker, beat and initialisation."),
        canvas: pinnedImage().describe("The front end."),
        postgres: pinnedImage().describe("PostgreSQL."),
        valkey: pinnedImage().describe("Valkey."),
        backup: pinnedImage().optional().describe("The dump; only where `backup` makes some."),
    }),
]).describe("Built by the stack, or published ones by digest.");
