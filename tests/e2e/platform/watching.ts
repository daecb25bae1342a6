/** What can be seen from outside while something else happens. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, type Entrance } from "../orcheo.ts";
import { env } from "./harness.ts";

export interface Replicas {
    readonly role: string;
    readonly ready: number;
    readonly all: number;
}

/** Every count of replicas that the API server tells of while the work lasts. */
export async function replicasDuring(
    work: Promise<unknown>,
    namespace: string,
    roles: readonly string[],
): Promise<Replicas[]> {
    const line = '{.metadata.name} {.status.readyReplicas} {.status.replicas}{"\\n"}';
    const args = ["--namespace", namespace, "get", "deployments", "--watch", "-o", `jsonpath=${line}`];
    const watch = spawn("kubectl", args, { env, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    watch.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = once(watch, "close");
    try {
        await work;
    } finally {
        watch.kill();
        await ended;
    }
    return said
        .trim()
        .split("\n")
        .map((text) => text.split(" "))
        .map(([role = "", ready, all]) => ({ role, ready: Number(ready), all: Number(all) }))
        .filter(({ role }) => roles.includes(role));
}

/** What callers are answered while the work lasts, about two a second. @throws when a request gets no answer */
export async function answersDuring(
    work: Promise<unknown>,
    entrance: Entrance,
    path = "/api/system/health",
): Promise<number[]> {
    const answers: number[] = [];
    const progress = { over: false };
    const end = (): void => {
        progress.over = true;
    };
    void work.then(end, end);
    while (!progress.over) {
        answers.push((await ask(entrance, "GET", path)).status);
        await sleep(500);
    }
    // What failed is not lost in the answers.
    await work;
    return answers;
}
