/** One story: a fault, the alerts that it raises, what their pages say, and the end. */
import { attempt, env } from "../platform/harness.ts";
import type { Monitors } from "./monitors.ts";
import type { Arrived } from "./receiver.ts";
import { filledIn, type Section, sectionOf } from "./section.ts";
import type { Told } from "./told.ts";

export interface Story {
    /** In the order in which their pages are followed. */
    readonly alerts: readonly Told[];
    readonly cause: () => Promise<void>;
    /** What the pages say in words; nothing when their commands or the time do it. */
    readonly remedy?: () => Promise<void>;
    /** Commands of these pages from this block on are for the time after the remedy. */
    readonly after?: Readonly<Partial<Record<Told, number>>>;
    /** Seconds that the alerts may take to fire, and to end. */
    readonly within?: number;
}

export interface Row {
    readonly alert: Told;
    readonly secondsToFire: number;
    readonly secondsToResolve: number;
}

/** Every command has to end well, and to find something, as every query has. */
async function follow(
    monitors: Monitors,
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
        const { code, output } = await attempt("bash", ["-c", script], env);
        if (code !== 0 || output.trim() === "")
            throw new Error(`the commands end with ${code}: ${text}\n${output.slice(-3000)}`);
    }
}

const secondsFrom = (start: number, end: number): number => Math.round((end - start) / 100) / 10;

/** @throws when an alert does not fire or end in time, or a command of its page fails */
export async function tell(story: Story, monitors: Monitors): Promise<Row[]> {
    const { receiver, severities } = monitors;
    const { alerts, within = 120, remedy = () => Promise.resolve(), after = {} } = story;
    const severityOf = (alert: Told): string => severities.get(alert) ?? "none";
    const firing = (alert: Told): Arrived[] => receiver.firing(alert, severityOf(alert));
    for (const alert of alerts)
        await receiver.until(within, `${alert} is silent before the fault`, () => firing(alert).length === 0);
    const caused = Date.now();
    const fired = new Map<Told, Arrived>();
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
        await receiver.until(within, `${alert} ends after the remedy`, () => firing(alert).length === 0);
    return alerts.map((alert) => ({
        alert,
        secondsToFire: secondsFrom(caused, fired.get(alert)?.at ?? Number.NaN),
        // By itself: since it fired.
        secondsToResolve: Math.max(
            // It had ended before, by its page's commands or without its metrics.
            0,
            secondsFrom(
                story.remedy === undefined ? (fired.get(alert)?.at ?? Number.NaN) : remedied,
                receiver.lastEnd(alert, severityOf(alert)),
            ),
        ),
    }));
}
