/** A pooler between a stack's pods and its database. */
import { expect } from "vitest";
import { run } from "../../../local/process.ts";
import { answerOf, createWorkflow, dispatch, ended, type Entrance } from "../orcheo.ts";
import { env, eventually, exec, NAMESPACE } from "./harness.ts";
import { answersDuring } from "./watching.ts";

export const pooler = { kind: "pgbouncer" };

async function podsOf(component: string, namespace: string): Promise<ReadonlyMap<string, string>> {
    const line = '{range .items[*]}{.status.podIP} {.metadata.name}{"\\n"}{end}';
    const selector = `app.kubernetes.io/component=${component}`;
    const args = ["--namespace", namespace, "get", "pods", "-l", selector, "-o", `jsonpath=${line}`];
    const lines = (await run("kubectl", args, { env })).trim().split("\n");
    return new Map(lines.map((text) => text.split(" ") as [string, string]));
}

/** Components of the stack that have connections to a database on the server of the dev stack. */
async function connectedTo(database: string, namespace: string): Promise<readonly string[]> {
    const sql = `select distinct host(client_addr) from pg_stat_activity where datname = '${database}' and usename = 'orcheo'`;
    const { output } = await exec("postgres-0", "psql", "-h", "/tmp", "-U", "postgres", "-Atc", sql);
    const poolers = await podsOf("pgbouncer", namespace);
    return output
        .trim()
        .split("\n")
        .map((address) => (poolers.has(address) ? "pgbouncer" : address));
}

/** Pods that started without it finish first. */
export async function expectOnlyPooled(database = "orcheo", namespace = NAMESPACE): Promise<void> {
    const look = () => connectedTo(database, namespace);
    const seen = await eventually(60, look, (found) => found.every((each) => each === "pgbouncer"));
    expect([...new Set(seen)]).toEqual(["pgbouncer"]);
}

/** One of its pods goes, while runs use it and a page is loaded. */
export async function losesPoolerPod(entrance: Entrance, namespace: string): Promise<void> {
    const workflow = await createWorkflow(entrance, "0.33", "e2e-pooler", 5);
    const runs = await Promise.all(Array.from({ length: 4 }, () => dispatch(entrance, workflow)));
    const [pod = ""] = (await podsOf("pgbouncer", namespace)).values();
    // It goes once no run uses it any more, which may take as long as the longest one.
    await run("kubectl", ["--namespace", namespace, "delete", "pod", pod, "--wait=false"], { env });
    const done = Promise.all(runs.map((each) => ended(entrance, each)));
    const statuses = await answersDuring(done, entrance, "/api/workflows");
    expect((await done).map(answerOf)).toEqual(runs.map(() => 42));
    expect(new Set(statuses)).toEqual(new Set([200]));
}
