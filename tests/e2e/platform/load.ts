/** Requests at a steady rate. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { caller, toolchain } from "./harness.ts";

/** Reads of the list of workflows, for so many seconds at most; @returns what ends them. */
export function steadyLoad(requestsPerSecond: number, seconds: number): () => Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-load-"));
    const targets = join(folder, "targets.txt");
    const { origin, token = "", caFile } = caller();
    writeFileSync(targets, `GET ${origin}/api/workflows\nAuthorization: Bearer ${token}\n`, { mode: 0o600 });
    const { host, port } = new URL(origin);
    const attack: ChildProcess = spawn(
        toolchain.bin("vegeta"),
        [
            ...["attack", "-targets", targets, "-rate", `${requestsPerSecond}/s`, "-duration", `${seconds}s`],
            ...["-timeout", "30s", "-root-certs", caFile, "-connect-to", `${host}:127.0.0.1:${port}`],
            ...["-max-workers", "60", "-output", join(folder, "load.bin")],
        ],
        { stdio: "ignore" },
    );
    let stopped = false;
    const ended = once(attack, "close").then(([code]) => {
        rmSync(folder, { recursive: true, force: true });
        if (!stopped && code !== 0) throw new Error(`vegeta has ended with ${String(code)}`);
    });
    return async () => {
        stopped = true;
        attack.kill();
        await ended;
    };
}
