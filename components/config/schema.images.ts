/** Settings of the images: built by the stack, or published ones. */
import { z } from "zod";
import releases from "../../images/backend/releases.json";
import { gitUrl, httpsUrl, imageSource, kind, oneOf, path, pinnedImage, text, words, choice, whole } from "./fields";

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

const plugin = z.strictObject({
    package: text(/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/, "the name of a Python package").describe(
        "Name of the package.",
    ),
    version: text(
        /^(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+(\.[a-z0-9]+)*)?$/,
        "one exact version such as 1.4.0",
    ).describe("Its version."),
});

/** A package's name as indexes compare it. */
export const canonicalPackage = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");

/** A package that stands twice in the list. */
function namedTwice(plugins: readonly z.output<typeof plugin>[], context: z.RefinementCtx): void {
    const names = plugins.map((each) => canonicalPackage(each.package));
    names.forEach((name, index) => {
        if (names.indexOf(name) === index) return;
        context.addIssue({ code: "custom", path: [index, "package"], message: "each package once" });
    });
}

const signer = oneOf([
    z.strictObject({
        kind: kind("key"),
        publicKey: text(
            /^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+\n-----END PUBLIC KEY-----\n?$/,
            "a public key in PEM, as in cosign.pub",
        ).describe("Public key that cosign verifies with: the text of cosign.pub."),
    }),
    z.strictObject({
        kind: kind("identity"),
        identity: words("the identity in a certificate, such as a workflow's URL").describe(
            "Identity of keyless signatures; `*` stands for any text: `https://github.com/example/orcheo/.github/workflows/publish.yml@refs/tags/v*`.",
        ),
        issuer: httpsUrl().default("https://token.actions.githubusercontent.com").describe("Issuer of the identity."),
    }),
]);

const imageAdmission = oneOf([
    z.strictObject({ kind: kind("none") }),
    z.strictObject({
        kind: kind("policyController"),
        signer: signer.describe("Whose signatures count."),
        unsigned: z
            .array(imageSource())
            .default([])
            .describe(
                "Registries and paths of images that run without a signature: those of pods that others start in the namespace, such as cert-manager's solver.",
            ),
    }),
]);

const newest = "default the newest of this `release` in images/published.json ([publishing](publishing.md)).";

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
            .describe(
                "Additional build arguments for every image, such as NPM_REGISTRY or UV_DEFAULT_INDEX. Do not put secrets here.",
            ),
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
        plugins: z
            .array(plugin)
            .superRefine(namedTwice)
            .default([])
            .describe(
                "Plugins of Orcheo, built into the backend image. `make plugins` resolves them into `pluginLock` ([plugins](plugins.md)).",
            ),
        pluginLock: text(/^(?!\.?\/?[^/]*$)\S(.*\S)?$/, "a file in its own folder, such as plugins/plugins.lock")
            .default("plugins/plugins.lock")
            .describe(
                "Lock of the plugins and their dependencies, with hashes. Its folder also holds the wheels of plugins that no index has.",
            ),
    }),
    z.strictObject({
        kind: kind("published"),
        backend: pinnedImage().optional().describe(`API, worker, beat and initialisation; ${newest}`),
        canvas: pinnedImage().optional().describe(`The front end; ${newest}`),
        postgres: pinnedImage().optional().describe(`PostgreSQL; ${newest}`),
        valkey: pinnedImage().optional().describe(`Valkey; ${newest}`),
        pgbouncer: pinnedImage().optional().describe(`The pooler, only where \`database.pooler\` is one; ${newest}`),
        backup: pinnedImage().optional().describe(`The dump, only where \`backup\` makes some; ${newest}`),
        admission: imageAdmission
            .prefault({ kind: "none" })
            .describe(
                "Whether the cluster refuses pods with images that are not signed or have no signed SBOM ([publishing](publishing.md#in-the-cluster)). `policyController` needs Sigstore's policy-controller.",
            ),
    }),
]).describe("Built by the stack, or published ones by digest.");

export type Images = z.output<typeof images>;
