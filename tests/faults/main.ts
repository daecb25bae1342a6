/**
 * `make faults`: 30 runs in flight while workers are killed and Valkey and Postgres are restarted, on a cluster of its own.
 * Prints a table for docs/reliability.md. About 10 minutes for each case; `local/run node tests/faults/main.ts 0.33 fail` takes
 * one release and one policy.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { clusterInfo, startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { clusterSpec } from "../../local/cluster/spec.ts";
import { join } from "node:path";
import { projectDir } from "../../local/paths.ts";
import { clusterEnvironment, deploy } from "../../local/platform.ts";
import { run } from "../../local/process.ts";
import { committedFile, readStackFile } from "../../local/pulumi.ts";
import { consoleReport } from "../../local/report.ts";
import { merge, settingsOf } from "../../local/settings.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { type Answer, ask, at, createWorkflow, type Entrance } from "../e2e/orcheo.ts";
import { problemsOf, times, workflow } from "./verdict.ts";

const spec = clusterSpec("faults", { api: 29443, registry: 29000, http: 29080, https: 29444 });
const report = consoleReport();
const toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi"], report);
const RUNS = 30;
const [onlyRelease, onlyPolicy] = process.argv.slice(2);

const stackOf = (release: string): string => `faults${release.replace(".", "")}`;
const kubectl = (namespace: string, ...args: string[]): Promise<string> =>
    run("kubectl", ["--namespace", namespace, ...args], {
        env: { ...process.env, ...clusterEnvironment(spec, toolchain, "dev") },
        timeoutSeconds: 300,
    });

/** One request; 0.46 limits them, and a server that was just killed answers nobody. */
async function answer(entrance: Entrance, method: string, path: string, body?: unknown): Promise<Answer> {
    for (const end = Date.now() + 120_000; ;) {
        const seen = await ask(entrance, method, path, body).catch(() => undefined);
        if (seen !== undefined && seen.status < 429) return seen;
        if (Date.now() > end) throw new Error(`${method} ${path}: status ${seen?.status ?? "none"}`);
        await sleep(2000);
    }
}

interface Case {
    readonly release: string;
    readonly policy: string;
}

async function measure({ release, policy }: Case): Promise<string> {
    const namespace = stackOf(release);
    const host = `${namespace}.localhost`;
    const settings = merge(settingsOf(readStackFile(committedFile("dev")), "dev"), {
        release,
        host,
        kubernetes: { namespace },
        images: { canvas: { source: { kind: "directory", path: join(projectDir, "tests", "canvas-app") } } },
        worker: { replicas: 2, concurrency: 5, lostRuns: policy, resources: { memoryLimitMiB: 3072 } },
    });
    const { bootstrapToken } = await deploy({ spec, toolchain, report, stack: "dev", settings });
    const env = { ...process.env, ...clusterEnvironment(spec, toolchain, "dev") };
    const token = await run("bash", ["-c", String(bootstrapToken)], { env });
    const entrance = { origin: `https://${host}:${spec.ports.https}`, caFile: clusterInfo(spec).caFile, token };
    const { id } = await createWorkflow(entrance, release, `faults-${policy}`, { script: workflow });
    const runs = Array.from({ length: RUNS }, () => ({ input_payload: {} }));
    const body = { workflow_id: id, actor: "faults", runs };
    const dispatched = (await answer(entrance, "POST", "/api/triggers/manual/dispatch", body)).body;
    const ids = (dispatched as readonly unknown[]).map((each) => String(at(each, "id")));
    const kill = (component: string, ...how: string[]): Promise<string> =>
        kubectl(namespace, "delete", "pods", "-l", `app.kubernetes.io/component=${component}`, "--wait=false", ...how);
    const now = ["--grace-period=0", "--force"];
    await sleep(15_000);
    const [first] = (await kubectl(namespace, "get", "pods", "-l", "app.kubernetes.io/component=worker", "-o", "name"))
        .trim()
        .split("\n");
    await kubectl(namespace, "delete", first ?? "", "--wait=false", ...now);
    await sleep(15_000);
    await kill("valkey", ...now);
    await sleep(15_000);
    await kill("postgres", ...now);
    await sleep(15_000);
    await kill("worker", ...now);
    const lastFault = Date.now();

    const state = async (runId: string): Promise<unknown> => (await answer(entrance, "GET", `/api/runs/${runId}`)).body;
    const ended = (one: unknown): boolean => ["succeeded", "failed", "cancelled"].includes(String(at(one, "status")));
    for (const end = lastFault + 900_000; Date.now() < end;) {
        await sleep(5000);
        const states: unknown[] = [];
        for (const runId of ids) states.push(await state(runId));
        if (states.every(ended)) break;
    }
    const seconds = Math.round((Date.now() - lastFault) / 1000);
    // Whoever lost a run and does not know it yet has time to spoil it.
    await sleep(60_000);
    const problems: string[] = [];
    const count = { succeeded: 0, failed: 0, restarted: 0, enqueued: 0 };
    for (const runId of ids) {
        const one = await state(runId);
        const history = (await answer(entrance, "GET", `/api/executions/${runId}/history`)).body;
        problems.push(...problemsOf(one, history).map((problem) => `run ${runId}: ${problem}`));
        if (at(one, "status") === "succeeded") count.succeeded++;
        if (at(one, "status") === "failed") count.failed++;
        count.restarted += times(one, "run_restarted");
        count.enqueued += times(one, "run_enqueued_again");
    }
    process.stdout.write(problems.map((problem) => `${problem}\n`).join(""));
    const cells = [release, policy, RUNS, count.succeeded, count.failed, count.restarted, count.enqueued, seconds];
    return `| ${[...cells, problems.length].join(" | ")} |`;
}

await stopCluster(spec, report, { deleteData: true });
const head = [
    "release",
    "lostRuns",
    "runs",
    "succeeded",
    "failed",
    "executed again",
    "sent again",
    "s to the last end",
];
const rows = [`| ${[...head, "problems"].join(" | ")} |`, `|${" --- |".repeat(head.length + 1)}`];
try {
    for (const release of ["0.33", "0.46"].filter((each) => each === (onlyRelease ?? each))) {
        for (const policy of ["fail", "restart"].filter((each) => each === (onlyPolicy ?? each))) {
            await startCluster(spec, toolchain, report);
            rows.push(await measure({ release, policy }));
        }
        // The database of a release is of no use to the other.
        await stopCluster(spec, report, { deleteData: true });
    }
} finally {
    await stopCluster(spec, report, { deleteData: true });
    process.stdout.write(`\n${rows.join("\n")}\n`);
}
process.exitCode = rows.slice(2).every((row) => row.endsWith("| 0 |")) ? 0 : 1;
