/** What the lives of stacks on AWS have in common. */
import { fields } from "../../../policies/values.ts";
import type { Step } from "../own-stack.ts";

export type Settings = Readonly<Record<string, unknown>>;

/** What belongs to AWS, with the passwords that it is made with; nothing of Kubernetes, whose images nobody has pushed. */
export const ofAws: readonly string[] = [
    ...["Secrets**", "Aws**", "Ownership**", "Cluster**", "Admission**", "NetworkPolicies**", "Elasticache**"],
    ...["Rds::*", "Rds$aws:**", "Rds$random:**"],
].flatMap((each) => ["--target", `**orcheo:index:${each}`]);

/** The settings with another value at a path such as `aws.cluster.version`. */
export function withValue(settings: Settings, path: string, value: unknown): Settings {
    const [key = "", ...rest] = path.split(".");
    return { ...settings, [key]: rest.length === 0 ? value : withValue(fields(settings[key]), rest.join("."), value) };
}

export const configured = (from: Settings, values: Settings): Settings =>
    Object.entries(values).reduce((given, [path, value]) => withValue(given, path, value), from);

/** Without what belongs to other stacks, which is read each time. */
export const changed = (steps: readonly Step[]): readonly Step[] =>
    steps.filter(({ op }) => !["same", "read"].includes(op));
export const nameOf = ({ urn }: Step): string => urn.split("::").at(-1) ?? "";
export const told = (steps: readonly Step[]): readonly string[] =>
    steps.map((step) => `${step.op} ${nameOf(step)}: ${step.changes.join(", ")}`);
