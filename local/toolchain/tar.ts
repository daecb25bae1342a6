/** Reads a tar archive as it arrives. Knows regular files with names of up to 100 characters, which is all that a bundle has. */

/** A file of an archive. Whatever of its content is not read is skipped. */
export interface TarFile {
    readonly name: string;
    readonly size: number;
    readonly content: AsyncIterable<Buffer>;
}

const BLOCK = 512;

/** @throws when the archive ends early, or has anything but regular files */
export async function* filesIn(archive: AsyncIterable<Buffer>): AsyncGenerator<TarFile> {
    const source = archive[Symbol.asyncIterator]();
    let buffered: Buffer = Buffer.alloc(0);
    /** The next bytes, at least one and at most `most`. */
    const some = async (most: number): Promise<Buffer> => {
        while (buffered.length === 0) {
            const next = await source.next();
            if (next.done === true) throw new Error("the archive ends early");
            buffered = next.value;
        }
        const part = buffered.subarray(0, most);
        buffered = buffered.subarray(part.length);
        return part;
    };
    for (;;) {
        const parts: Buffer[] = [];
        for (let left = BLOCK; left > 0; left -= parts.at(-1)?.length ?? 0) parts.push(await some(left));
        const header = Buffer.concat(parts);
        // The archive ends with empty blocks.
        if (header.every((byte) => byte === 0)) return;
        const { name, size } = fileOf(header);
        let left = size;
        const content = async function* (): AsyncGenerator<Buffer> {
            while (left > 0) {
                const part = await some(left);
                left -= part.length;
                yield part;
            }
        };
        yield { name, size, content: content() };
        for (left += (BLOCK - (size % BLOCK)) % BLOCK; left > 0;) left -= (await some(left)).length;
    }
}

/** @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html the fields of a ustar header */
function fileOf(header: Buffer): { name: string; size: number } {
    const text = (from: number, length: number): string =>
        header
            .subarray(from, from + length)
            .toString("latin1")
            .replace(/\0.*$/s, "");
    const [name, size, type, prefix] = [text(0, 100), text(124, 12), text(156, 1), text(345, 155)];
    if (text(257, 5) !== "ustar") throw new Error("it is no tar archive");
    if (type !== "0" && type !== "") throw new Error(`${JSON.stringify(name)} is no regular file (type ${type})`);
    if (prefix !== "" || !/^[0-7]+ ?$/.test(size)) throw new Error(`${JSON.stringify(name)} has an unusual header`);
    return { name, size: Number.parseInt(size, 8) };
}
