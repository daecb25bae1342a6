/** Certificates: how long they are valid, and whether they are renewed. */
import { at, condition, secondsSince, textAt, type Reading } from "./reading.ts";
import type { Findings } from "./pods.plan.ts";

export interface Certificate {
    readonly name: string;
    /** Whole days until it expires; undefined before it was issued. */
    readonly daysLeft?: number;
    readonly ready: boolean;
    readonly reason?: string;
}

const daySeconds = 86_400;
/** cert-manager renews its own a month before; one that gets so old is not renewed. */
const noticeDays = 14;
/** The one that the URL serves, whoever made it. */
const served = "the URL's own";

export function certificatesOf({ certificates, answers, now }: Reading): readonly Certificate[] {
    const days = (ends: string | undefined): number | undefined => {
        const since = secondsSince(ends, now);
        return since === undefined ? undefined : Math.floor(-since / daySeconds);
    };
    const ends = answers.find(({ certificateEnds }) => certificateEnds !== undefined)?.certificateEnds;
    return [
        ...(ends === undefined ? [] : [{ name: served, daysLeft: days(ends), ready: true }]),
        ...certificates
            .map((object): Certificate => {
                const ready = condition(object, "Ready");
                const isReady = at(ready, "status") === "True";
                return {
                    name: object.metadata.name,
                    daysLeft: days(textAt(object, "status", "notAfter")),
                    ready: isReady,
                    ...(!isReady && { reason: textAt(ready, "message") ?? "it has not been issued yet" }),
                };
            })
            .sort((a, b) => (a.daysLeft ?? 0) - (b.daysLeft ?? 0) || (a.name < b.name ? -1 : 1)),
    ];
}

export function certificateFindings(certificates: readonly Certificate[]): Findings {
    const problems: string[] = [];
    const warnings: string[] = [];
    for (const { name, daysLeft, ready, reason } of certificates) {
        const title = name === served ? "the certificate of the URL" : `the certificate ${name}`;
        if (daysLeft !== undefined && daysLeft < 0) problems.push(`${title} has expired`);
        else if (!ready) problems.push(`${title} is not ready: ${reason ?? ""}`);
        else if (daysLeft !== undefined && daysLeft < noticeDays)
            warnings.push(`${title} expires in ${daysLeft} days and was not renewed`);
    }
    return { problems, warnings };
}
