/** The smallest number of letters to add, leave out or change. */
function distance(one: string, other: string): number {
    let row = Array.from({ length: other.length + 1 }, (_, index) => index);
    for (const [i, letter] of Array.from(one).entries()) {
        const next = [i + 1];
        for (let j = 0; j < other.length; j++) {
            const changed = (row[j] ?? 0) + (letter === other[j] ? 0 : 1);
            next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, changed));
        }
        row = next;
    }
    return row[other.length] ?? 0;
}

/** What a name that is none of these most likely means, worded for the end of a message; or else all of them. */
export function didYouMean(name: string, names: readonly string[]): string {
    const short = name.slice(0, 80).toLowerCase();
    const ranked = names
        .map((each) => ({ each, far: distance(short, each.toLowerCase()) }))
        .sort((one, other) => one.far - other.far);
    const [best] = ranked;
    const near = best !== undefined && best.far <= Math.max(2, Math.floor(best.each.length / 2));
    if (near) return `; did you mean "${best.each}"?`;
    return names.length <= 12 ? `; accepted: ${names.join(", ") || "none"}` : "";
}
