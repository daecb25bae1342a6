/** How long a saved file takes until the stack serves it. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Entrance } from "../e2e/orcheo.ts";
import { spec } from "./engine.ts";
import { median as medianOf, percentile } from "../local/percentile.ts";
import { type ComposeFolder, eventually } from "./stack.ts";

/** Saves each edit, and waits until it is served. The report has the figures, and docs/compose.md those of a quiet machine. */
export async function measure(
    folder: ComposeFolder,
    what: string,
    edits: number,
    save: (edit: number) => void,
    served: (edit: number) => Promise<boolean>,
): Promise<void> {
    const times: number[] = [];
    const loads: number[] = [];
    for (let edit = 1; edit <= edits; edit += 1) {
        const start = performance.now();
        save(edit);
        await eventually(60, async () => ((await served(edit)) ? true : undefined), 25);
        times.push((performance.now() - start) / 1000);
        loads.push(loadavg()[0] ?? 0);
        await sleep(1000);
    }
    const p95 = percentile(times, 95);
    const median = medianOf(times);
    folder.timings.push(
        `${what}, ${edits} edits: saved to served ${median.toFixed(2)} s median, ${p95.toFixed(2)} s p95 at a load of ${medianOf(loads).toFixed(1)}`,
    );
}

/** Asks again and again while the work goes on: the share of requests that were not answered with 200. */
export async function unansweredDuring(
    folder: ComposeFolder,
    statusOf: () => Promise<number>,
    work: () => Promise<void>,
): Promise<number> {
    const statuses: number[] = [];
    const working = { over: false };
    const asking = (async () => {
        while (!working.over) {
            statuses.push(await statusOf().catch(() => 0));
            await sleep(20);
        }
    })();
    await work().finally(() => (working.over = true));
    await asking;
    const unanswered = statuses.filter((status) => status !== 200).length;
    folder.timings.push(`requests meanwhile: ${unanswered} of ${statuses.length} not answered with 200`);
    return unanswered / statuses.length;
}

/** The WebSocket of a page that Vite serves. */
export const openPage = ({ caFile }: Entrance): Promise<{ messages: () => string; close: () => void }> =>
    new Promise((done, fail) => {
        const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
        const key = randomBytes(16).toString("base64");
        request({
            host: "127.0.0.1",
            port: spec.ports.https,
            servername: "orcheo.localhost",
            ca: readFileSync(caFile),
            path: "/vite-hmr",
            headers: {
                ...{ ...upgrade, "sec-websocket-key": key, "sec-websocket-protocol": "vite-hmr" },
                host: "orcheo.localhost",
            },
        })
            .on("error", fail)
            .on("response", ({ statusCode }) => {
                fail(new Error(`no WebSocket, but ${statusCode ?? 0}`));
            })
            .on("upgrade", (_, socket) => {
                let text = "";
                socket.on("data", (part: Buffer) => (text += part.toString("latin1")));
                done({ messages: () => text, close: () => socket.destroy() });
            })
            .end();
    });
