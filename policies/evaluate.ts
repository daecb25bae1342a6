/** Runs one rule on one resource, whatever shape that is in, and words the message. */
import { isMixedList, itemType } from "./kinds.ts";
import { itemsOf, ownerOf, withItems } from "./lists.ts";
import {
    settingsOf,
    type ContainerRule,
    type Containers,
    type Resource,
    type Rule,
    type Settings,
    type StackRule,
} from "./rule.ts";
import { at } from "./values.ts";
import { podsOf, type Container, type Pod } from "./workloads.ts";

export type OneByOne = Exclude<Rule, StackRule>;

/** Whether a rule applies to resources of this type, or to the items of a list of this type. */
export function concerns(rule: OneByOne, type: string): boolean {
    const item = itemType(type);
    return isMixedList(type) || concernsOne(rule, type) || (item !== undefined && concernsOne(rule, item));
}

function concernsOne(rule: OneByOne, type: string): boolean {
    if (rule.scope !== "resource") return type.startsWith("kubernetes:");
    return typeof rule.types === "function" ? rule.types(type) : rule.types.includes(type);
}

/** Whether a container rule applies to this container. */
function looksAt(containers: Containers, { role, spec }: Container): boolean {
    switch (containers) {
        case "all":
            return true;
        case "lasting":
            return role !== "ephemeralContainer";
        case "running":
            // An init container that is always restarted is a sidecar.
            return role === "container" || (role === "initContainer" && at(spec, "restartPolicy") === "Always");
    }
}

/** Which pods of a resource are evaluated. */
export type Choice = (pod: Pod, owner: Resource) => boolean;

/** Whether the verdict on a pod waits until the whole stack is known. */
export function waits(rule: Rule, pod: Pod): boolean {
    return rule.scope === "pod" && rule.inStack?.concerns(pod) === true;
}

/** Every pod but those that the stack excuses. */
export function unlessExcused(rule: Rule, stack: readonly Resource[]): Choice {
    const all = withItems(stack);
    return (pod, owner) =>
        !(rule.scope === "pod" && waits(rule, pod) && rule.inStack?.excuses(pod, owner, all) === true);
}

function found(rule: OneByOne, resource: Resource, settings: Settings, chosen: Choice): readonly string[] {
    if (rule.scope === "resource") return rule.found(resource, settings);
    const pods = podsOf(resource.type, resource.name, resource.props).filter((pod) => chosen(pod, resource));
    if (rule.scope === "pod") {
        return pods.flatMap((pod) => {
            const problem = rule.found(pod, settings);
            return problem === undefined ? [] : [`${pod.owner} ${problem}`];
        });
    }
    return pods.flatMap((pod) => {
        const own = rule.ofPod?.found(pod, settings);
        const containers = offenders(rule, pod, settings).map(
            ({ container, problem }) => `${pod.owner}, container "${container.name}" ${problem}`,
        );
        return own === undefined ? containers : [`${pod.owner} ${own}`, ...containers];
    });
}

/** The containers of a pod that break the rule, each with what is wrong. */
export function offenders(
    rule: ContainerRule,
    pod: Pod,
    settings: Settings = {},
): readonly { readonly container: Container; readonly problem: string }[] {
    if (rule.linuxOnly === true && at(pod.spec, "os", "name") === "windows") return [];
    return pod.containers
        .filter((container) => looksAt(rule.containers, container))
        .flatMap((container) => {
            const problem = rule.found(container, pod, settings);
            return problem === undefined ? [] : [{ container, problem }];
        });
}

/**
 * Messages for every violation of a rule by a resource; none when it complies. A rule that fails on an object refuses
 * it: a resource that cannot be evaluated is refused.
 *
 * @param chosen  the pods to evaluate; default all, as the API server does
 */
export function evaluate(
    rule: OneByOne,
    resource: Resource,
    given: Settings = {},
    chosen: Choice = () => true,
): readonly string[] {
    const items = itemsOf(resource);
    if (items.length !== 1 || items[0] !== resource)
        return items.flatMap((item) => evaluate(rule, item, given, chosen));
    if (!concernsOne(rule, resource.type)) return [];
    try {
        return found(rule, resource, settingsOf(rule, given), chosen).map((problem) => `${problem}. ${rule.remedy}`);
    } catch (error) {
        return [`${resource.type} "${resource.name}" cannot be evaluated (${String(error)}). Report this to the pack.`];
    }
}

/** The same for a rule on the stack as a whole. */
export function evaluateStack(
    rule: StackRule,
    resources: readonly Resource[],
    given: Settings = {},
    ofRule: (rule: string) => Settings = () => ({}),
): readonly { resource?: Resource; message: string }[] {
    try {
        return rule
            .found(withItems(resources), settingsOf(rule, given), ofRule)
            .map(({ resource, found: problem }) => ({
                resource: resource === undefined ? undefined : ownerOf(resource),
                message: `${problem}. ${rule.remedy}`,
            }));
    } catch (error) {
        return [{ message: `The stack cannot be evaluated (${String(error)}). Report this to the pack.` }];
    }
}
