/** What a registry and Syft say of images. */
import { readFileSync } from "node:fs";
import { run } from "../process.ts";
import type { Toolchain } from "../toolchain/build.ts";
import type { Bill } from "./packages.ts";
import { tools } from "../toolchain/tools.ts";
import { platformsIn } from "./publish.plan.ts";

/** The tools that publishing needs, without the rest of their groups. */
export const publishTools = tools.filter(({ name }) => ["crane", "cosign", "syft"].includes(name));

/** Of a repository; none when it does not exist yet. */
export async function tagsIn(repository: string, toolchain: Toolchain): Promise<readonly string[]> {
    const printed = await run(toolchain.bin("crane"), ["ls", repository]).catch((error: unknown) => {
        if (/NAME_UNKNOWN|404/.test(String(error))) return "";
        throw error;
    });
    return printed.split("\n").filter((tag) => tag !== "");
}

/** The images of an index, each by digest; of a single image itself. */
export async function platformsOf(
    image: string,
    toolchain: Toolchain,
): Promise<readonly { readonly image: string; readonly architecture: string }[]> {
    const platforms = platformsIn(JSON.parse(await run(toolchain.bin("crane"), ["manifest", image])));
    const repository = image.slice(0, image.indexOf("@"));
    if (platforms !== undefined)
        return platforms.map(({ digest, architecture }) => ({ image: `${repository}@${digest}`, architecture }));
    const config = JSON.parse(await run(toolchain.bin("crane"), ["config", image])) as { architecture: string };
    return [{ image, architecture: config.architecture }];
}

/** The packages of an image, which are also written in SPDX. */
export async function billOf(image: string, spdxFile: string, toolchain: Toolchain): Promise<Bill> {
    const file = `${spdxFile}.syft`;
    const plainHttp = isLoopback(image) ? { SYFT_REGISTRY_INSECURE_USE_HTTP: "true" } : {};
    await run(
        toolchain.bin("syft"),
        ["scan", `registry:${image}`, "--quiet", "--output", `syft-json=${file}`, "--output", `spdx-json=${spdxFile}`],
        { env: { ...process.env, ...plainHttp, SYFT_CHECK_FOR_APP_UPDATE: "false" }, timeoutSeconds: 600 },
    );
    return JSON.parse(readFileSync(file, "utf8")) as Bill;
}

export const isLoopback = (image: string): boolean => /^(127\.[0-9.]+|localhost)[:/]/.test(image);
