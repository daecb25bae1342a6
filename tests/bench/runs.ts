/** Runs of a workflow: how many a minute, their processor time, and the memory of the processes. */
import { setTimeout as sleep } from "node:timers/promises";
import { dispatchRuns } from "../e2e/orcheo.ts";
import { cpuSeconds, processesOf } from "./pods.ts";
import { type Bench, NAMESPACE, podOf, podsOf, until } from "./twins.ts";

export const RUNS = 100;

export interface Work {
    readonly perMinute: number;
    readonly cpuPerRun: number;
    readonly transactionsPerRun: number;
    readonly shareMiB: number;
    readonly ownMiB: number;
}

export const sql = async ({ kubectl }: Bench, statement: string): Promise<string> => {
    const psql = ["psql", "-h", "/tmp", "-U", "postgres", "-d", "orcheo", "-Atc", statement];
    return (await kubectl(["--namespace", NAMESPACE, "exec", "postgres-0", "--", ...psql])).trim();
};

/** Hands runs to the workers. @returns their ids, as a list in SQL */
export const dispatch = async ({ entrance }: Bench, workflow: string, count: number): Promise<string> =>
    (await dispatchRuns(entrance, workflow, count, "bench")).map((id) => `'${id}'`).join(", ");

async function scaleWorker({ kubectl }: Bench, replicas: number): Promise<void> {
    await kubectl(["--namespace", NAMESPACE, "scale", "deployment", "worker", `--replicas=${replicas}`]);
}

/** The queue is filled while no worker runs: its time begins with the first run and ends with the last. */
export async function measureRuns(bench: Bench, workflow: string): Promise<Work> {
    const ids = await dispatch(bench, workflow, RUNS);
    await scaleWorker(bench, 1);
    await until("a worker", async () => (await podsOf(bench, "worker")).length === 1);
    const first = `SELECT count(*) FROM workflow_runs WHERE id IN (${ids}) AND status <> 'pending'`;
    await until("the first run", async () => Number(await sql(bench, first)) > 0);
    const { uid } = await podOf(bench, "worker");
    const transactions = async (): Promise<number> =>
        Number(await sql(bench, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"));
    const transactionsBefore = await transactions();
    const [doneBefore, cpuBefore] = [Number(await sql(bench, first)), cpuSeconds(bench.spec, uid)];
    const left = `SELECT count(*) FROM workflow_runs WHERE id IN (${ids}) AND status IN ('pending', 'running')`;
    await until("the last run", async () => Number(await sql(bench, left)) === 0);
    const cpu = cpuSeconds(bench.spec, uid) - cpuBefore;
    // Postgres counts those of a connection a second late.
    await sleep(2000);
    const committed = (await transactions()) - transactionsBefore;
    const failed = await sql(
        bench,
        `SELECT count(*) FROM workflow_runs WHERE id IN (${ids}) AND status <> 'succeeded'`,
    );
    if (failed !== "0") throw new Error(`${failed} of ${RUNS} runs did not succeed`);
    const seconds = Number(
        await sql(
            bench,
            "SELECT extract(epoch FROM max((payload->>'completed_at')::timestamptz) - min((payload->>'started_at')::timestamptz)) " +
                `FROM workflow_runs WHERE id IN (${ids})`,
        ),
    );
    const all = processesOf(bench.spec, uid);
    // Celery forks its pool last.
    const pool = all.slice(-2);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
        perMinute: (RUNS / seconds) * 60,
        cpuPerRun: cpu / (RUNS - doneBefore),
        transactionsPerRun: committed / (RUNS - doneBefore),
        shareMiB: sum(all.map(({ shareMiB }) => shareMiB)) / pool.length,
        ownMiB: sum(pool.map(({ ownMiB }) => ownMiB)) / pool.length,
    };
}
