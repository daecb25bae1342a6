/** One story: a fault, the alerts that it raises, what their pages say, and their resolution. */
import { pathsOf } from "../../../local/cluster/spec.ts";
import { attempt, env, spec } from "../platform/harness.ts";
import type { Monitors } from "./monitors.ts";
import type { Arrived } from "./receiver.ts";
import { filledIn, type Section, sectionOf } from "./section.ts";
import type { AlertName } from "./faults.ts";

export interface Story {
    /** In the order in which their pages are followed. */
    readonly alerts: readonly AlertName[];
    readonly cause: () => Promise<void>;
    /** What the pages say in words; nothing when their commands or the time do it. */
    readonly remedy?: () => Promise<void>;
    /** Commands of these pages from this block on are for the time after the remedy. */
    readonly after?: Readonly<Partial<Record<AlertName, number>>>;
    /** Seconds that the alerts may take to fire, and to be resolved. */
    readonly within?: number;
}

/** What a story needs of them. */
export type Watching = Pick<Monitors, "receiver" | "severities" | "query">;

export interface Row {
    readonly alert: AlertName;
    readonly secondsToFire: number;
    readonly secondsToResolve: number;
}

/** Every command has to succeed and to print something, and every query has to find something. */
async function follow(
    monitors: Watching,
    { labels }: Arrived,
    { setUp }: Section,
    blocks: Section["blocks"],
): Promise<void> {
    for (const { language, text } of blocks) {
        if (language === "promql") {
            const found = (await monitors.query(text)).filter((value) => !Number.isNaN(value));
            if (found.length === 0) throw new Error(`the query finds nothing: ${text}`);
            continue;
        }
        const script = `set -euo pipefail\n${setUp}${filledIn(text, labels)}`;
        // The embedded cluster's CA, which people's machines trust or not.
        const { code, output } = await attempt("bash", ["-c", script], { ...env, CURL_CA_BUNDLE: caFile });
        if (code !== 0 || output.trim() === "")
            throw new Error(`the commands end with ${code}: ${text}\n${output.slice(-3000)}`);
    }
}

const { ingressCa: caFile } = pathsOf(spec);

const secondsFrom = (start: number, end: number): number => Math.round((end - start) / 100) / 10;

/** @throws when an alert does not fire or is not resolved in time, or a command of its page fails */
export async function runStory(story: Story, monitors: Watching): Promise<Row[]> {
    const { receiver, severities } = monitors;
    const { alerts, within = 120, remedy = () => Promise.resolve(), after = {} } = story;
    const severityOf = (alert: AlertName): string => severities.get(alert) ?? "none";
    const firing = (alert: AlertName): Arrived[] => receiver.firing(alert, severityOf(alert));
    for (const alert of alerts)
        await receiver.until(within, `${alert} is silent before the fault`, () => firing(alert).length === 0);
    const caused = Date.now();
    const fired = new Map<AlertName, Arrived>();
    let remedied = caused;
    try {
        await story.cause();
        for (const alert of alerts) {
            await receiver.until(within, `${alert} fires`, () => firing(alert).length > 0);
            const [first] = firing(alert);
            if (first !== undefined) fired.set(alert, first);
        }
        for (const [alert, arrived] of fired) {
            const section = sectionOf(alert, arrived.annotations["runbook_url"] ?? "");
            await follow(monitors, arrived, section, section.blocks.slice(0, after[alert]));
        }
    } finally {
        remedied = Date.now();
        await remedy();
    }
    for (const [alert, arrived] of fired) {
        const section = sectionOf(alert, arrived.annotations["runbook_url"] ?? "");
        if (after[alert] !== undefined) await follow(monitors, arrived, section, section.blocks.slice(after[alert]));
    }
    for (const alert of alerts)
        await receiver.until(within, `${alert} is resolved after the remedy`, () => firing(alert).length === 0);
    return alerts.map((alert) => ({
        alert,
        secondsToFire: secondsFrom(caused, fired.get(alert)?.at ?? Number.NaN),
        // By itself: since it fired.
        secondsToResolve: Math.max(
            // It was resolved before, by its page's commands or without its metrics.
            0,
            secondsFrom(
                story.remedy === undefined ? (fired.get(alert)?.at ?? Number.NaN) : remedied,
                receiver.resolvedAt(alert, severityOf(alert)),
            ),
        ),
    }));
}
