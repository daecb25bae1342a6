/** Image sizes and build times, cold (no cache) and warm, and what a plain `pip install` on the same base makes. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAndPush } from "../../local/cluster/images.ts";
import { type ClusterSpec, registryOf } from "../../local/cluster/spec.ts";
import { caBundleFile, logFile, projectDir } from "../../local/paths.ts";
import type { Report } from "../../local/report.ts";
import type { Toolchain } from "../../local/toolchain/build.ts";

interface Build {
    readonly name: string;
    readonly context: string;
    readonly args?: Readonly<Record<string, string>>;
    /** Directory of the named context `orcheo`. */
    readonly orcheo?: string;
}

const image = (name: string): string => join(projectDir, "images", name);
const builds: readonly Build[] = [
    { name: "valkey", context: image("valkey") },
    { name: "postgres", context: image("postgres") },
    { name: "backup", context: image("backup") },
    { name: "canvas", context: image("canvas"), orcheo: join(projectDir, "tests", "canvas-app") },
    { name: "backend-0.33", context: image("backend"), args: { ORCHEO_RELEASE: "0.33" } },
    { name: "backend-0.46", context: image("backend"), args: { ORCHEO_RELEASE: "0.46" } },
];

const plainDockerfile = `FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates g++ gcc python3-dev python3-pip
COPY requirements-0.33.lock /
RUN --mount=type=secret,id=ca-bundle,required=false \\
    if [ -s /run/secrets/ca-bundle ]; then export PIP_CERT=/run/secrets/ca-bundle; fi; \\
    pip install --break-system-packages -r /requirements-0.33.lock
`;

async function build(spec: ClusterSpec, toolchain: Toolchain, given: Build, cold: boolean): Promise<number> {
    const { name, context, args = {}, orcheo } = given;
    const start = performance.now();
    await buildAndPush(spec, toolchain, context, `${registryOf(spec)}/bench/${name}:1`, {
        log: logFile(`bench-${name}`),
        timeoutSeconds: 1800,
        args: [
            ...Object.entries(args).flatMap(([key, value]) => ["--opt", `build-arg:${key}=${value}`]),
            ...(orcheo === undefined ? [] : ["--local", `orcheo=${orcheo}`, "--opt", "context:orcheo=local:orcheo"]),
            ...(caBundleFile === undefined ? [] : ["--secret", `id=ca-bundle,src=${caBundleFile}`]),
            ...(cold ? ["--no-cache"] : []),
        ],
    });
    return (performance.now() - start) / 1000;
}

const manifestTypes = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Megabytes of an image's compressed layers, as a node pulls them. */
async function pulledMB(spec: ClusterSpec, name: string, reference = "1"): Promise<number> {
    const answer = await fetch(`http://${registryOf(spec)}/v2/bench/${name}/manifests/${reference}`, {
        headers: { accept: manifestTypes },
    });
    const manifest = (await answer.json()) as {
        layers?: readonly { size: number }[];
        manifests?: readonly { digest: string; platform?: { os: string } }[];
    };
    const [inner] = (manifest.manifests ?? []).filter(({ platform }) => platform?.os === "linux");
    if (inner !== undefined) return pulledMB(spec, name, inner.digest);
    return (manifest.layers ?? []).reduce((sum, { size }) => sum + size, 0) / 1e6;
}

/** @returns lines of Markdown */
export async function measureImages(spec: ClusterSpec, toolchain: Toolchain, report: Report): Promise<string[]> {
    const lines = ["", "## Images", "", "| image | cold s | warm s | pulled MB |", "| --- | --- | --- | --- |"];
    const sizes = new Map<string, number>();
    const plain = mkdtempSync(join(tmpdir(), "orcheo-plain-"));
    try {
        writeFileSync(join(plain, "Dockerfile"), plainDockerfile);
        cpSync(join(image("backend"), "requirements-0.33.lock"), join(plain, "requirements-0.33.lock"));
        for (const each of [...builds, { name: "plain-pip-0.33", context: plain }]) {
            const times: number[] = [];
            for (const cold of [true, false])
                times.push(
                    await report.step(
                        `build ${each.name}, ${cold ? "cold" : "warm"}`,
                        logFile(`bench-${each.name}`),
                        () => build(spec, toolchain, each, cold),
                    ),
                );
            const size = await pulledMB(spec, each.name);
            sizes.set(each.name, size);
            lines.push(`| ${each.name} | ${times.map((time) => time.toFixed(1)).join(" | ")} | ${size.toFixed(1)} |`);
        }
    } finally {
        rmSync(plain, { recursive: true, force: true });
    }
    const share = (sizes.get("backend-0.33") ?? NaN) / (sizes.get("plain-pip-0.33") ?? NaN);
    const packages = readFileSync(join(image("backend"), "requirements-0.33.lock"), "utf8").match(/^[a-z0-9].*==/gim);
    lines.push(
        "",
        `The backend is ${(100 * share).toFixed(0)} % of what a plain \`pip install\` of the same ${packages?.length ?? 0} packages makes (aim: 50 %).`,
    );
    return lines;
}
