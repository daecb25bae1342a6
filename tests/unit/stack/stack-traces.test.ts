/** Stacks that nobody reads cost nothing; those of errors name the lines of the sources. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Format, mappedWhereRead } from "../../../components/stack/stack-traces";

const runtime = Error as { prepareStackTrace?: Format; stackTraceLimit: number };
const before = { ...runtime, stackTraceLimit: Error.stackTraceLimit };

beforeEach(() => {
    // ts-node's in its place.
    runtime.prepareStackTrace = mappedWhereRead(() => "mapped");
});
afterEach(() => {
    runtime.prepareStackTrace = before.prepareStackTrace;
    runtime.stackTraceLimit = before.stackTraceLimit;
});

test("an error with a message is mapped", () => {
    expect(new Error("it failed").stack).toBe("mapped");
});

test("one without a message, as Pulumi makes for each promise, is not, and still shows its frames", () => {
    expect(new Error().stack).toMatch(/^Error\n {4}at .*stack-traces\.test\.ts:\d+:\d+/);
});

test("the position of a resource is mapped", () => {
    runtime.stackTraceLimit = Number.POSITIVE_INFINITY;
    expect(new Error().stack).toBe("mapped");
});

test("the program begins with it", () => {
    expect(/^import .*$/m.exec(readFileSync("index.ts", "utf8"))?.[0]).toBe(
        'import "./components/stack/stack-traces";',
    );
});
