/**
 * How long EKS supports each minor of Kubernetes, extended support included.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
 */

/** The day for which the verdicts hold: a clock would fail a stack that nobody changed. Renew it with the table. */
const supportOf = "2026-11-27";

const ends: Readonly<Record<string, string>> = {
    "1.29": "2026-03-23",
    "1.30": "2026-07-23",
    "1.31": "2026-11-26",
    "1.32": "2027-03-23",
    "1.33": "2027-07-29",
    "1.34": "2027-12-02",
    "1.35": "2028-03-27",
};
/** The oldest minor in the table; whatever is older has ended before. */
const oldest = 29;

/** When the support of a minor ended; undefined while it lasts, and for what is newer than the table. */
export function endedSupport(version: string): string | undefined {
    const minor = /^1\.(\d+)$/.exec(version)?.[1];
    if (minor === undefined) return undefined;
    if (Number(minor) < oldest) return "years ago";
    const end = ends[version];
    return end === undefined || end > supportOf ? undefined : `on ${end}`;
}
