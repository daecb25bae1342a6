/**
 * Service levels, and the alerts when their error budget is used up too fast: over a long window, so that a short
 * disturbance stays silent, and over a short one, so that the alert ends soon after its cause.
 *
 * @see https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
 */
import { canvasLevels, type Scraped } from "../config/schema.monitoring";
import type { Probed } from "../config/schema.notifications";
import type { RecordingRule } from "../kubernetes/prometheus-rule.types";
import type { Alert, Severity } from "./alert.plan";
import { canvasAnswers, canvasProbes } from "./outside.plan";

/** `factor` times the pace at which a budget lasts 30 days: 14.4 uses up 2 % of it in an hour. */
interface Pace {
    readonly severity: Severity;
    readonly factor: number;
    readonly long: string;
    readonly short: string;
}

const paces: readonly Pace[] = [
    { severity: "critical", factor: 14.4, long: "1h", short: "5m" },
    { severity: "critical", factor: 6, long: "6h", short: "30m" },
    { severity: "warning", factor: 3, long: "1d", short: "2h" },
    { severity: "warning", factor: 1, long: "3d", short: "6h" },
];

/** With fewer requests in the long window a single error would be an incident. */
const leastRequests = 20;

interface Level {
    readonly name: string;
    /** Share of what went wrong in a window. */
    readonly ratio: (window: string) => string;
    readonly objectivePercent: number;
    /** Whether there was enough in a window to say something. */
    readonly enough?: (window: string) => string;
    readonly alert: string;
    readonly page: string;
    readonly summary: string;
}

export type LevelSettings = Pick<Scraped, "serviceLevels"> & { readonly probe?: Probed | undefined };

export const canvasLevelsOf = ({
    canvasPercent = canvasLevels.canvasPercent,
    canvasLatencyPercent = canvasLevels.canvasLatencyPercent,
    canvasLatencySeconds = canvasLevels.canvasLatencySeconds,
}: LevelSettings["serviceLevels"]): Record<keyof typeof canvasLevels, number> => ({
    canvasPercent,
    canvasLatencyPercent,
    canvasLatencySeconds,
});

function levelsOf({ serviceLevels, probe }: LevelSettings, namespace: string): readonly Level[] {
    const own = `namespace="${namespace}"`;
    const { availabilityPercent, latencyPercent, latencySeconds } = serviceLevels;
    const { websocketPercent, websocketLatencyPercent, websocketLatencySeconds } = serviceLevels;
    const { runStartPercent, runStartSeconds } = serviceLevels;
    const { canvasPercent, canvasLatencyPercent, canvasLatencySeconds } = canvasLevelsOf(serviceLevels);
    const requests = `orcheo_http_requests_total{${own}}`;
    // Refused ones are their callers' matter.
    const websockets = `orcheo_websockets_total{${own},outcome!="refused"}`;
    const enough = (counted: string) => (window: string) => `sum(increase(${counted}[${window}])) >= ${leastRequests}`;
    // Prometheus records 0 / 0 as NaN, which stays in every average. Hours without requests leave the budget as it is.
    const some = (counted: string, window: string) => `(sum(rate(${counted}[${window}])) > 0)`;
    // Before the first error there is no series of errors: hours without one are part of the average, too.
    const none = (errors: string) => `(${errors} or vector(0))`;
    // Prometheus 3 writes 1.0 where others write 1.
    const bound = (seconds: number) => (Number.isInteger(seconds) ? `=~"${seconds}(\\\\.0)?"` : `="${seconds}"`);
    const slower = (histogram: string, seconds: number) => (window: string) =>
        `1 - sum(rate(${histogram}_bucket{${own},le${bound(seconds)}}[${window}])) / ${some(`${histogram}_count{${own}}`, window)}`;
    const opening = "orcheo_websocket_opening_seconds";
    return [
        {
            name: "api_errors",
            ratio: (window) =>
                `${none(`sum(rate(orcheo_http_requests_total{${own},status="5xx"}[${window}]))`)} / ${some(requests, window)}`,
            objectivePercent: availabilityPercent,
            enough: enough(requests),
            alert: "OrcheoApiErrors",
            page: "alert-api.md",
            summary: `The API answers more requests with errors than ${availabilityPercent} % availability allows.`,
        },
        {
            name: "api_slow",
            ratio: slower("orcheo_http_request_duration_seconds", latencySeconds),
            objectivePercent: latencyPercent,
            enough: enough(requests),
            alert: "OrcheoApiSlow",
            page: "alert-api.md",
            summary: `More than ${rest(latencyPercent)} % of the API's answers take longer than ${latencySeconds} seconds to begin.`,
        },
        {
            name: "websockets_failed",
            ratio: (window) =>
                `${none(`sum(rate(orcheo_websockets_total{${own},outcome="failed"}[${window}]))`)} / ${some(websockets, window)}`,
            objectivePercent: websocketPercent,
            enough: enough(websockets),
            alert: "OrcheoWebSocketsFail",
            page: "alert-api.md",
            summary: `The API fails more WebSockets than an objective of ${websocketPercent} % allows.`,
        },
        {
            name: "websockets_slow",
            ratio: slower(opening, websocketLatencySeconds),
            objectivePercent: websocketLatencyPercent,
            enough: enough(`${opening}_count{${own}}`),
            alert: "OrcheoWebSocketsSlow",
            page: "alert-api.md",
            summary: `More than ${rest(websocketLatencyPercent)} % of the WebSockets take longer than ${websocketLatencySeconds} seconds to open.`,
        },
        {
            name: "runs_late",
            ratio: (window) => `avg_over_time(orcheo:runs_late{${own}}[${window}])`,
            objectivePercent: runStartPercent,
            alert: "OrcheoRunsStartLate",
            page: "alert-runs.md",
            summary: `Dispatched runs wait longer than ${runStartSeconds} seconds for a worker.`,
        },
        // nginx counts nothing while its pod is down, so the probes from outside are the only source.
        ...(probe === undefined
            ? []
            : [
                  {
                      name: "canvas_away",
                      ratio: (window: string) => `1 - min(avg_over_time(${canvasProbes(namespace)}[${window}]))`,
                      objectivePercent: canvasPercent,
                      alert: "OrcheoCanvasUnavailable",
                      page: "alert-outside.md",
                      summary: `The canvas cannot be reached from outside for longer than ${canvasPercent} % availability allows.`,
                  },
                  {
                      name: "canvas_slow",
                      ratio: (window: string) => `avg_over_time(orcheo:canvas_slow{${own}}[${window}])`,
                      objectivePercent: canvasLatencyPercent,
                      alert: "OrcheoCanvasSlow",
                      page: "alert-outside.md",
                      summary: `In more than ${rest(canvasLatencyPercent)} % of the time the canvas takes longer than ${canvasLatencySeconds} seconds to answer from outside.`,
                  },
              ]),
    ];
}

