import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensureBaseImage, mirrorsOf } from "../../local/base-image.ts";
import { pushImage, type SingleLayerImage } from "../../local/push-image.ts";

const sha256 = (content: Buffer) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** The part of the OCI distribution API that a push needs; refuses content which does not match its digest. */
const blobs = new Map<string, Buffer>();
const manifests = new Map<string, Buffer>();
let requests: string[] = [];
/** So many uploads get no answer. */
let stalls = 0;
/** So many connections are closed without one. */
let closes = 0;
const registry = createServer((request, response) => {
    if (closes-- > 0) return request.socket.destroy();
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
        const body = Buffer.concat(chunks);
        const url = new URL(request.url ?? "/", "http://registry");
        const last = url.pathname.split("/").at(-1) ?? "";
        requests.push(`${request.method ?? ""} ${url.pathname}`);
        const answer = (status: number, headers: Record<string, string> = {}) =>
            response.writeHead(status, headers).end();
        if (url.pathname.includes("/manifests/")) {
            const found = manifests.get(last);
            if (request.method === "PUT") {
                manifests.set(last, body);
                answer(201);
            } else if (found === undefined) answer(404);
            else answer(200, { "docker-content-digest": sha256(found) });
        } else if (request.method === "POST") answer(202, { location: "/v2/upload?state=1" });
        else if (request.method === "PUT") {
            if (stalls-- > 0) return;
            const digest = url.searchParams.get("digest") ?? "";
            if (digest !== sha256(body)) return answer(400);
            blobs.set(digest, body);
            answer(201);
        } else answer(blobs.has(last) ? 200 : 404);
    });
});
let address: string;
let dir: string;

beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "base-image-"));
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    address = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
});
beforeEach(() => {
    requests = [];
});
afterAll(() => {
    registry.close();
    rmSync(dir, { recursive: true, force: true });
});

/** An image of so many zeros. */
function imageOf(bytes: number): SingleLayerImage {
    const tar = Buffer.alloc(bytes);
    const layerFile = join(dir, `${bytes}.tar.gz`);
    writeFileSync(layerFile, gzipSync(tar));
    return { layerFile, diffId: sha256(tar), createdSeconds: 1_700_000_000, createdBy: "a test", labels: {} };
}

describe("pushImage", () => {
    it("tries a stalled upload again", async () => {
        stalls = 1;
        expect((await pushImage(address, "library/debian", "stalled", imageOf(2048))).changed).toBe(true);
        expect(requests.filter((each) => each === "PUT /v2/upload")).toHaveLength(3);
    });

    it("tries again where the registry starts just then", async () => {
        closes = 1;
        expect((await pushImage(address, "library/debian", "early", imageOf(512))).changed).toBe(true);
    });

    it("pushes layer, config and manifest once, and finds them the second time", async () => {
        const tar = Buffer.alloc(1024);
        const layer = gzipSync(tar);
        writeFileSync(join(dir, "layer.tar.gz"), layer);
        const image = {
            layerFile: join(dir, "layer.tar.gz"),
            diffId: sha256(tar),
            createdSeconds: 1_700_000_000,
            createdBy: "a test",
            labels: { made: "here" },
        };

        const first = await pushImage(address, "library/debian", "trixie-slim", image);
        expect(first.changed).toBe(true);
        const manifest = manifests.get("trixie-slim") ?? Buffer.alloc(0);
        expect(first.digest).toBe(sha256(manifest));
        const { config, layers } = JSON.parse(manifest.toString()) as {
            config: { digest: string };
            layers: { digest: string; size: number }[];
        };
        expect(layers).toEqual([expect.objectContaining({ digest: sha256(layer), size: layer.length })]);
        expect(JSON.parse(blobs.get(config.digest)?.toString() ?? "")).toMatchObject({
            os: "linux",
            created: "2023-11-14T22:13:20Z",
            config: { Labels: { made: "here" } },
            rootfs: { type: "layers", diff_ids: [sha256(tar)] },
        });

        requests = [];
        expect(await pushImage(address, "library/debian", "trixie-slim", image)).toEqual({ ...first, changed: false });
        expect(requests).toEqual(["HEAD /v2/library/debian/manifests/trixie-slim"]);
    });

    it("fails when the registry does not answer", async () => {
        const image = {
            layerFile: join(dir, "layer.tar.gz"),
            diffId: "sha256:0",
            createdSeconds: 0,
            createdBy: "a test",
            labels: {},
        };
        await expect(pushImage("127.0.0.1:1", "library/debian", "trixie-slim", image)).rejects.toThrow(
            "HEAD http://127.0.0.1:1/v2/library/debian/manifests/trixie-slim: the registry gave no answer",
        );
    });
});

describe("ensureBaseImage", () => {
    it("makes nothing where Docker Hub can be reached", async () => {
        const lines: string[] = [];
        const result = await ensureBaseImage({
            registry: address,
            cacheDir: join(dir, "cache"),
            report: (line) => lines.push(line),
            hubReachable: () => Promise.resolve(true),
        });
        expect(result).toEqual({ from: "hub", changed: false });
        expect(lines).toEqual([]);
        expect(requests).toEqual([]);
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
