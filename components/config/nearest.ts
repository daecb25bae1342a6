/** Levenshtein distance. */
function distance(one: string, other: string): number {
    let row = Array.from({ length: other.length + 1 }, (_, index) => index);
    for (let i = 0; i < one.length; i++) {
        const next = [i + 1];
        for (let j = 0; j < other.length; j++)
            next.push(
                Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (one[i] === other[j] ? 0 : 1)),
            );
        row = next;
    }
    return row[other.length] ?? 0;
}

/** The candidate that a mistyped word most likely means; undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
    const ranked = candidates
        .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
        .sort((a, b) => a.far - b.far);
    const [best] = ranked;
    return best !== undefined && best.far <= Math.max(2, Math.floor(best.candidate.length / 3))
        ? best.candidate
        : undefined;
}
