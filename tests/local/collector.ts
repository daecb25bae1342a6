/** The OpenTelemetry Collector with the parts that the documentation's configurations use: local/toolchain/modules/otel-collector. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { newFolder } from "./metrics-store.ts";

const started: ChildProcess[] = [];

/**
 * Starts it, and waits until it is ready.
 *
 * @param config  YAML or JSON
 * @param credentials  variables of an SDK of AWS
 * @returns a function that returns what it has logged so far
 */
export async function startCollector(
    config: string,
    credentials: Readonly<Record<string, string>> = {},
): Promise<() => string> {
    const toolchain = await ensureToolchain(["operator"], consoleReport());
    const file = join(newFolder(), "collector.yaml");
    writeFileSync(file, config);
    const child = spawn(toolchain.bin("otel-collector-of-users"), ["--config", file], {
        env: { PATH: process.env["PATH"], ...credentials },
        stdio: ["ignore", "ignore", "pipe"],
    });
    started.push(child);
    let log = "";
    child.stderr.on("data", (text: Buffer) => (log += text.toString()));
    for (const end = Date.now() + 30_000; !log.includes("Everything is ready");) {
        if (Date.now() > end || child.exitCode !== null) throw new Error(`the collector does not start: ${log}`);
        await sleep(100);
    }
    return () => log;
}

export function stopCollectors(): void {
    for (const child of started) child.kill("SIGKILL");
}
