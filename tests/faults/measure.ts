/** One release under one policy: 30 runs in flight, everything that executes or keeps them lost in turn, and what became of each run. */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clusterInfo } from "../../local/cluster/cluster.ts";
import type { ClusterSpec } from "../../local/cluster/spec.ts";
import { projectDir } from "../../local/paths.ts";
import { clusterEnvironment, deploy } from "../../local/platform.ts";
import { run } from "../../local/process.ts";
import { committedFile, readStackFile } from "../../local/pulumi.ts";
import type { Report } from "../../local/report.ts";
import { merge, settingsOf } from "../../local/settings.ts";
import type { Toolchain } from "../../local/toolchain/build.ts";
import { ask, at, createWorkflow, dispatchRuns, type Entrance, expected } from "../e2e/orcheo.ts";
import { type Holder, Losses, until } from "./losses.ts";
import type { Measured } from "./table.ts";
import { type Verdict, verdictOf, workflow } from "./verdict.ts";

const RUNS = 30;
const WHILE_VALKEY_IS_AWAY = 3;
const PROCESSES = 5;
/** Whoever lost a run and does not know it yet would have spoilt it by then. */
const AFTERWARDS_SECONDS = 90;
const PATIENCE_SECONDS = 900;

export interface Case {
    readonly release: string;
    readonly policy: string;
}

export interface Place {
    readonly spec: ClusterSpec;
    readonly toolchain: Toolchain;
    readonly report: Report;
}

interface Stack {
    readonly entrance: Entrance;
    readonly losses: Losses;
}

async function start({ spec, toolchain, report }: Place, { release, policy }: Case): Promise<Stack> {
    const namespace = `faults${release.replace(".", "")}`;
    const host = `${namespace}.localhost`;
    const settings = merge(settingsOf(readStackFile(committedFile("dev")), "dev"), {
        release,
        host,
        kubernetes: { namespace },
        images: { canvas: { source: { kind: "directory", path: join(projectDir, "tests", "canvas-app") } } },
        worker: { replicas: 2, concurrency: PROCESSES, lostRuns: policy, resources: { memoryLimitMiB: 3072 } },
    });
    const { bootstrapToken } = await deploy({ spec, toolchain, report, stack: "dev", settings });
    const env = { ...process.env, ...clusterEnvironment(spec, toolchain, "dev") };
    const token = await run("bash", ["-c", String(bootstrapToken)], { env });
    const entrance = { origin: `https://${host}:${spec.ports.https}`, caFile: clusterInfo(spec).caFile, token };
    // A workspace may have 25 runs at a time otherwise.
    const workspace = { slug: "e2e", name: "E2E", quotas: { max_concurrent_runs: 100 } };
    if (release === "0.46") await ask(entrance, "POST", "/api/workspaces", workspace);
    return { entrance, losses: new Losses(spec, namespace, env) };
}

/** Repeats a request: 0.46 limits how many it answers, and a server that was just killed answers none. @returns undefined for 404 */
const get = (entrance: Entrance, path: string): Promise<unknown> =>
    until(180, async () => {
        const { status, body } = await ask(entrance, "GET", path);
        if (status === 404) return undefined;
        if (status !== 200) throw new Error(`GET ${path}: status ${status}`);
        return body;
    });

/** Runs by status, as the database has them: the API's limits do not matter. */
async function states(losses: Losses, ids: readonly string[]): Promise<Readonly<Record<string, number>>> {
    const list = ids.map((id) => `'${id}'`).join(", ");
    const rows = await losses.sql(`SELECT status, count(*) FROM workflow_runs WHERE id IN (${list}) GROUP BY status`);
    return Object.fromEntries(rows.map(([status = "", count]) => [status, Number(count)]));
}

const words = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
        .map(([status, count]) => `${count} ${status}`)
        .join(", ");

/** Both workers at work: three runs or more each. */
async function bothAtWork(losses: Losses): Promise<[Holder[], Holder[]]> {
    return until(180, async () => {
        const holders = await losses.holders();
        const [first = "", second = ""] = [...new Set(holders.map(({ pod }) => pod))].sort();
        const of = (name: string): Holder[] => holders.filter(({ pod }) => pod === name);
        if (of(first).length < 3 || of(second).length < 3) throw new Error("the workers have not begun their runs");
        return [of(first), of(second)];
    });
}

