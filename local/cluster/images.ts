/** Small images around the toolchain's static binaries, built `FROM scratch` and kept in the cluster's registry. */
import { createHash } from "node:crypto";
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { logFile } from "../paths.ts";
import { run } from "../process.ts";
import type { Toolchain } from "../toolchain/build.ts";
import { type ClusterSpec, pathsOf, registryOf } from "./spec.ts";

export interface SystemImage {
    readonly name: string;
    /** Binaries of the toolchain; the first is the entrypoint. */
    readonly binaries: readonly string[];
    /** Where they go; by default to the root. */
    readonly folder?: string;
    /** A fixed tag, for an image referenced before it is built; other images are tagged with the key of their contents. */
    readonly tag?: string;
    /** Adds the applets of the host's static busybox. */
    readonly busybox?: boolean;
    /** uid:gid; default nobody. */
    readonly user?: string;
}

/** containerd's configuration references the sandbox image before it exists. */
export const PAUSE_TAG = "sandbox";

const BUSYBOX = "/bin/busybox";

export const systemImages: readonly SystemImage[] = [
    { name: "pause", binaries: ["pause"], tag: PAUSE_TAG },
    { name: "coredns", binaries: ["coredns"] },
    { name: "metrics-server", binaries: ["metrics-server"] },
    { name: "local-path-provisioner", binaries: ["local-path-provisioner"] },
    { name: "cert-manager", binaries: ["cert-manager"] },
    { name: "acmesolver", binaries: ["acmesolver"] },
    { name: "traefik", binaries: ["traefik"] },
    // Creates and removes the volumes' folders on the node, which only root may do.
    { name: "volume-helper", binaries: [], busybox: true, user: "0:0" },
];

const NOBODY = "65532:65532";

/** Builds and pushes the images that the registry lacks. Returns each image's reference by digest. */
export async function ensureSystemImages(
    spec: ClusterSpec,
    toolchain: Toolchain,
): Promise<ReadonlyMap<string, string>> {
    const references = new Map<string, string>();
    for (const image of systemImages) references.set(image.name, await ensureImage(spec, toolchain, image));
    return references;
}

/** Builds and pushes one image unless the registry has it. Returns its reference by digest. */
export async function ensureImage(spec: ClusterSpec, toolchain: Toolchain, image: SystemImage): Promise<string> {
    const repository = `${registryOf(spec)}/orcheo-system/${image.name}`;
    const files = [
        ...image.binaries.map((binary) => toolchain.bin(binary)),
        ...(image.busybox === true ? [BUSYBOX] : []),
    ];
    // The toolchain's paths contain a key of their inputs; a file rebuilt at the same path has a different size or time.
    const key = createHash("sha256")
        .update(JSON.stringify([image, files.map((file) => [file, statSync(file).size, statSync(file).mtimeMs])]))
        .digest("hex")
        .slice(0, 12);
    const record = join(pathsOf(spec).config, `image-${image.name}-${key}`);
    if (existsSync(record)) {
        const digest = readFileSync(record, "utf8");
        if (await hasManifest(spec, `orcheo-system/${image.name}`, digest)) return `${repository}@${digest}`;
    }
    const context = mkdtempSync(join(tmpdir(), "orcheo-image-"));
    try {
        for (const file of files) copyFileSync(file, join(context, basename(file)));
        writeFileSync(join(context, "Dockerfile"), dockerfile(image, files));
        const digest = await buildAndPush(spec, toolchain, context, `${repository}:${image.tag ?? key}`, {
            log: logFile(`image-${image.name}`),
        });
        mkdirSync(pathsOf(spec).config, { recursive: true });
        writeFileSync(record, digest);
        return `${repository}@${digest}`;
    } finally {
        rmSync(context, { recursive: true, force: true });
    }
}

export interface BuildOptions {
    readonly log?: string;
    /** Additional arguments for buildctl. */
    readonly args?: readonly string[];
    /** Additional attributes for the image exporter. */
    readonly output?: readonly string[];
    readonly timeoutSeconds?: number;
}

/** Builds the Dockerfile of a folder with the cluster's BuildKit and pushes it as `name`. Returns the manifest's digest. */
export const buildAndPush = (
    spec: ClusterSpec,
    toolchain: Toolchain,
    context: string,
    name: string,
    options?: BuildOptions,
): Promise<string> => buildAt(pathsOf(spec).buildkitSocket, toolchain, context, name, options);

/** The same with the BuildKit that listens at a socket. */
export async function buildAt(
    socket: string,
    toolchain: Toolchain,
    context: string,
    name: string,
    { log, args = [], output = [], timeoutSeconds = 300 }: BuildOptions = {},
): Promise<string> {
    const scratch = mkdtempSync(join(tmpdir(), "orcheo-build-"));
    const metadata = join(scratch, "metadata.json");
    await run(
        toolchain.bin("buildctl"),
        [
            "--addr",
            `unix://${socket}`,
            "build",
            "--frontend=dockerfile.v0",
            "--local",
            `context=${context}`,
            "--local",
            `dockerfile=${context}`,
            "--output",
            ["type=image", `name=${name}`, "push=true", ...output].join(","),
            "--metadata-file",
            metadata,
            ...args,
        ],
        { log, timeoutSeconds },
    );
    const built = JSON.parse(readFileSync(metadata, "utf8")) as Record<string, unknown>;
    rmSync(scratch, { recursive: true });
    return String(built["containerimage.digest"]);
}

const dockerfile = (image: SystemImage, files: readonly string[]): string =>
    [
        "FROM scratch",
        ...files.map((file) => `COPY ${basename(file)} ${file === BUSYBOX ? BUSYBOX : `${image.folder ?? ""}/`}`),
        ...(image.busybox === true ? [`RUN ["${BUSYBOX}", "--install", "/bin"]`] : []),
        `USER ${image.user ?? NOBODY}`,
        `ENTRYPOINT ["${image.binaries.length > 0 ? `${image.folder ?? ""}/${basename(files[0] ?? "")}` : "/bin/sh"}"]`,
        "",
    ].join("\n");

/** Whether the cluster's registry has a manifest. */
export async function hasManifest(spec: ClusterSpec, repository: string, digest: string): Promise<boolean> {
    const answer = await fetch(`http://${registryOf(spec)}/v2/${repository}/manifests/${digest}`, {
        method: "HEAD",
        headers: {
            accept: "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json",
        },
        signal: AbortSignal.timeout(5000),
    });
    return answer.ok;
}