/** 100 - 99.9 is 0.0999… */
const rest = (percent: number): number => Number((100 - percent).toPrecision(4));

/** The ratios by window, recorded once for all alerts and dashboards. */
export function planLevelRecords(scraped: LevelSettings, namespace: string): RecordingRule[] {
    const labels = { namespace };
    const { runStartSeconds } = scraped.serviceLevels;
    const oldest = `max(orcheo_runs_oldest_waiting_seconds{namespace="${namespace}"})`;
    const slowCanvas = `max(${canvasAnswers(namespace)}) > bool ${canvasLevelsOf(scraped.serviceLevels).canvasLatencySeconds}`;
    const windows = [...new Set(paces.flatMap(({ long, short }) => [short, long]))];
    return [
        { record: "orcheo:runs_late", expr: `${oldest} > bool ${runStartSeconds}`, labels },
        ...(scraped.probe === undefined ? [] : [{ record: "orcheo:canvas_slow", expr: slowCanvas, labels }]),
        ...levelsOf(scraped, namespace).flatMap(({ name, ratio }) =>
            windows.map((window) => ({ record: recordOf(name, window), expr: ratio(window), labels })),
        ),
    ];
}

const recordOf = (level: string, window: string): string => `orcheo:${level}:ratio_rate${window}`;

export function planLevelAlerts(scraped: LevelSettings, namespace: string): Alert[] {
    return levelsOf(scraped, namespace).flatMap((level) =>
        (["critical", "warning"] as const).map((severity) => ({
            name: level.alert,
            severity,
            page: level.page,
            summary: level.summary,
            expr: paces
                .filter((pace) => pace.severity === severity)
                .map((pace) => burning(level, pace, namespace))
                .join(" or "),
        })),
    );
}

function burning({ name, objectivePercent, enough }: Level, { factor, long, short }: Pace, namespace: string): string {
    // 14.4 times a budget of more than 7 % would be more than everything.
    const limit = Math.min(0.99, (factor * (100 - objectivePercent)) / 100).toPrecision(4);
    const over = (window: string) => `${recordOf(name, window)}{namespace="${namespace}"} > ${Number(limit)}`;
    return `(${[over(long), over(short)].join(" and ")}${enough === undefined ? "" : ` and on() ${enough(long)}`})`;
}
