/** Image sizes, build times from scratch and from the cache, whether the digests are the same, and what a plain `pip install` on the same base makes. */
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
    pip install --break-system-packages --ignore-installed -r /requirements-0.33.lock
`;

/** As the program builds them (components/images.plan.ts): the same input is the same digest. */
const reproducible = { SOURCE_DATE_EPOCH: "1767225600", CREATED: "2026-01-01T00:00:00Z" };

interface Built {
    readonly seconds: number;
    readonly digest: string;
}

async function build(spec: ClusterSpec, toolchain: Toolchain, given: Build, cold: boolean): Promise<Built> {
    const { name, context, args = {}, orcheo } = given;
    const start = performance.now();
    const digest = await buildAndPush(spec, toolchain, context, `${registryOf(spec)}/bench/${name}:1`, {
        log: logFile(`bench-${name}`),
        timeoutSeconds: 1800,
        output: ["rewrite-timestamp=true", "oci-mediatypes=true"],
        args: [
            ...Object.entries({ ...reproducible, ...args }).flatMap(([key, value]) => [
                "--opt",
                `build-arg:${key}=${value}`,
            ]),
            ...(orcheo === undefined ? [] : ["--local", `orcheo=${orcheo}`, "--opt", "context:orcheo=local:orcheo"]),
            ...(caBundleFile === undefined ? [] : ["--secret", `id=ca-bundle,src=${caBundleFile}`]),
            ...(cold ? ["--no-cache"] : []),
        ],
    });
    return { seconds: (performance.now() - start) / 1000, digest };
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
    const lines = [
        "",
        "## Images",
        "",
        "| image | from scratch s | again s | from the cache s | same digest from scratch | pulled MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ];
    const sizes = new Map<string, number>();
    const plain = mkdtempSync(join(tmpdir(), "orcheo-plain-"));
    try {
        writeFileSync(join(plain, "Dockerfile"), plainDockerfile);
        cpSync(join(image("backend"), "requirements-0.33.lock"), join(plain, "requirements-0.33.lock"));
        for (const each of [...builds, { name: "plain-pip-0.33", context: plain }]) {
            const made: Built[] = [];
            // Of the plain one only the size is of interest.
            const again = each.context === plain ? [] : ["from scratch again", "from the cache"];
            for (const how of ["from scratch", ...again])
                made.push(
                    await report.step(`build ${each.name} ${how}`, logFile(`bench-${each.name}`), () =>
                        build(spec, toolchain, each, how !== "from the cache"),
                    ),
                );
            const times = [0, 1, 2].map((n) => made[n]?.seconds.toFixed(1) ?? "").join(" | ");
            const same = made.length === 1 ? "" : made.every(({ digest }) => digest === made[0]?.digest) ? "yes" : "no";
            const size = await pulledMB(spec, each.name);
            sizes.set(each.name, size);
            lines.push(`| ${each.name} | ${times} | ${same} | ${size.toFixed(1)} |`);
        }
    } finally {
        rmSync(plain, { recursive: true, force: true });
    }
    const share = (sizes.get("backend-0.33") ?? NaN) / (sizes.get("plain-pip-0.33") ?? NaN);
    const packages = readFileSync(join(image("backend"), "requirements-0.33.lock"), "utf8").match(/^[a-z0-9].*==/gim);
    lines.push(
        "",
        `The backend is ${(100 * share).toFixed(0)} % of what a plain \`pip install\` of the same ${packages?.length ?? 0} packages makes (target: 50 %).`,
    );
    return lines;
}
