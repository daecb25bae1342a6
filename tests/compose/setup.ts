/** One Docker engine for all files, with the images of this checkout. */
import type { TestProject } from "vitest/node";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { startEngine, stopEngine } from "./engine.ts";
import { buildImages } from "./images.ts";

declare module "vitest" {
    export interface ProvidedContext {
        /** Folder with docker-compose. */
        tools: string;
        /** By the variable of .env, each by digest. */
        images: Readonly<Record<string, string>>;
    }
}

const report = consoleReport();

export async function setup(project: TestProject): Promise<void> {
    const start = performance.now();
    const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(0)} s`;
    const toolchain = await ensureToolchain(["cluster", "add-ons", "compose", "test"], report);
    await startEngine(toolchain, report);
    report.note(`compose: engine after ${seconds()}`);
    project.provide("tools", toolchain.path);
    project.provide("images", await buildImages(toolchain, report));
    report.note(`compose: images after ${seconds()}`);
}

export async function teardown(): Promise<void> {
    if (process.env.ORCHEO_KEEP_COMPOSE === undefined) await stopEngine(report);
}