/** Loses everything in turn. @returns what was lost, and the ids of all runs */
async function lose({ entrance, losses }: Stack, workflowId: string, report: Report): Promise<[string[], string[]]> {
    const lost: string[] = [];
    const ids = await report.step(`dispatch ${RUNS} runs`, undefined, () =>
        dispatchRuns(entrance, workflowId, RUNS, "faults"),
    );
    const loss = async (name: string, work: () => Promise<void>): Promise<void> => {
        const before = words(await states(losses, ids));
        lost.push(name);
        await report.step(`${name}; before: ${before}`, undefined, work);
    };
    const [first, second] = await report.step("wait until both workers execute runs", undefined, () =>
        bothAtWork(losses),
    );
    const [paused, killed] = second;
    if (first[0] === undefined || paused === undefined || killed === undefined) throw new Error("no run is executed");

    await loss("pause a worker process for longer than its lease", () => losses.signal(paused, "STOP"));
    await loss("kill a worker process", () => losses.signal(killed, "KILL"));
    await loss("deliver the message of every run that is executed a second time", async () => {
        const sent = await losses.redeliver();
        if (sent < first.length + second.length) throw new Error(`only ${sent} messages were delivered again`);
    });
    await loss("kill a worker with all its processes", () => losses.killContainer(first[0]?.pod ?? ""));
    await sleep(10_000);
    await loss(`kill Valkey, and dispatch ${WHILE_VALKEY_IS_AWAY} runs while it is away`, async () => {
        await losses.killContainer("valkey-0");
        await losses.without("valkey", async () => {
            ids.push(...(await dispatchRuns(entrance, workflowId, WHILE_VALKEY_IS_AWAY, "faults")));
        });
    });
    await sleep(15_000);
    await loss("kill Postgres", () => losses.killContainer("postgres-0"));
    await sleep(15_000);
    await loss("let Postgres vanish: the API answers within 30 s of its return", async () => {
        await losses.vanish("postgres-0");
        const end = Date.now() + 30_000;
        // More than the API has pods.
        for (let asked = 0; asked < 10; asked++)
            await until((end - Date.now()) / 1000, () => expected(ask(entrance, "GET", "/api/workflows"), 200));
    });
    // A busy worker notices when it next asks something of Valkey.
    await loss("let Valkey vanish: both workers are connected again within a minute of its return", async () => {
        const before = new Date();
        await losses.vanish("valkey-0");
        await until(60, async () => {
            const connected = await losses.connectedSince(before);
            if (connected !== 2) throw new Error(`${connected} of 2 workers have connected again`);
        });
    });
    await report.step("wait until the paused process has lost its run", undefined, () =>
        until(240, async () => {
            const holders = await losses.holders();
            if (holders.some(({ token }) => token === paused.token)) throw new Error("its run was not taken from it");
        }),
    );
    await loss("let the paused process go on", async () => {
        await losses.signal(paused, "CONT");
        await until(30, async () => {
            if (await losses.isAlive(paused)) throw new Error("a process that lost its run goes on with it");
        });
    });
    await loss("remove all workers", () => losses.removePods("worker"));
    return [lost, ids];
}

/** Waits until each run is final. @returns the seconds since `since`; undefined when some never were */
async function finalAfter(losses: Losses, ids: readonly string[], since: number): Promise<number | undefined> {
    for (const end = since + PATIENCE_SECONDS * 1000; Date.now() < end;) {
        const { succeeded = 0, failed = 0, cancelled = 0 } = await states(losses, ids);
        if (succeeded + failed + cancelled === ids.length) return Math.round((Date.now() - since) / 1000);
        await sleep(3000);
    }
    return undefined;
}

/** Keeps what explains a problem: the cluster is deleted at the end. */
async function keepEvidence(losses: Losses, name: string, runs: readonly unknown[]): Promise<string> {
    const folder = join(projectDir, "artifacts", "faults", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "runs.json"), JSON.stringify(runs, undefined, 2));
    const logs = ["logs", "--selector=app.kubernetes.io/component=worker", "--tail=-1", "--prefix"];
    writeFileSync(join(folder, "worker.log"), await losses.kubectl(...logs).catch(String));
    return folder;
}

export async function measure(place: Place, { release, policy }: Case): Promise<Measured> {
    const { report } = place;
    report.note(`Orcheo ${release}, worker.lostRuns: ${policy}`);
    const stack = await start(place, { release, policy });
    const { entrance, losses } = stack;
    const { id } = await createWorkflow(entrance, release, `faults-${policy}`, { script: workflow });
    const [lost, ids] = await lose(stack, id, report);
    const seconds = await report.step("wait until every run is final", undefined, () =>
        finalAfter(losses, ids, Date.now()),
    );
    await report.step("wait for anybody who still executes a run that is over", undefined, () =>
        sleep(AFTERWARDS_SECONDS * 1000),
    );
    const runs: { readonly run: unknown; readonly history: unknown; readonly verdict: Verdict }[] = [];
    await report.step(`read ${ids.length} runs and their histories through the API`, undefined, async () => {
        for (const runId of ids) {
            const one = await get(entrance, `/api/runs/${runId}`);
            const history = await get(entrance, `/api/executions/${runId}/history`);
            runs.push({ run: one, history, verdict: verdictOf(one, history) });
        }
    });
    const wrong = runs.filter(({ verdict }) => verdict.problems.length > 0);
    for (const { run: one, verdict } of wrong)
        for (const { text } of verdict.problems) report.note(`PROBLEM run ${String(at(one, "id"))}: ${text}`);
    const folder = wrong.length === 0 ? undefined : await keepEvidence(losses, `${release}-${policy}`, wrong);
    if (folder !== undefined) report.note(`these runs, their histories and the workers' log: ${folder}`);
    return {
        date: new Date().toISOString().slice(0, 10),
        machine: `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
        ...{ release, policy, losses: lost, seconds },
        verdicts: runs.map(({ verdict }) => verdict),
    };
}
