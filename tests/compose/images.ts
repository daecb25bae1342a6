/** The images of both Compose files, built from this checkout and pushed to the engine's registry. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensureBaseImage } from "../../local/base-image.ts";
import { inBuilder, MIRROR } from "../../local/cluster/builder.ts";
import { buildAndPush } from "../../local/cluster/images.ts";
import { registryOf } from "../../local/cluster/spec.ts";
import { caBundleFile, cacheDir, logFile, projectDir } from "../../local/paths.ts";
import type { Report } from "../../local/report.ts";
import type { Toolchain } from "../../local/toolchain/build.ts";
import { spec } from "./engine.ts";

const canvasSource = process.env.ORCHEO_CANVAS_SOURCE ?? join(projectDir, "tests", "canvas-app");
const secret = caBundleFile === undefined ? [] : ["--secret", `id=ca-bundle,src=${caBundleFile}`];
const orcheo = ["--local", `orcheo=${canvasSource}`, "--opt", "context:orcheo=local:orcheo"];
const contexts: Readonly<Record<string, readonly string[]>> = {
    canvas: orcheo,
    "canvas-dev": [...orcheo, "--opt", "target=development"],
    tests: ["--opt", "target=with-tests"],
};

/** Builds from a new folder with these files of the machine. */
async function assembled(
    toolchain: Toolchain,
    name: string,
    copied: Readonly<Record<string, string>>,
    dockerfile: string,
): Promise<string> {
    const context = mkdtempSync(join(tmpdir(), `orcheo-compose-${name}-`));
    try {
        for (const [target, source] of Object.entries(copied))
            cpSync(source, join(context, target), { recursive: true, dereference: true });
        writeFileSync(join(context, "Dockerfile"), dockerfile);
        return await build(toolchain, name, context);
    } finally {
        rmSync(context, { recursive: true });
    }
}

/** One program and nothing else. */
const single = (toolchain: Toolchain, name: string, path: string): Promise<string> =>
    assembled(
        toolchain,
        name,
        { [name]: toolchain.bin(name) },
        `FROM scratch\nCOPY ${name} ${path}\nENTRYPOINT ["${path}"]\n`,
    );

/** Traefik as its own image has it: on the PATH. */
const traefik = (toolchain: Toolchain): Promise<string> => single(toolchain, "traefik", "/usr/local/bin/traefik");

/** An ACME CA for tests. */
const pebble = (toolchain: Toolchain): Promise<string> => single(toolchain, "pebble", "/pebble");

/** Node of this machine in place of node:24-trixie-slim, which no registry here has. */
const node = (toolchain: Toolchain): Promise<string> =>
    assembled(
        toolchain,
        "node",
        { node: process.execPath, npm: join(dirname(process.execPath), "..", "lib", "node_modules", "npm") },
        `FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libatomic1 libstdc++6
COPY --chmod=755 node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && chmod 755 /usr/local/lib/node_modules/npm/bin/npm-cli.js
`,
    );

async function build(
    toolchain: Toolchain,
    name: string,
    context: string,
    more: readonly string[] = [],
): Promise<string> {
    const repository = `${registryOf(spec)}/orcheo/${name}`;
    const digest = await buildAndPush(spec, toolchain, context, `${repository}:compose`, {
        log: logFile(`compose-image-${name}`),
        args: [...secret, ...(contexts[name] ?? []), ...more],
        timeoutSeconds: 1800,
    });
    return `${repository}@${digest}`;
}

/** By the variable of .env, each by digest; `store` is the tests' own. */
export async function buildImages(toolchain: Toolchain, report: Report): Promise<Readonly<Record<string, string>>> {
    await ensureBaseImage({
        registry: MIRROR,
        crane: (...args) => inBuilder([toolchain.bin("crane"), "--insecure", ...args], 120),
        cacheDir,
        report: (line) => {
            report.note(line);
        },
    });
    const images: Record<string, string> = { ORCHEO_TRAEFIK_IMAGE: await traefik(toolchain) };
    for (const name of ["backend", "canvas", "postgres", "valkey", "backup"])
        images[`ORCHEO_${name.toUpperCase()}_IMAGE`] = await build(toolchain, name, join(projectDir, "images", name));
    images["STORE_IMAGE"] = await build(toolchain, "store", join(projectDir, "tests", "e2e", "store"));
    images["PEBBLE_IMAGE"] = await pebble(toolchain);
    // Another digest each, for an update.
    for (const name of ["BACKEND", "CANVAS"])
        images[`NEXT_${name}_IMAGE`] = await assembled(
            toolchain,
            `next-${name.toLowerCase()}`,
            {},
            `FROM ${images[`ORCHEO_${name}_IMAGE`] ?? ""}\nLABEL next=1\n`,
        );
    // They wait for the network most of the time.
    const signIn = async (): Promise<string> =>
        build(toolchain, "sign-in", projectDir, [
            ...["--local", `dockerfile=${join(projectDir, "compose", "sign-in")}`],
            ...["--opt", `build-arg:NODE_IMAGE=${await node(toolchain)}`],
        ]);
    const development: Readonly<Record<string, Promise<string>>> = {
        ORCHEO_CANVAS_DEV_IMAGE: build(toolchain, "canvas-dev", join(projectDir, "images", "canvas")),
        ORCHEO_TESTS_IMAGE: build(toolchain, "tests", join(projectDir, "images", "backend")),
        ORCHEO_PGADMIN_IMAGE: build(toolchain, "pgadmin", join(projectDir, "compose", "pgadmin")),
        ORCHEO_SIGN_IN_IMAGE: signIn(),
    };
    const built = await Promise.all(
        Object.entries(development).map(async ([name, image]) => [name, await image] as const),
    );
    return { ...images, ...Object.fromEntries(built) };
}
