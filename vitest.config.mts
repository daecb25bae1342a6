import { defineConfig } from "vitest/config";

export default defineConfig({
    test: {
        projects: [
            { test: { name: "unit", include: ["tests/{unit,local}/**/*.test.ts"], testTimeout: 60_000 } },
            { test: { name: "policy", include: ["tests/policy/**/*.test.ts"], testTimeout: 300_000 } },
            // Needs pulumi and kubectl on the PATH, and KUBECONFIG.
            { test: { name: "verdicts", include: ["tests/verdicts/**/*.test.ts"], testTimeout: 300_000 } },
            {
                test: {
                    name: "e2e",
                    include: ["tests/e2e/**/*.test.ts"],
                    testTimeout: 900_000,
                    hookTimeout: 3_600_000,
                    // One cluster, one story: files run in the order of their numbers.
                    fileParallelism: false,
                    sequence: { shuffle: false },
                    bail: 0,
                },
            },
        ],
    },
});
