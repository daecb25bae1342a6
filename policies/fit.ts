/** Markdown that has to fit: what matters first stays, and what is left out is counted where it would stand. */

export interface Item {
    /** One line. */
    readonly title: string;
    /** More lines below it, which go before any title does. */
    readonly details: readonly string[];
}

export interface Section {
    readonly heading: string;
    /** Lines that always stay. */
    readonly always: readonly string[];
    /** In the order of their importance. */
    readonly items: readonly Item[];
}

/** GitHub takes 65,536 characters, and Linux 131,072 bytes of one variable of the environment: bytes keep to both. */
export const commentBytes = 65_000;

const size = (lines: readonly string[]): number => lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);

function note(titles: number, details: number, where: string): readonly string[] {
    const left = [
        ...(titles === 0 ? [] : [`${titles} more of them`]),
        ...(details === 0 ? [] : [`the details of ${details}`]),
    ];
    return left.length === 0 ? [] : ["", `**Left out here: ${left.join(" and ")}; ${where}.**`];
}

/**
 * The sections as lines of at most so many bytes. All of them if they fit; else as many titles as fit, in order, then their
 * details, in order.
 *
 * @param where  a sentence's end that says where the whole is
 * @throws when not even the headings fit
 */
export function fitted(sections: readonly Section[], bytes: number, where: string): readonly string[] {
    const framed = sections.map(({ heading, always }) => ["", heading, "", ...always]);
    const whole = sections.flatMap(({ items }, at) => [
        ...(framed[at] ?? []),
        ...items.flatMap(({ title, details }) => [title, ...details]),
    ]);
    if (size(whole) <= bytes) return whole;

    const longestNote = size(note(999_999, 999_999, where));
    let left = bytes - framed.reduce((sum, lines) => sum + size(lines) + longestNote, 0);
    if (left < 0) throw new Error(`the headings alone take more than ${bytes} bytes`);
    const take = (lines: readonly string[]): boolean => {
        const fits = size(lines) <= left;
        if (fits) left -= size(lines);
        return fits;
    };
    const all = sections.flatMap(({ items }, section) => items.map((item) => ({ section, ...item })));
    // The first that does not fit ends it: a later one must not pass for more important.
    const firstOut = all.findIndex(({ title }) => !take([title]));
    const kept = firstOut === -1 ? all : all.slice(0, firstOut);
    const detailed = new Set(kept.filter(({ details }) => details.length > 0 && take(details)));
    return sections.flatMap(({ items }, at) => {
        const own = kept.filter(({ section }) => section === at);
        const bare = own.filter((item) => item.details.length > 0 && !detailed.has(item)).length;
        return [
            ...(framed[at] ?? []),
            ...own.flatMap((item) => [item.title, ...(detailed.has(item) ? item.details : [])]),
            ...note(items.length - own.length, bare, where),
        ];
    });
}
