/** Settings whose pods would need more connections than the database grants are refused, with the numbers. */
import { describe, expect, it } from "vitest";
import { connectionsAtPeak } from "../../../components/config/connections";
import type { Stack } from "../../../components/config/schema";
import { planClients } from "../../../components/database/pgbouncer.plan";
import { rdsConnections } from "../../../components/database/database.plan";
import { parseStack } from "../../../components/stack/read";
import { settingsOf } from "../../harness";
import { variants } from "../../variants";

type Settings = Record<string, unknown>;
const [dev, prod] = [settingsOf("dev"), settingsOf("prod")];
const more = (base: Settings, key: string, value: object): Settings => ({
    ...base,
    [key]: { ...(base[key] as object | undefined), ...value },
});
const problemsOf = (settings: Settings) =>
    parseStack({ stack: "x", keys: [], json: JSON.stringify(settings), secret: false }).problems;
function stackOf(settings: Settings = {}): Stack {
    const json = JSON.stringify({ ...dev, ...settings });
    const { stack, problems } = parseStack({ stack: "x", keys: [], json, secret: false });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

const own = (maxConnections: number): Settings => more(dev, "database", { kind: "statefulset", maxConnections });
const theirs = (settings: object): Settings =>
    more(dev, "database", { kind: "external", url: { kind: "secret", name: "db" }, ...settings });

describe("connections at the peak", () => {
    const total = (settings: Settings): number => connectionsAtPeak(stackOf(settings)).total;

    it("counts the pods of a rollout, with the pools of each process", () => {
        expect(connectionsAtPeak(stackOf({})).parts).toEqual([
            "api 6 x 22",
            "worker 3 x 20",
            "beat 1",
            "init 12",
            "lost runs 4",
            "backup 2",
            "superusers 3",
            "people 3",
        ]);
        expect(total({})).toBe(6 * 22 + 3 * 20 + 1 + 12 + 2 + 4 + 3 + 3);
    });

    it("grows with each setting that adds pods, processes or connections; the newer release has more stores and fewer connections for a run", () => {
        const grown: readonly [Settings, number][] = [
            [{ api: { scaling: { maxReplicas: 5 } } }, 22],
            [{ worker: { replicas: 2 } }, 2 * 20],
            [{ worker: { concurrency: 3 } }, 3 * 9],
            [{ api: { extraEnv: { ORCHEO_POSTGRES_POOL_MAX_SIZE: "12" } } }, 6 * 2],
            [{ api: { extraEnv: { ORCHEO_POSTGRES_POOL_MAX_SIZE: "4" } } }, 0],
            [{ api: { extraEnv: { ORCHEO_POSTGRES_POOL_MAX_SIZE: "many" } } }, 0],
        ];
        for (const [settings, by] of grown) expect(total(settings) - total({})).toBe(by);
        // Twelve stores instead of six, and two connections of a run instead of five.
        const newer = connectionsAtPeak({ ...stackOf({}), release: "0.46" });
        expect(newer.parts.slice(0, 2)).toEqual(["api 6 x 25", "worker 3 x 14"]);
    });
});

describe("a pooler", () => {
    const pooled = (settings: object = {}): Settings => ({
        database: { kind: "statefulset", pooler: { kind: "pgbouncer", ...settings } },
    });

    it("bounds the connections to PostgreSQL, whatever connects to it", () => {
        const parts = ["pooler 4 x 20", "backup 2", "superusers 3", "people 3"];
        for (const more of [{}, { worker: { replicas: 6 } }, { api: { scaling: { maxReplicas: 50 } } }])
            expect(connectionsAtPeak(stackOf({ ...pooled(), ...more }))).toEqual({ parts, total: 88 });
        const larger = connectionsAtPeak(stackOf(pooled({ replicas: 3, connectionsPerReplica: 30 })));
        expect(larger.parts[0]).toBe("pooler 6 x 30");
    });

    it("that is no longer used adds none: each pod counts once", () => {
        expect(connectionsAtPeak(stackOf(pooled({ used: false })))).toEqual(connectionsAtPeak(stackOf({})));
    });

    it("restarts no PostgreSQL of the stack's own when it comes or goes", () => {
        const sizes = [{}, pooled(), pooled({ used: false })].map((settings) => stackOf(settings).database);
        for (const each of sizes) expect(each).toMatchObject({ maxConnections: 256, memoryMiB: 512 });
    });

    it("lets each replica serve every pod", () => {
        expect(planClients(stackOf(pooled()))).toBe(256);
        expect(planClients(stackOf({ ...pooled(), worker: { replicas: 6 } }))).toBe(512);
    });

    it.each<[string, object, string | undefined]>([
        ["fits", { maxConnections: 88 }, undefined],
        [
            "does not fit",
            { maxConnections: 87 },
            "accepted: at least 88, the connections at the peak (pooler 4 x 20, backup 2, superusers 3, people 3); or fewer of database.pooler.connectionsPerReplica or database.pooler.replicas",
        ],
    ])("%s", (_, more, remedy) => {
        const { database } = pooled();
        const problems = problemsOf({ ...dev, database: { ...(database as object), ...more } });
        expect(problems).toEqual(
            remedy === undefined ? [] : [{ at: "orcheo:stack.database.maxConnections", found: "found 87", remedy }],
        );
    });
});

describe("a server that grants fewer", () => {
    const need = connectionsAtPeak(stackOf({})).total;

    it.each<[string, Settings, ...string[]]>([
        ["as many as needed", own(need)],
        ["one fewer", own(need - 1), "database.maxConnections"],
        ["another's server that says nothing", theirs({})],
        ["another's server with as many as needed", theirs({ maxConnections: need })],
        ["another's server with one fewer", theirs({ maxConnections: need - 1 }), "database.maxConnections"],
        ["the default", dev],
        ["the default with more workers", more(dev, "worker", { replicas: 6 })],
        ["memory for as many as needed", more(dev, "database", { kind: "statefulset", memoryMiB: 2 * need })],
        [
            "memory for fewer",
            more(dev, "database", { kind: "statefulset", memoryMiB: 2 * need - 1 }),
            "database.memoryMiB",
        ],
        ["production", prod],
        ["a small class", more(prod, "database", { instanceClass: "db.t4g.small" }), "database.instanceClass"],
        ["a class of unknown memory", more(prod, "database", { instanceClass: "db.new1.large" })],
    ])("%s", (_, settings, ...keys) => {
        expect(problemsOf(settings).map(({ at }) => at)).toEqual(keys.map((key) => `orcheo:stack.${key}`));
    });

    it("is refused with the need, its parts, and the memory that goes with it", () => {
        const [problem] = problemsOf({ ...own(100), worker: { replicas: 6 } });
        expect(problem).toEqual({
            at: "orcheo:stack.database.maxConnections",
            found: "found 100",
            remedy:
                "accepted: at least 417 with memoryMiB at least 834, the connections at the peak (api 6 x 22, worker 13 x 20, " +
                "beat 1, init 12, lost runs 4, backup 2, superusers 3, people 3); or fewer of api.scaling.maxReplicas, " +
                "worker.replicas or worker.concurrency",
        });
    });

    it("is none in any configuration that the tests deploy", () => {
        for (const settings of Object.values(variants))
            expect(
                problemsOf({ ...dev, ...settings }).filter(({ at }) => /Connections|instanceClass/.test(at)),
            ).toEqual([]);
    });
});

describe("the stack's own PostgreSQL", () => {
    it.each<[string, Settings, number, number]>([
        ["the defaults", {}, 256, 512],
        ["more workers: steps of 64, and memory for them", { worker: { replicas: 6 } }, 448, 896],
        ["memory that was written", { database: { kind: "statefulset", memoryMiB: 480 } }, 240, 480],
        ["connections that were written", { database: { kind: "statefulset", maxConnections: 250 } }, 250, 512],
    ])("%s", (_, settings, maxConnections, memoryMiB) => {
        expect(stackOf(settings).database).toMatchObject({ maxConnections, memoryMiB });
    });
});

describe("connections of an RDS class", () => {
    it.each<[string, number | undefined]>([
        ["db.t4g.micro", 101],
        ["db.t4g.medium", 405],
        ["db.m7g.large", 811],
        ["db.m6gd.2xlarge", 3244],
        ["db.r6g.large", 1622],
        ["db.r6g.16xlarge", 5000],
        ["db.x2g.large", 3244],
        ["db.x9.large", undefined],
        ["db.r6g.medium", undefined],
        ["db.serverless", undefined],
    ])("%s: %s", (name, connections) => {
        expect(rdsConnections(name)).toBe(connections);
    });
});
