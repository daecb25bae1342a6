/** Whether a value of unknown origin is an object with keys, and not a list. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
