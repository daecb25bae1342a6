/** The value below which so many percent of them lie, as nearest rank. */
export function percentile(values: readonly number[], percent: number): number {
    const sorted = [...values].sort((a, b) => a - b);
    const value = sorted[Math.ceil((percent / 100) * sorted.length) - 1];
    if (value === undefined) throw new Error("no values");
    return value;
}

export const median = (values: readonly number[]): number => percentile(values, 50);
