/** Judges resources that are already written down, by the pack's own config and exceptions. */
import { covers, ExceptionAccount, type Exception, type ExceptionList } from "./exceptions.ts";
import { evaluate, evaluateStack, unlessExcused } from "./evaluate.ts";
import { gradeOf, inProfile, type Profile, type Severity } from "./profiles.ts";
import type { Described, Level, Resource, Rule, Settings } from "./rule.ts";
import { exceptionsAreCurrent } from "./rules/exceptions-are-current.ts";
import { fields, holdsUnknown, text } from "./values.ts";

export interface Finding {
    readonly rule: string;
    readonly level: Level;
    readonly severity: Severity;
    /** `Kind::name`, as exceptions name it; `stack` for the whole. */
    readonly resource: string;
    /** The file that the resource stands in, and the line that it begins on. */
    readonly file: string;
    readonly line: number;
    readonly message: string;
    readonly remedy: string;
    readonly reference: string;
}

/** A resource and where it was read from. */
export interface Located {
    readonly file: string;
    readonly line: number;
    readonly resource: Resource;
    /** By rule, where the file says it otherwise than Kubernetes. */
    readonly remedies?: Readonly<Record<string, string>>;
}

export interface Terms {
    /** As `--policy-pack-config` takes it: by rule, or `all`, a level or an object of settings with `enforcementLevel`. */
    readonly config?: unknown;
    readonly exceptions?: ExceptionList;
    /** Which rules are asked; default all. */
    readonly profile?: Profile;
    /** The day that exceptions are held against. */
    readonly now?: Date;
}

/** The level that the config gives a rule; undefined where the rule is switched off. */
function levelOf(rule: Described, config: unknown): Level | undefined {
    const asked = ["all", rule.name].map((key) => fields(config)[key]);
    const levels = asked.map((each) => text(each) ?? text(fields(each)["enforcementLevel"]));
    const level = levels[1] ?? levels[0];
    switch (level) {
        case undefined:
            return rule.level;
        case "disabled":
            return undefined;
        case "advisory":
            return "advisory";
        // What can be remediated is a violation until it has been.
        default:
            return "mandatory";
    }
}

/** Every violation, in the order of the rules and of the resources. */
export function findings(
    located: readonly Located[],
    rules: readonly Rule[],
    { config, exceptions, profile = "full", now = new Date() }: Terms = {},
): readonly Finding[] {
    const account = new ExceptionAccount(exceptions ?? { exceptions: [], malformed: [] }, now);
    const resources = located.map(({ resource }) => resource);
    const places = new Map(located.map(({ file, line, resource }) => [resource, { file, line }]));
    const remedies = new Map(located.map(({ resource, remedies }) => [resource, remedies]));
    // What is said of the whole stands where the whole begins.
    const beginning = { file: located[0]?.file ?? "", line: 1 };
    const found = rules.flatMap((rule) => {
        const level = levelOf(rule, config);
        if (level === undefined || !inProfile(rule.name, profile)) return [];
        const ofRule = (name: string): Settings => fields(fields(config)[name]);
        const given = ofRule(rule.name);
        const chosen = unlessExcused(rule, resources);
        const broken: readonly { resource?: Resource; message: string }[] =
            rule.scope === "stack"
                ? evaluateStack(rule, resources, given, ofRule)
                : resources.flatMap((resource) =>
                      evaluate(rule, resource, given, chosen).map((message) => ({ resource, message })),
                  );
        return broken
            .filter(({ resource }) => !account.excepts(rule.name, resource))
            .map(({ resource, message }) => ({
                resource,
                message,
                own: resource && remedies.get(resource)?.[rule.name],
            }))
            .map(({ resource, message, own }) => ({
                rule: rule.name,
                level,
                severity: gradeOf(rule.name).severity,
                resource: resource === undefined ? "stack" : nameOf(resource),
                ...((resource === undefined ? undefined : places.get(resource)) ?? beginning),
                message: own === undefined ? message : message.replace(rule.remedy, () => own),
                remedy: own ?? rule.remedy,
                reference: rule.reference.url,
            }));
    });
    const { name, remedy, reference } = exceptionsAreCurrent;
    const level = levelOf(exceptionsAreCurrent, config);
    if (level === undefined) return found;
    const mayYetBeUsed = (exception: Exception): boolean =>
        !inProfile(exception.rule, profile) ||
        resources.some((each) => covers(exception, each) && holdsUnknown(each.props));
    const stale = account.stale(mayYetBeUsed).map((problem) => ({
        ...{ rule: name, level, severity: gradeOf(name).severity, resource: "stack", ...beginning },
        ...{ message: `${problem}. ${remedy}`, remedy, reference: reference.url },
    }));
    return [...found, ...stale];
}

function nameOf(resource: Resource): string {
    return `${resource.type.slice(resource.type.lastIndexOf(":") + 1)}::${resource.name}`;
}
