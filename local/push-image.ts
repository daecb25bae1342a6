/** Puts an image of one layer into a registry, by the OCI distribution API. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** What {@link pushImage} needs. */
export interface SingleLayerImage {
    /** A gzip-compressed tar. */
    layerFile: string;
    /** `sha256:…` of the layer before compression. */
    diffId: string;
    /** Time of the image, in seconds since 1970. */
    createdSeconds: number;
    /** How it was made, for its history. */
    createdBy: string;
    labels: Record<string, string>;
}

/** Pushes an image; does nothing when the tag already names it. */
export async function pushImage(
    registry: string,
    repository: string,
    tag: string,
    image: SingleLayerImage,
): Promise<{ digest: string; changed: boolean }> {
    const base = `http://${registry}/v2/${repository}`;
    const layer = await readFile(image.layerFile);
    const created = new Date(image.createdSeconds * 1000).toISOString().replace(".000Z", "Z");
    const config = Buffer.from(
        JSON.stringify({
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
    const manifestType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = Buffer.from(
        JSON.stringify({
            schemaVersion: 2,
            mediaType: manifestType,
            config: describe("application/vnd.oci.image.config.v1+json", config),
            layers: [describe("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
        }),
    );
    const digest = sha256(manifest);
    let failure = new NoAnswer("no attempt was made");
    for (const seconds of ATTEMPTS_SECONDS) {
        try {
            return { digest, changed: await push(seconds) };
        } catch (error) {
            if (!(error instanceof NoAnswer)) throw error;
            failure = error;
        }
        await sleep(PAUSE_MILLISECONDS);
    }
    throw failure;

    /** @returns whether anything had to be pushed */
    async function push(timeoutSeconds: number): Promise<boolean> {
        const headers = { Accept: manifestType };
        const there = await request(`${base}/manifests/${tag}`, { method: "HEAD", headers }, timeoutSeconds, [404]);
        if (there.headers.get("docker-content-digest") === digest) return false;
        for (const blob of [config, layer]) await uploadBlob(base, blob, timeoutSeconds);
        await request(
            `${base}/manifests/${tag}`,
            { method: "PUT", headers: { "Content-Type": manifestType }, body: new Uint8Array(manifest) },
            timeoutSeconds,
        );
        return true;
    }
}

/**
 * How long each attempt waits for an answer: the link between host and node has let a long upload stall for good, and
 * on another connection it takes a second. A registry that starts just then refuses connections for a moment.
 */
const ATTEMPTS_SECONDS = [15, 30, 60, 120];
const PAUSE_MILLISECONDS = 2_000;

async function uploadBlob(base: string, blob: Buffer, timeoutSeconds: number): Promise<void> {
    const digest = sha256(blob);
    const there = await request(`${base}/blobs/${digest}`, { method: "HEAD" }, timeoutSeconds, [404]);
    if (there.status === 200) return;
    const start = await request(`${base}/blobs/uploads/`, { method: "POST" }, timeoutSeconds);
    const location = start.headers.get("location");
    if (location === null) throw new Error(`${base}: the registry opened an upload and named no location`);
    const url = new URL(location, base);
    url.searchParams.set("digest", digest);
    await request(
        url.href,
        {
            method: "PUT",
            headers: { "Content-Type": "application/octet-stream" },
            body: new Uint8Array(blob),
        },
        timeoutSeconds,
    );
}

class NoAnswer extends Error {}

async function request(
    url: string,
    init: RequestInit,
    timeoutSeconds: number,
    accepted: number[] = [],
): Promise<Response> {
    const method = init.method ?? "GET";
    let response: Response;
    try {
        response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutSeconds * 1000) });
    } catch (cause) {
        throw new NoAnswer(
            `${method} ${url}: the registry gave no answer within ${timeoutSeconds} s; is the cluster running?`,
            { cause },
        );
    }
    if (!response.ok && !accepted.includes(response.status)) {
        throw new Error(`${method} ${url}: HTTP ${response.status} ${await response.text()}`);
    }
    return response;
}

function describe(mediaType: string, content: Buffer) {
    return { mediaType, digest: sha256(content), size: content.length };
}

function sha256(content: Buffer | string): string {
    return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
