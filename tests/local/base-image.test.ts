import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureBaseImage, mirrorsOf } from "../../local/base-image.ts";
import { pushImage, type SingleLayerImage, writeLayout } from "../../local/push-image.ts";

const sha256 = (content: Buffer) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

let dir: string;

beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "base-image-"));
});
afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
});

function image(): SingleLayerImage {
    const tar = Buffer.alloc(1024);
    const layerFile = join(dir, "layer.tar.gz");
    writeFileSync(layerFile, gzipSync(tar));
    return {
        layerFile,
        diffId: sha256(tar),
        createdSeconds: 1_700_000_000,
        createdBy: "a test",
        labels: { made: "here" },
    };
}

describe("writeLayout", () => {
    it("leads from the index to manifest, configuration and layer, each named by its digest", () => {
        const layout = join(dir, "layout");
        const digest = writeLayout(layout, image());
        const blob = (name: string): Buffer => {
            const content = readFileSync(join(layout, "blobs", "sha256", name.replace("sha256:", "")));
            expect(sha256(content)).toBe(name);
            return content;
        };
        const read = (name: string): unknown => JSON.parse(blob(name).toString());
        const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: unknown[] };
        expect(index.manifests).toEqual([expect.objectContaining({ digest, size: blob(digest).length })]);
        const manifest = read(digest) as { config: { digest: string }; layers: { digest: string; size: number }[] };
        const layer = readFileSync(image().layerFile);
        expect(manifest.layers).toEqual([expect.objectContaining({ digest: sha256(layer), size: layer.length })]);
        expect(blob(sha256(layer))).toEqual(layer);
        expect(read(manifest.config.digest)).toMatchObject({
            os: "linux",
            created: "2023-11-14T22:13:20Z",
            config: { Labels: { made: "here" } },
            rootfs: { type: "layers", diff_ids: [sha256(Buffer.alloc(1024))] },
        });
    });

    it("gives the same image the same digest", () => {
        expect(writeLayout(join(dir, "one"), image())).toBe(writeLayout(join(dir, "two"), image()));
    });
});

describe("pushImage", () => {
    it("pushes nothing where the tag names this image already", async () => {
        const digest = writeLayout(join(dir, "known"), image());
        const asked: string[][] = [];
        const crane = (...args: readonly string[]): Promise<string> => {
            asked.push([...args]);
            return Promise.resolve(`${digest}\n`);
        };
        expect(await pushImage(crane, "registry/debian:trixie-slim", image())).toEqual({ digest, changed: false });
        expect(asked).toEqual([["digest", "registry/debian:trixie-slim"]]);
    });

    it("fails with the words of a push that fails", async () => {
        const crane = (verb: string): Promise<string> => Promise.reject(new Error(`${verb}: connection refused`));
        await expect(pushImage(crane, "registry/debian:trixie-slim", image())).rejects.toThrow(
            "push: connection refused",
        );
    });
});

describe("ensureBaseImage", () => {
    it("makes nothing where Docker Hub can be reached", async () => {
        const lines: string[] = [];
        const result = await ensureBaseImage({
            registry: "registry.invalid",
            crane: () => Promise.reject(new Error("nothing is to be pushed")),
            cacheDir: join(dir, "cache"),
            report: (line) => lines.push(line),
            hubReachable: () => Promise.resolve(true),
        });
        expect(result).toEqual({ from: "hub", changed: false });
        expect(lines).toEqual([]);
    });
});

describe("mirrorsOf", () => {
    const debian = "Debian|Debian|http://mirror.example/debian/";
    const security = "Debian|Debian-Security|http://mirror.example/security/";
    const other = "Docker|Docker CE|https://docker.example/linux/debian/";

    it("takes Debian's own sources among others", () => {
        expect(mirrorsOf([other, debian, debian, security, ""].join("\n"))).toEqual({
            debian: "http://mirror.example/debian",
            security: "http://mirror.example/security",
        });
    });

    it("says what is missing and what was found", () => {
        expect(() => mirrorsOf([other, debian].join("\n"))).toThrow(
            'base image: apt knows no http:// mirror with the label "Debian-Security"; found Docker Docker CE ' +
                "https://docker.example/linux/debian/, Debian Debian http://mirror.example/debian/; name Debian's and its " +
                "security mirror in /etc/apt/sources.list, then run apt-get update",
        );
        expect(() => mirrorsOf("Debian|Debian|https://mirror.example/debian/")).toThrow("no http:// mirror");
        expect(() => mirrorsOf("")).toThrow("found nothing; ");
    });
});
