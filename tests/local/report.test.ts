import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { consoleReport } from "../../local/report.ts";

beforeEach(() => {
    vi.useFakeTimers();
});
afterEach(() => {
    vi.useRealTimers();
});

const outputOf = (terminal: boolean) => {
    let text = "";
    return { output: { terminal, columns: 60, write: (part: string) => void (text += part) }, text: () => text };
};
const later = <T>(seconds: number, value: T): Promise<T> =>
    new Promise((done) => setTimeout(done, seconds * 1000, value));

test("elsewhere than on a terminal a step is one line, with its time and its log", async () => {
    const { output, text } = outputOf(false);
    const report = consoleReport(output);
    const step = report.step("build etcd 3.6.16", "/cache/logs/etcd.log", () => later(42.5, "built"));
    await vi.advanceTimersByTimeAsync(43_000);
    expect(await step).toBe("built");
    expect(text()).toBe("[00:43] build etcd 3.6.16: done in 42.5 s (log: /cache/logs/etcd.log)\n");
    expect(report.steps).toEqual([{ name: "build etcd 3.6.16", seconds: 42.5 }]);
});

test("once a minute one line names everything that runs, and how far it is", async () => {
    const { output, text } = outputOf(false);
    const report = consoleReport(output);
    const steps = [
        report.step("build a", undefined, () => later(130, 1)),
        report.step("pulumi up", undefined, async (progress) => {
            progress?.("update: 45 resources done");
            await later(70, 2);
        }),
    ];
    await vi.advanceTimersByTimeAsync(140_000);
    await Promise.all(steps);
    expect(text().split("\n")).toEqual([
        "[01:00] running: build a (60 s), pulumi up (update: 45 resources done, 60 s)",
        "[01:10] pulumi up: done in 70.0 s",
        "[02:00] running: build a (120 s)",
        "[02:10] build a: done in 130.0 s",
        "",
    ]);
    // Nothing runs any more: no timer keeps the process alive.
    expect(vi.getTimerCount()).toBe(0);
});

test("a step that fails says so and throws what it threw", async () => {
    const { output, text } = outputOf(false);
    const step = consoleReport(output).step("build a", "/log", async () => {
        await later(3, 0);
        throw new Error("no compiler");
    });
    const failure = expect(step).rejects.toThrow("no compiler");
    await vi.advanceTimersByTimeAsync(3000);
    await failure;
    expect(text()).toBe("[00:03] build a: FAILED after 3.0 s (log: /log)\n");
});

test("a terminal has one last line that changes, never longer than the terminal is wide", async () => {
    const { output, text } = outputOf(true);
    const report = consoleReport(output);
    const steps = ["build one", "build another one with a long name", "build a third one"].map((name) =>
        report.step(name, undefined, () => later(3, 0)),
    );
    await vi.advanceTimersByTimeAsync(2000);
    const [, ...shown] = text().split("\r\u001b[2K");
    expect(shown.at(-1)).toBe("[00:02] build one (2 s), build another one with a long name (2 s)".slice(0, 59));
    expect(shown.filter((line) => line.includes("\n"))).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    await Promise.all(steps);
    expect(text().endsWith("\r\u001b[2K[00:03] build a third one: done in 3.0 s\n")).toBe(true);
});
