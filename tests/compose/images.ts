/** The images of compose/prod.yaml, built from this checkout and pushed to the engine's registry. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
const contexts: Readonly<Record<string, readonly string[]>> = {
    canvas: ["--local", `orcheo=${canvasSource}`, "--opt", "context:orcheo=local:orcheo"],
};

/** Traefik as its own image has it: on the PATH. */
async function traefik(toolchain: Toolchain): Promise<string> {
    const context = mkdtempSync(join(tmpdir(), "orcheo-compose-traefik-"));
    try {
        copyFileSync(toolchain.bin("traefik"), join(context, "traefik"));
        const file = 'FROM scratch\nCOPY traefik /usr/local/bin/traefik\nENTRYPOINT ["/usr/local/bin/traefik"]\n';
        writeFileSync(join(context, "Dockerfile"), file);
        return await build(toolchain, "traefik", context);
    } finally {
        rmSync(context, { recursive: true });
    }
}

async function build(toolchain: Toolchain, name: string, context: string): Promise<string> {
    const repository = `${registryOf(spec)}/orcheo/${name}`;
    const digest = await buildAndPush(spec, toolchain, context, `${repository}:compose`, {
        log: logFile(`compose-image-${name}`),
        args: [...secret, ...(contexts[name] ?? [])],
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
    return images;
}
