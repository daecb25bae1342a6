/** A steady load on the stack, as its users see an update. */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Entrance } from "../e2e/orcheo.ts";
import { spec } from "./engine.ts";

export interface Asked {
    readonly asked: number;
    /** Every request that was not answered with 200, and how it ended. */
    readonly lost: readonly string[];
    readonly longestMs: number;
}

/** Sends requests until its result is called, on new and on kept connections. */
export function asking({ caFile, token = "" }: Entrance): () => Promise<Asked> {
    const ca = readFileSync(caFile);
    let done = false;
    let asked = 0;
    let longestMs = 0;
    const lost: string[] = [];
    const once = (path: string, agent: Agent): Promise<string> =>
        new Promise((answered) => {
            const options = {
                host: "127.0.0.1",
                port: spec.ports.https,
                servername: "orcheo.localhost",
                ca,
                path,
                agent,
            };
            const headers = { host: "orcheo.localhost", authorization: `Bearer ${token}` };
            request({ ...options, headers, timeout: 60_000 }, (answer) => {
                answer.resume().on("end", () => {
                    answered(answer.statusCode === 200 ? "" : `${path}: ${answer.statusCode ?? 0}`);
                });
            })
                .on("error", (error) => {
                    answered(`${path}: ${error.message}`);
                })
                .end();
        });
    const loop = async (path: string, keepAlive: boolean): Promise<void> => {
        const agent = new Agent({ keepAlive });
        while (!done) {
            const start = performance.now();
            const problem = await once(path, agent);
            longestMs = Math.max(longestMs, performance.now() - start);
            asked += 1;
            if (problem !== "") lost.push(problem);
            await sleep(100);
        }
        agent.destroy();
    };
    const loops = ["/", "/api/system/health", "/api/workflows"].flatMap((path) => [
        loop(path, true),
        loop(path, false),
    ]);
    return async () => {
        done = true;
        await Promise.all(loops);
        return { asked, lost, longestMs };
    };
}
