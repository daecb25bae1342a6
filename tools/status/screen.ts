/** The status as one screen of text. */
import type { Status } from "./status.plan.ts";
import { duration, secondsSince, type Runs } from "./reading.ts";

const width = 15;

export function screen(status: Status, now: string): string {
    const row = (title: string, ...lines: readonly string[]): string[] =>
        lines.map((line, index) => `${(index === 0 ? title : "").padEnd(width)}${line}`);
    const { problems, warnings, notRead, versions, runs, workloads } = status;
    const verdict = status.healthy
        ? "healthy"
        : `NOT HEALTHY: ${problems.length} problem${problems.length > 1 ? "s" : ""}`;
    const names = Math.max(...workloads.map(({ name }) => name.length), 0);
    return [
        `Orcheo in the namespace ${status.namespace} of ${status.context}: ${verdict}`,
        ...problems.map((text) => `  problem: ${text}`),
        ...warnings.map((text) => `  warning: ${text}`),
        ...notRead.map((text) => `  not known: ${text}`),
        "",
        ...row("URL", ...urlLines(status)),
        ...row("sign-in", status.signIn),
        ...row(
            "versions",
            [
                versions.orcheo === undefined ? "Orcheo unknown" : `Orcheo ${versions.orcheo}`,
                ...(versions.deployment === undefined ? [] : [`deployment ${versions.deployment}`]),
                `Kubernetes ${versions.kubernetes}`,
            ].join(", "),
        ),
        ...row(
            "replicas",
            ...workloads.map(
                ({ name, ready, wanted, image }) => `${name.padEnd(names)}  ${ready}/${wanted} ready  ${image}`,
            ),
        ),
        ...row("database", status.initialized ?? "nothing is known of its initialization"),
        ...row("runs", runs === undefined ? "unknown" : runsLine(runs)),
        ...row("last backup", backupLine(status, now)),
        ...row(
            "certificates",
            status.certificates.length === 0
                ? "unknown"
                : status.certificates
                      .map(({ name, daysLeft, ready }) => `${name} ${daysLeft ?? "?"} days${ready ? "" : " NOT READY"}`)
                      .join(", "),
        ),
        ...row("restarts", ...restartLines(status, now)),
        ...row("alerts", alertsLine(status)),
        ...row("logs", `${status.logs} (NAME: one of the above)`),
        "",
    ].join("\n");
}

/** Those that fire are problems and warnings, and stand above. */
function alertsLine({ alerts }: Status): string {
    if (alerts === undefined) return "not known (--alerts names Alertmanager, Prometheus or vmalert)";
    if (alerts.length === 0) return "none fires";
    const severities = [...new Set(alerts.map(({ severity }) => severity))];
    return severities.map((each) => `${alerts.filter(({ severity }) => severity === each).length} ${each}`).join(", ");
}

function runsLine(runs: Runs): string {
    const { waiting, running, succeededLastHour, failedLastHour, settledLastHour = 0, oldestWaitingSeconds } = runs;
    const oldest = oldestWaitingSeconds === null ? "" : ` (the oldest for ${duration(oldestWaitingSeconds)})`;
    const settled = settledLastHour === 0 ? "" : `; ${settledLastHour} settled by the reconciler`;
    return `${waiting} waiting${oldest}, ${running} running; in the last hour ${succeededLastHour} succeeded, ${failedLastHour} failed${settled}`;
}

function urlLines({ url, answers }: Status): readonly string[] {
    if (url === undefined) return ["unknown: the API's environment names none"];
    const each = answers.map(({ path, status, error }) => `${path} ${status ?? error ?? "?"}`);
    const verified = answers.some((answer) => answer.verified === true);
    if (each.length === 0) return [`${url} (not asked)`];
    return [`${url}  ${each.join(", ")}${verified ? ", certificate verified" : ""}`];
}

function backupLine({ backup }: Status, now: string): string {
    if (backup === undefined) return "this stack makes no dumps (backup.kind)";
    const { lastSuccess, bytes, lastResult, schedule } = backup;
    const age = secondsSince(lastSuccess, now);
    const last =
        lastSuccess === undefined || age === undefined
            ? "none succeeded yet"
            : `${lastSuccess}, ${duration(age)} ago${bytes === undefined ? "" : `, ${size(bytes)}`}`;
    return `${last}; latest: ${lastResult}; schedule ${schedule} UTC`;
}

function size(bytes: number): string {
    if (bytes < 1024) return `${bytes} bytes`;
    const [value, unit] = bytes < 1024 ** 3 ? [bytes / 1024 ** 2, "MiB"] : [bytes / 1024 ** 3, "GiB"];
    return value < 1 ? `${Math.round(bytes / 1024)} KiB` : `${value.toFixed(1)} ${unit}`;
}

function restartLines({ restarts }: Status, now: string): readonly string[] {
    if (restarts.length === 0) return ["none"];
    return restarts.flatMap(({ pod, container, count, waiting, last, at, lines }) => {
        const age = secondsSince(at, now);
        const when = age === undefined ? "" : `, ${duration(age)} ago`;
        return [
            `${pod} ${container} x${count}: ${last}${when}${waiting === undefined ? "" : `; now ${waiting}`}`,
            ...lines.map((line) => `  | ${line.slice(0, 160)}`),
        ];
    });
}
