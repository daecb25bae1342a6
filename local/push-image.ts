/** Pushes a single-layer image to a registry: written as an OCI image layout, pushed by crane. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Input of {@link pushImage}. */
export interface SingleLayerImage {
    /** A gzip-compressed tar. */
    layerFile: string;
    /** `sha256:…` of the layer before compression. */
    diffId: string;
    /** Creation time of the image, in seconds since 1970. */
    createdSeconds: number;
    /** The creator recorded in the image history. */
    createdBy: string;
    labels: Record<string, string>;
}

/** Runs crane with these arguments in a network that can reach the registry. @returns its output */
export type Crane = (...args: readonly string[]) => Promise<string>;

/** Pushes an image unless the reference already points to it. */
export async function pushImage(
    crane: Crane,
    reference: string,
    image: SingleLayerImage,
): Promise<{ digest: string; changed: boolean }> {
    const layout = mkdtempSync(join(tmpdir(), "orcheo-layout-"));
    try {
        const digest = writeLayout(layout, image);
        // A missing tag is not an error; the push reports any other problem.
        const there = await crane("digest", reference).catch(() => "");
        if (there.trim() === digest) return { digest, changed: false };
        await crane("push", layout, reference);
        return { digest, changed: true };
    } finally {
        rmSync(layout, { recursive: true, force: true });
    }
}

/** Writes the image as an OCI image layout. @returns the digest of its manifest */
export function writeLayout(dir: string, image: SingleLayerImage): string {
    const blobs = join(dir, "blobs", "sha256");
    mkdirSync(blobs, { recursive: true });
    const put = (mediaType: string, content: Buffer): Descriptor => {
        const described = describe(mediaType, content);
        writeFileSync(join(blobs, described.digest.replace("sha256:", "")), content);
        return described;
    };
    const created = new Date(image.createdSeconds * 1000).toISOString().replace(".000Z", "Z");
    const layer = describe("application/vnd.oci.image.layer.v1.tar+gzip", readFileSync(image.layerFile));
    copyFileSync(image.layerFile, join(blobs, layer.digest.replace("sha256:", "")));
    const config = put(
        "application/vnd.oci.image.config.v1+json",
        json({
            architecture: process.arch === "x64" ? "amd64" : process.arch,
            os: "linux",
            created,
            config: {
                Cmd: ["bash"],
                Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                Labels: image.labels,
            },
            rootfs: { type: "layers", diff_ids: [image.diffId] },
            history: [{ created, created_by: image.createdBy }],
        }),
    );
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = put(mediaType, json({ schemaVersion: 2, mediaType, config, layers: [layer] }));
    writeFileSync(join(dir, "index.json"), json({ schemaVersion: 2, manifests: [manifest] }));
    writeFileSync(join(dir, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
    return manifest.digest;
}

interface Descriptor {
    mediaType: string;
    digest: string;
    size: number;
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const describe = (mediaType: string, content: Buffer): Descriptor => ({
    mediaType,
    digest: `sha256:${createHash("sha256").update(content).digest("hex")}`,
    size: content.length,
});
