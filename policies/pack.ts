/** Turns the table of rules into what Pulumi's policy SDK runs. */
import type {
    Policies,
    PolicyConfigSchema,
    PolicyPackArgs,
    ResourceValidationPolicy,
    StackValidationPolicy,
} from "@pulumi/policy";

import { covers, ExceptionAccount, exceptionsOf } from "./exceptions.ts";
import { concerns, evaluate, evaluateStack, unlessExcused, waits, type Choice, type OneByOne } from "./evaluate.ts";
import { gradeOf, inProfile, profileNamed } from "./profiles.ts";
import { clear, remediated } from "./remediation.ts";
import { settingsOf, type Described, type Resource, type Rule, type Setting, type StackRule } from "./rule.ts";
import { exceptionsAreCurrent } from "./rules/exceptions-are-current.ts";
import { fields, holdsUnknown, unwrap, type Fields } from "./values.ts";

type ResourceArgs = Parameters<Extract<ResourceValidationPolicy["validateResource"], (...args: never) => unknown>>[0];
type StackArgs = Parameters<StackValidationPolicy["validateStack"]>[0];

/** What one run of the engine has shown: the stack rules evaluate inputs, which only the resource calls carry. */
interface Run {
    readonly inputs: Map<string, Resource>;
    /** Which exceptions there are, and which were of use. */
    account(): ExceptionAccount;
    /** Whether the stack's profile holds the rule. */
    holds(rule: string): boolean;
    /** What the pack's config sets for a rule. */
    settings(rule: string): Fields;
}

function resourceOf(args: ResourceArgs): Resource {
    return {
        type: args.type,
        name: args.name,
        urn: args.urn,
        props: fields(unwrap(args.props)),
        options: { protect: args.opts.protect },
        provider: args.provider === undefined ? undefined : fields(unwrap(args.provider.props)),
    };
}

/** The stack's resources with their inputs; outputs (live state) only for those that were not analyzed in this run. */
function stackOf(args: StackArgs, inputs: ReadonlyMap<string, Resource>): readonly Resource[] {
    return args.resources.map((each) => {
        const sources = Object.fromEntries(
            Object.entries(each.propertyDependencies).map(([key, from]) => [key, from.map((source) => source.urn)]),
        );
        const analyzed = inputs.get(each.urn);
        if (analyzed !== undefined) return { ...analyzed, sources };
        return { type: each.type, name: each.name, urn: each.urn, props: fields(unwrap(each.props)), sources };
    });
}

function schemaOf({ type, description, items, default: value }: Setting): PolicyConfigSchema["properties"][string] {
    const initial = typeof value === "object" ? [...value] : value;
    // The SDK cannot send an undefined field.
    return items === undefined
        ? { type, description, default: initial }
        : { type, description, items, default: initial };
}

function described(rule: Described): Omit<ResourceValidationPolicy, "validateResource"> {
    const settings = Object.entries(rule.settings ?? {}).map(([key, setting]) => [key, schemaOf(setting)] as const);
    return {
        name: rule.name,
        description: rule.description,
        enforcementLevel: rule.level,
        severity: gradeOf(rule.name).severity,
        remediationSteps: rule.remedy,
        url: rule.reference.url,
        ...(settings.length === 0 ? {} : { configSchema: { properties: Object.fromEntries(settings) } }),
    };
}

/** The remediated inputs. What cannot be remediated goes on as it is, to the validation, which says what is wrong. */
function remediate(rule: OneByOne, args: ResourceArgs, run: Run): Record<string, unknown> | undefined {
    try {
        if (!run.holds(rule.name)) return undefined;
        const resource = { ...resourceOf(args), props: fields(clear(args.props)) };
        const settings = settingsOf(rule, args.getConfig<Fields>());
        const fixed = remediated(rule, args.props, resource, settings);
        return fixed === undefined || run.account().excepts(rule.name, resource) ? undefined : fixed;
    } catch {
        return undefined;
    }
}

