/** Slows down guessing: after a few wrong passwords each further attempt has to wait, twice as long every time. */

export interface Guesses {
    readonly failures: number;
    /** Milliseconds since 1970 before which no attempt is checked. */
    readonly blockedUntil: number;
}

export const noGuesses: Guesses = { failures: 0, blockedUntil: 0 };
export const freeGuesses = 5;
const firstWaitSeconds = 15;
const longestWaitSeconds = 900;

export function afterFailure({ failures }: Guesses, now: number): Guesses {
    const count = failures + 1;
    if (count < freeGuesses) return { failures: count, blockedUntil: 0 };
    // Bounded before it is a power: a count of thousands would be Infinity.
    const doublings = Math.min(count - freeGuesses, 10);
    const seconds = Math.min(firstWaitSeconds * 2 ** doublings, longestWaitSeconds);
    return { failures: count, blockedUntil: now + seconds * 1000 };
}

/** Seconds to wait, rounded up; 0 when an attempt may be made. */
export const waitSeconds = ({ blockedUntil }: Guesses, now: number): number =>
    Math.max(0, Math.ceil((blockedUntil - now) / 1000));
