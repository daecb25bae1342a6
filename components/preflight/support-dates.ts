/** Copied from policies/support.ts by `npm run docs`; do not edit. */
import table from "../../policies/support-ends.json";

/** The day on which the rules' verdicts hold. With a clock instead, a stack would fail without a change. */
export const asOf: string = table.asOf;

export type Product = keyof typeof table.products;

/** Days before the end of support in which it is reported. */
export const NOTICE_DAYS = table.noticeDays;

export type Support =
    /** `on`: the last day; undefined for versions older than the table. */
    | { readonly kind: "ended"; readonly on: string | undefined }
    /** `until`: undefined while no date has been announced. */
    | { readonly kind: "supported"; readonly until: string | undefined }
    | { readonly kind: "unknown" };

const endsOf = (product: Product): ReadonlyMap<string, string | null> =>
    new Map(Object.entries(table.products[product].ends));

const numbers = (version: string): number[] => version.split(".").map(Number);

function isOlder(version: string, other: string): boolean {
    const others = numbers(other);
    const different = numbers(version).findIndex((part, index) => part !== others[index]);
    return different >= 0 && (numbers(version)[different] ?? 0) < (others[different] ?? 0);
}

/**
 * @param version  a version as the table has it, such as `1.34` for Kubernetes
 * @param today  an ISO date; the day of the table by default
 */
export function supportOf(product: Product, version: string, today = asOf): Support {
    const ends = endsOf(product);
    const end = ends.get(version);
    if (end === undefined) {
        const isVersion = /^\d+(\.\d+)*$/.test(version);
        return isVersion && [...ends.keys()].every((known) => isOlder(version, known))
            ? { kind: "ended", on: undefined }
            : { kind: "unknown" };
    }
    if (end === null) return { kind: "supported", until: undefined };
    return end < today ? { kind: "ended", on: end } : { kind: "supported", until: end };
}

export const daysBetween = (from: string, to: string): number =>
    Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);

/** Whether support ends within the notice period. */
export function endsSoon(until: string | undefined, today = asOf): boolean {
    if (until === undefined) return false;
    return daysBetween(today, until) <= NOTICE_DAYS;
}

/** Versions that are supported beyond the notice period, oldest first. */
export function lastingVersions(product: Product, today = asOf): readonly string[] {
    return [...endsOf(product).keys()].filter((version) => {
        const support = supportOf(product, version, today);
        return support.kind === "supported" && !endsSoon(support.until, today);
    });
}
