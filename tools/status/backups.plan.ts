/** The last backup: when, how large, how it ended. */
import { Cron } from "croner";
import { lastLines } from "../../components/watch/log-lines.plan.ts";
import { at, componentOf, condition, secondsSince, textAt, type Reading } from "./reading.ts";
import type { Findings } from "./pods.plan.ts";

export interface Backup {
    readonly schedule: string;
    readonly suspended: boolean;
    /** ISO date and time; undefined before the first success. */
    readonly lastSuccess?: string;
    readonly lastResult: "succeeded" | "failed" | "running" | "none yet";
    readonly bytes?: number;
    /** Last lines of a failed one. */
    readonly lines: readonly string[];
}

/** Two runs of the schedule may be missed before it counts: one can be late, or run right now. */
const missedRuns = 2;

/** Undefined when the stack makes no dumps. */
export function backupOf({ cronJobs, jobs, pods, tails }: Reading): Backup | undefined {
    const cronJob = cronJobs.find((each) => componentOf(each) === "backup");
    if (cronJob === undefined) return undefined;
    const own = jobs
        .filter((job) => componentOf(job) === "backup" || job.metadata.name.startsWith(`${cronJob.metadata.name}-`))
        .sort((a, b) => ((startOf(a) ?? "") < (startOf(b) ?? "") ? 1 : -1));
    const [last] = own;
    const ended = (type: string): boolean => last !== undefined && at(condition(last, type), "status") === "True";
    const names = pods
        .filter((pod) => pod.metadata.labels?.["job-name"] === last?.metadata.name)
        .map((pod) => pod.metadata.name);
    const lines = tails.find(({ pod }) => names.includes(pod))?.lines ?? [];
    const failed = ended("Failed");
    return {
        schedule: textAt(cronJob, "spec", "schedule") ?? "",
        suspended: at(cronJob, "spec", "suspend") === true,
        lastSuccess: textAt(cronJob, "status", "lastSuccessfulTime"),
        lastResult: last === undefined ? "none yet" : failed ? "failed" : ended("Complete") ? "succeeded" : "running",
        bytes: bytesIn(lines),
        lines: failed ? lastLines(lines.join("\n")).slice(-3) : [],
    };
}

const startOf = (job: unknown): string | undefined =>
    textAt(job, "status", "startTime") ?? textAt(job, "metadata", "creationTimestamp");

/** Size of the dump, as the backup's last line has it. */
function bytesIn(lines: readonly string[]): number | undefined {
    for (const line of lines) {
        try {
            const bytes = at(JSON.parse(line), "bytes");
            if (typeof bytes === "number") return bytes;
        } catch {
            // Not every line is JSON.
        }
    }
    return undefined;
}

export function backupFindings(backup: Backup | undefined, createdAt: string | undefined, now: string): Findings {
    if (backup === undefined) return { problems: [], warnings: [] };
    if (backup.suspended) return { problems: [], warnings: ["backups are suspended"] };
    if (backup.lastResult === "failed")
        return { problems: [`the last backup failed: ${backup.lines.at(-1) ?? "see its log"}`], warnings: [] };
    const since = backup.lastSuccess ?? createdAt;
    const due = since === undefined ? undefined : dueAfter(backup.schedule, since);
    if (due === undefined || (secondsSince(due, now) ?? 0) <= 0) return { problems: [], warnings: [] };
    const last =
        backup.lastSuccess === undefined ? "there is no backup yet" : `the last backup is of ${backup.lastSuccess}`;
    return {
        problems: [`${last}, and ${missedRuns} runs of the schedule "${backup.schedule}" are over`],
        warnings: [],
    };
}

/** When the second run of the schedule after `time` should have begun; undefined when the schedule cannot be read. */
function dueAfter(schedule: string, time: string): string | undefined {
    try {
        return new Cron(schedule, { timezone: "UTC", paused: true })
            .nextRuns(missedRuns, new Date(time))
            .at(-1)
            ?.toISOString();
    } catch {
        return undefined;
    }
}
