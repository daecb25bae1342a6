/** Keeps out of the rules what no rule can walk through: objects within themselves, or deeper and larger than any manifest. */
import { isObject } from "./values.ts";

/** The API server takes no object larger than some 1.5 MiB, and nobody nests them deeper than some dozens of levels. */
const deepest = 500;
const most = 500_000;

interface Measured {
    readonly depth: number;
    /** Values in it, with what several places share counted at each of them. */
    readonly size: number;
}

/** What is wrong with a value; undefined when it can be evaluated. Without recursion, which is what fails in such a value. */
export function unbounded(root: unknown, limit = most): string | undefined {
    if (!isObject(root)) return undefined;
    const done = new Map<object, Measured>();
    const open = new Set<object>();
    const todo: object[] = [root];
    for (let here = todo.at(-1); here !== undefined; here = todo.at(-1)) {
        const children = Object.values(here).filter(isObject);
        if (done.has(here)) todo.pop();
        else if (open.has(here)) {
            const measured = children.map((child) => done.get(child));
            if (measured.includes(undefined)) return "an object is within itself";
            const depth = 1 + Math.max(0, ...measured.map((each) => each?.depth ?? 0));
            const size = measured.reduce((sum, each) => sum + (each?.size ?? 0), 1 + Object.keys(here).length);
            if (depth > deepest) return `it is nested more than ${deepest} levels deep`;
            if (size > limit) return `it stands for more than ${limit} values`;
            done.set(here, { depth, size });
            open.delete(here);
            todo.pop();
        } else {
            open.add(here);
            for (const child of children) {
                if (open.has(child)) return "an object is within itself";
                if (!done.has(child)) todo.push(child);
            }
        }
    }
    return undefined;
}
