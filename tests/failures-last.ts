/** Says once more, after everything else, which tests failed: whoever sees only the end of a log needs no more of it. */
import type { Reporter, TestCase, TestModule } from "vitest/node";

export default class FailuresLast implements Reporter {
    onTestRunEnd(modules: readonly TestModule[]): void {
        for (const module of modules) {
            for (const failed of module.children.allTests("failed")) console.error(lineOf(failed));
            for (const suite of [module, ...module.children.allSuites()])
                for (const { message } of suite.errors())
                    console.error(`failed: ${module.relativeModuleId}: ${first(message)}`);
        }
    }
}

const lineOf = (test: TestCase): string =>
    `failed: ${test.module.relativeModuleId} > ${test.fullName}: ${first(test.result().errors?.[0]?.message ?? "")}`;

const first = (message: string): string => message.split("\n", 1)[0] ?? "";
