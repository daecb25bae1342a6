/**
 * Pulumi's SDK records the stack of each promise and output in an error without a message, and ts-node looks up every frame of it in the
 * source map: about a seventh of the program's CPU time. Those errors keep their unmapped frames; an error with a message is mapped as before,
 * and so is the position of a resource in the program, for which the SDK lifts the limit of frames.
 */
interface Frame extends NodeJS.CallSite {
    toString(): string;
}
export type Format = (error: Error, frames: Frame[]) => unknown;

export const mappedWhereRead =
    (map: Format): Format =>
    (error, frames) =>
        error.message === "" && Number.isFinite(Error.stackTraceLimit)
            ? `${error.name}\n${frames.map((frame) => `    at ${String(frame)}`).join("\n")}`
            : map(error, frames);

const runtime = Error as { prepareStackTrace?: Format };
if (runtime.prepareStackTrace !== undefined) runtime.prepareStackTrace = mappedWhereRead(runtime.prepareStackTrace);
