/** The table of docs/reliability.md: one row for each release and policy. */
import type { Verdict } from "./verdict.ts";

export interface Measured {
    readonly date: string;
    readonly machine: string;
    readonly release: string;
    readonly policy: string;
    /** What was killed, in words. */
    readonly losses: readonly string[];
    readonly verdicts: readonly Verdict[];
    /** From the last loss to the last end; undefined when a run never ended. */
    readonly seconds: number | undefined;
}

const head = [
    ...["date", "machine", "release", "`lostRuns`", "runs", "losses", "succeeded", "failed: worker lost"],
    ...["failed: Orcheo's own error", "executed again", "sent again", "lost", "twice at a time", "other problems"],
    "s until all were final",
];

/** Every problem, so that none is left out of a sum. */
export const problemsIn = ({ verdicts }: Measured): number =>
    verdicts.reduce((sum, { problems }) => sum + problems.length, 0);

function row({ date, machine, release, policy, losses, verdicts, seconds }: Measured): (string | number)[] {
    const ended = (outcome: Verdict["outcome"]): number => verdicts.filter((each) => each.outcome === outcome).length;
    const sum = (of: (verdict: Verdict) => number): number => verdicts.reduce((total, each) => total + of(each), 0);
    const runsWith = (...kinds: string[]): number =>
        verdicts.filter(({ problems }) => problems.some(({ kind }) => kinds.includes(kind))).length;
    return [
        ...[date, machine, release, `\`${policy}\``, verdicts.length, losses.length],
        ...[ended("succeeded"), ended("worker lost"), ended("failed")],
        ...[sum(({ restarted }) => restarted), sum(({ enqueued }) => enqueued)],
        ...[runsWith("lost"), runsWith("twice"), runsWith("end", "text"), seconds ?? "never"],
    ];
}

/** One line when a case has ended, long before the table. */
export const summary = (measured: Measured): string =>
    row(measured)
        .map((cell, column) => `${head[column] ?? ""}: ${cell}`)
        .slice(2)
        .join(", ");

export const table = (measured: readonly Measured[]): string =>
    [head, head.map(() => "---"), ...measured.map(row)].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
