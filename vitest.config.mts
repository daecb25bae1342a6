import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { variablesOf } from "./local/cluster/spec.ts";
import { alertsCluster, endToEndClusters, fluxCluster, kindsCluster, logsCluster } from "./tests/e2e/clusters.ts";

/** So many files at once: each waits for its cluster much of the time. A third on two cores made all of them slower, and nothing sooner. */
const maxWorkers = 2;
/** Those of the longest files that run servers wait much of the time. 182 s became 159 s on two cores. */
const moreThanCores = Math.ceil(availableParallelism() * 1.5);
const standInCanvas = fileURLToPath(new URL("tests/canvas-app", import.meta.url));
/** Set by hand, a tree of Orcheo's own canvas: the same tests then meet that one. */
const canvasSource = process.env.ORCHEO_CANVAS_SOURCE ?? standInCanvas;
/** For Go programs, above all Pulumi's CLI: garbage collection runs less often and uses more memory, of which the tests have enough. */
const lessGarbageCollection = { GOGC: "400" };
/** Each file has its own cluster. */
const endToEnd = Object.entries(endToEndClusters).map(([file, spec]) => ({
    test: {
        name: `e2e-${spec.name}`,
        include: [`tests/e2e/${file}`],
        // The same front end whether its public repository can be reached or not.
        env: {
            ...variablesOf(spec),
            ORCHEO_CANVAS_SOURCE: canvasSource,
            ...lessGarbageCollection,
            // It kills its image builder, which is not to be the one that other clusters build with.
            ...(file === "10-cluster.test.ts" && { ORCHEO_BUILDER_DIR: join(spec.stateDir, "builder") }),
        },
        testTimeout: 900_000,
        hookTimeout: 3_600_000,
        maxWorkers,
    },
}));

/** Of a new checkout Vitest knows no durations: one of these would begin late and run alone at the end. */
const longest = [
    "20-platform",
    "30-neighbours",
    "aws",
    // Needs the processor while the one before it waits.
    "equal",
    "backend-metrics",
    "unsafe",
    "json-log",
    "pgbouncer-start",
    "backend-start",
];

class LongestFirst extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
        const rank = ({ moduleId }: TestSpecification): number => {
            const place = longest.indexOf(basename(moduleId, ".test.ts"));
            return place === -1 ? longest.length : place;
        };
        return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
    }
}

export default defineConfig({
    test: {
        sequence: { sequencer: LongestFirst },
        reporters: ["default", "tests/failures-last.ts"],
        projects: [
            {
                test: {
                    name: "unit",
                    include: ["tests/{unit,local,tools}/**/*.test.ts"],
                    testTimeout: 120_000,
                    maxWorkers: moreThanCores,
                },
            },
            {
                test: {
                    name: "policy",
                    include: ["tests/policy/**/*.test.ts"],
                    testTimeout: 300_000,
                    maxWorkers: moreThanCores,
                },
            },
            {
                test: {
                    name: "verdicts",
                    include: ["tests/verdicts/*.test.ts"],
                    globalSetup: "tests/verdicts/cluster.ts",
                    setupFiles: "tests/verdicts/wait.ts",
                    env: lessGarbageCollection,
                    testTimeout: 300_000,
                    hookTimeout: 3_600_000,
                    maxWorkers,
                },
            },
            {
                test: {
                    name: "aws",
                    include: ["tests/verdicts/aws/*.test.ts"],
                    globalSetup: "tests/verdicts/aws/setup.ts",
                    // All lives at once: each waits for the provider, which asks an account again after ten seconds.
                    maxConcurrency: 10,
                    maxWorkers: 1,
                    sequence: { groupOrder: 1 },
                    testTimeout: 1_800_000,
                    hookTimeout: 3_600_000,
                },
            },
            {
                test: {
                    name: "aws-policies",
                    include: ["tests/verdicts/aws/asked/*.test.ts"],
                    maxWorkers: 1,
                    // After the project aws.
                    sequence: { groupOrder: 2 },
                },
            },
            {
                test: {
                    name: "compose",
                    include: ["tests/compose/**/*.test.ts"],
                    globalSetup: "tests/compose/setup.ts",
                    // Both files publish the same ports.
                    fileParallelism: false,
                    testTimeout: 900_000,
                    hookTimeout: 3_600_000,
                },
            },
            {
                test: {
                    name: "publish",
                    include: ["tests/publish/**/*.test.ts"],
                    testTimeout: 300_000,
                    hookTimeout: 3_600_000,
                },
            },
            {
                test: {
                    name: "workflows",
                    include: ["tests/workflows/**/*.test.ts"],
                    testTimeout: 300_000,
                    hookTimeout: 1_800_000,
                },
            },
            {
                test: {
                    name: "alerts",
                    include: ["tests/alerts/**/*.test.ts"],
                    testTimeout: 300_000,
                    hookTimeout: 900_000,
                },
            },
            {
                test: {
                    name: "alerts-on-cluster",
                    include: ["tests/e2e/{alerts,monitoring}-on-cluster.test.ts"],
                    env: { ...variablesOf(alertsCluster), ORCHEO_CANVAS_SOURCE: canvasSource },
                    // One cluster after the other.
                    fileParallelism: false,
                    testTimeout: 1_800_000,
                    hookTimeout: 3_600_000,
                },
            },
            {
                test: {
                    name: "monitoring-kinds",
                    include: ["tests/e2e/monitoring-kinds.test.ts"],
                    env: { ...variablesOf(kindsCluster), ORCHEO_CANVAS_SOURCE: canvasSource },
                    // After the project alerts-on-cluster.
                    sequence: { groupOrder: 1 },
                    maxWorkers: 1,
                    testTimeout: 900_000,
                    hookTimeout: 3_600_000,
                },
            },
            {
                test: {
                    name: "logs-on-cluster",
                    include: ["tests/e2e/logs-on-cluster.test.ts"],
                    env: { ...variablesOf(logsCluster), ORCHEO_CANVAS_SOURCE: canvasSource },
                    testTimeout: 600_000,
                    hookTimeout: 3_600_000,
                },
            },
            {
                test: {
                    name: "flux",
                    include: ["tests/e2e/flux.test.ts"],
                    env: { ...variablesOf(fluxCluster), ORCHEO_CANVAS_SOURCE: canvasSource, ...lessGarbageCollection },
                    testTimeout: 900_000,
                    hookTimeout: 3_600_000,
                },
            },
            {
                test: {
                    name: "browser",
                    include: ["tests/browser/**/*.test.ts"],
                    testTimeout: 900_000,
                    hookTimeout: 3_600_000,
                },
            },
            ...endToEnd,
        ],
    },
});
