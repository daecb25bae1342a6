import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import type { ClusterApi } from "../kubernetes/cluster-api";
import type { Recorded } from "../kubernetes/recorded.plan";

/** A check against the cluster. It only reads. */
export interface ClusterCheck {
    /** What the check would have found, for the warning that it could not be made. */
    readonly finds: string;
    /** @param known  what the stack's state holds */
    run(stack: Partial<Sections>, cluster: ClusterApi, known: Recorded): Promise<readonly Problem[]>;
}

/** The value at a path of an object whose shape only its kind knows. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
    path.reduce<unknown>(
        (here, key) => (typeof here === "object" && here !== null ? (here as Record<string, unknown>)[key] : undefined),
        value,
    );

export const listAt = (value: unknown, ...path: readonly string[]): readonly unknown[] => {
    const found = at(value, ...path);
    return Array.isArray(found) ? found : [];
};

export const textAt = (value: unknown, ...path: readonly string[]): string | undefined => {
    const found = at(value, ...path);
    return typeof found === "string" ? found : undefined;
};