function resourcePolicy(
    rule: OneByOne,
    run: Run,
): ResourceValidationPolicy | (ResourceValidationPolicy & StackValidationPolicy) {
    const validate: ResourceValidationPolicy["validateResource"] = (args, report) => {
        if (!concerns(rule, args.type) || !run.holds(rule.name)) return;
        const resource = resourceOf(args);
        for (const message of evaluate(rule, resource, args.getConfig<Fields>(), (pod) => !waits(rule, pod))) {
            if (!run.account().excepts(rule.name, resource)) report(message);
        }
    };
    const validateStack: StackValidationPolicy["validateStack"] = (args, report) => {
        if (!run.holds(rule.name)) return;
        const resources = stackOf(args, run.inputs);
        const excused = unlessExcused(rule, resources);
        for (const resource of resources) {
            const chosen: Choice = (pod, owner) => waits(rule, pod) && excused(pod, owner);
            for (const message of evaluate(rule, resource, args.getConfig<Fields>(), chosen)) {
                if (!run.account().excepts(rule.name, resource)) report(message, resource.urn);
            }
        }
    };
    const single = rule.scope === "resource" && typeof rule.types !== "function" ? rule.types : [];
    // The SDK's own mark (validateResourceOfType sets it): other types are skipped before their inputs are unpacked.
    if (single.length === 1) Object.assign(validate, { __pulumiType: single[0] });
    const remediates = rule.scope !== "resource" && rule.remediate !== undefined;
    return {
        ...described(rule),
        validateResource: validate,
        ...(remediates ? { remediateResource: (args: ResourceArgs) => remediate(rule, args, run) } : {}),
        ...(rule.scope === "pod" && rule.inStack !== undefined ? { validateStack } : {}),
    };
}

function stackPolicy(rule: StackRule, run: Run): StackValidationPolicy {
    return {
        ...described(rule),
        validateStack(args, report) {
            if (!run.holds(rule.name)) return;
            const resources = stackOf(args, run.inputs);
            const account = run.account();
            for (const { resource, message } of evaluateStack(rule, resources, args.getConfig<Fields>(), (name) =>
                run.settings(name),
            )) {
                if (!account.excepts(rule.name, resource)) report(message, resource?.urn);
            }
        },
    };
}

/** The last policy: it has seen every resource's inputs pass by, and every use of an exception. */
function accountPolicy(run: Run): ResourceValidationPolicy & StackValidationPolicy {
    return {
        ...described(exceptionsAreCurrent),
        validateResource(args) {
            run.inputs.set(args.urn, resourceOf(args));
        },
        validateStack(_args, report) {
            const resources = [...run.inputs.values()];
            // A value that is unknown at preview may break the rule once it is known.
            const stale = run
                .account()
                .stale(
                    (exception) =>
                        !run.holds(exception.rule) ||
                        resources.some((each) => covers(exception, each) && holdsUnknown(each.props)),
                );
            for (const problem of stale) report(`${problem}. ${exceptionsAreCurrent.remedy}`);
            run.inputs.clear();
        },
    };
}

/**
 * Arguments of `new PolicyPack`.
 *
 * @param exceptions  the stack's exceptions as JSON; asked for when the first finding needs them, once the engine has sent them
 * @param profile     the name of the stack's profile, likewise; every rule where there is none
 * @param settings    the pack's config, likewise: an object by rule
 */
export function policyPack(
    rules: readonly Rule[],
    exceptions: () => string | undefined,
    now = new Date(),
    profile: () => string | undefined = () => undefined,
    settings: () => unknown = () => undefined,
): PolicyPackArgs {
    let account: ExceptionAccount | undefined;
    const names = rules.map((rule) => rule.name);
    const run: Run = {
        inputs: new Map(),
        holds: (rule) => inProfile(rule, profileNamed(profile())),
        settings: (rule) => fields(fields(settings())[rule]),
        account: () => (account ??= new ExceptionAccount(exceptionsOf(exceptions(), names), now)),
    };
    const policies: Policies = rules.map((rule) =>
        rule.scope === "stack" ? stackPolicy(rule, run) : resourcePolicy(rule, run),
    );
    return { enforcementLevel: "mandatory", policies: [...policies, accountPolicy(run)] };
}
