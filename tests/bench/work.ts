/**
 * What a request and a run cost, beside the same Orcheo started plainly: the same image, pod, limits, Postgres and
 * Valkey, with Orcheo's own command (uvicorn without TLS, Celery) instead of our start step. The two ways alternate.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createWorkflow } from "../e2e/orcheo.ts";
import { attack, ATTACK_SECONDS, CALLERS, type Load, measureLoad } from "./load.ts";
import { dispatch, measureRuns, RUNS, sql, type Work } from "./runs.ts";
import {
    type Bench,
    type How,
    hows,
    keepOneReplica,
    originOf,
    ownCommands,
    type Pod,
    podOf,
    requests,
    start,
    until,
} from "./twins.ts";

const ROUNDS = 2;

/** @returns lines of four tables. The stack is left as plain as the last round made it: the next `pulumi up` restores it. */
export async function measureWork(bench: Bench): Promise<readonly string[]> {
    const lines: string[] = [];
    const table = (title: string, ...rows: readonly (readonly (string | number)[])[]): void => {
        lines.push("", `## ${title}`, "");
        const [head = [], ...others] = rows;
        for (const cells of [head, head.map(() => "---"), ...others])
            lines.push(`| ${cells.map((cell) => (typeof cell === "number" ? significant(cell) : cell)).join(" | ")} |`);
    };
    await keepOneReplica(bench);
    const workflow = (await createWorkflow(bench.entrance, "0.33", `bench-${Date.now()}`)).id;
    const commands = await ownCommands(bench);

    const loads = new Map<string, Load[]>();
    const works = new Map<How, Work[]>();
    for (let round = 0; round < ROUNDS; round++) {
        for (const how of hows) {
            await start(bench, "api", how, commands.api);
            for (const [what, path] of Object.entries(requests))
                for (const way of how === "plain" ? ["its own port"] : ["its own port", "the entrance"]) {
                    const key = `${what}|${how}|${way}`;
                    const load = await bench.report.step(`${what}, ${how}, ${way}`, undefined, () =>
                        measureLoad(bench, how, way === "the entrance", path),
                    );
                    loads.set(key, [...(loads.get(key) ?? []), load]);
                }
        }
        // Dispatched through the entrance, to our API.
        for (const how of hows) {
            await start(bench, "worker", how, commands.worker, 0);
            const work = await bench.report.step(`${RUNS} runs, ${how}`, undefined, () => measureRuns(bench, workflow));
            works.set(how, [...(works.get(how) ?? []), work]);
        }
    }

    const best = (key: string): Load =>
        [...(loads.get(key) ?? [])].sort((a, b) => b.perSecond - a.perSecond)[0] ?? none;
    const requestRows = Object.keys(requests).flatMap((what) => {
        const plain = best(`${what}|plain|its own port`);
        return [
            ["plain uvicorn, http", plain, `${what}|plain|its own port`] as const,
            ["ours, https to the pod", best(`${what}|ours|its own port`), ""] as const,
            ["ours, through the entrance", best(`${what}|ours|the entrance`), ""] as const,
        ].map(([name, load]) => [
            `${what}: ${name}`,
            load.perSecond,
            load.perSecond / plain.perSecond,
            load.api,
            load.entrance,
            load.postgres,
            name.includes("entrance") ? ">= 0.95" : "",
        ]);
    });
    table(
        `Requests (${CALLERS} callers without a pause; best of ${ROUNDS}, alternating)`,
        ["request", "requests/s", "times plain", "CPU s/1,000 API", "entrance", "Postgres", "target of times plain"],
        ...requestRows,
    );
    const bestWork = (how: How): Work =>
        [...(works.get(how) ?? [])].sort((a, b) => b.perMinute - a.perMinute)[0] ?? noWork;
    table(
        `Runs of two steps (${RUNS} in the queue, one worker of two processes; best of ${ROUNDS}, alternating)`,
        [
            "how",
            "runs/min",
            "times plain",
            "CPU s/run",
            "transactions/run",
            "MiB per process",
            "of them its own",
            "target",
        ],
        ...hows.map((how) => {
            const { perMinute, cpuPerRun, transactionsPerRun, shareMiB, ownMiB } = bestWork(how);
            const times = perMinute / bestWork("plain").perMinute;
            return [
                how === "plain" ? "plain Celery" : "ours",
                perMinute,
                times,
                cpuPerRun,
                transactionsPerRun,
                shareMiB,
                ownMiB,
                how === "plain" ? "" : ">= 0.95",
            ];
        }),
    );
    table("Connections to Postgres of one replica (most seen)", ...(await measureConnections(bench, workflow)));
    return lines;
}

const none: Load = { perSecond: Number.NaN, api: Number.NaN, entrance: Number.NaN, postgres: Number.NaN };
const noWork: Work = {
    perMinute: Number.NaN,
    cpuPerRun: Number.NaN,
    transactionsPerRun: Number.NaN,
    shareMiB: Number.NaN,
    ownMiB: Number.NaN,
};

const significant = (value: number): string => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3))));

/** Both paths under as many callers as Orcheo's pools allow and more, then runs on both processes. */
async function measureConnections(bench: Bench, workflow: string): Promise<(string | number)[][]> {
    const count = async ({ ip }: Pod): Promise<number> =>
        Number(await sql(bench, `SELECT count(*) FROM pg_stat_activity WHERE client_addr = '${ip}'`));
    const most = async (pod: Pod, work: Promise<unknown>): Promise<number> => {
        let [seen, ended] = [0, false];
        const end = work.finally(() => {
            ended = true;
        });
        while (!ended) {
            seen = Math.max(seen, await count(pod));
            await sleep(500);
        }
        await end;
        return seen;
    };
    const rows: (string | number)[][] = [["replica", "when", "connections"]];
    const api = await podOf(bench, "api");
    rows.push(["API", "before the load", String(await count(api))]);
    const origin = originOf("ours", api);
    const load = attack(bench, `${origin}${requests["a list from Postgres"]}`, ATTACK_SECONDS, 64);
    rows.push(["API", "64 callers", String(await most(api, load))]);
    const worker = await podOf(bench, "worker");
    rows.push(["worker of two processes", "idle", String(await count(worker))]);
    const ids = await dispatch(bench, workflow, 30);
    const left = `SELECT count(*) FROM workflow_runs WHERE id IN (${ids}) AND status IN ('pending', 'running')`;
    const runs = until("the last run", async () => Number(await sql(bench, left)) === 0);
    rows.push(["worker of two processes", "30 runs", String(await most(worker, runs))]);
    return rows;
}
