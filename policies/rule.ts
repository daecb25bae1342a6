/** What a rule is. The rules themselves are in rules/, one a file; table.ts lists them. */
import type { Container, Pod } from "./workloads.ts";
import type { Fields } from "./values.ts";

/** `mandatory` stops the update; `advisory` only tells. A pack config may change it, also to `remediate`. */
export type Level = "mandatory" | "advisory";

/** JSON schema of one setting. Every setting has a default. */
export interface Setting {
    readonly type: "string" | "number" | "integer" | "array";
    readonly description: string;
    readonly items?: { readonly type: "string" };
    readonly default: string | number | readonly string[];
}

/** The settings of one rule, defaults filled in. */
export type Settings = Readonly<Record<string, unknown>>;

/** What every rule says of itself. */
export interface Described {
    readonly name: string;
    readonly level: Level;
    /** One sentence: what is wrong with what the rule refuses. */
    readonly description: string;
    /** One sentence in the imperative: how to remediate it. Closes every message. */
    readonly remedy: string;
    /** Where the demand comes from: the standard's name and its address. */
    readonly reference: { readonly title: string; readonly url: string };
    readonly settings?: Readonly<Record<string, Setting>>;
}

/**
 * The same rule for the API server, in CEL. `variables.pod` is the pod spec, `variables.meta` the pod's metadata; a
 * container rule has `c`, one container, in scope.
 */
export interface Cel {
    /** Boolean expression: true when the rule is broken. */
    readonly broken: string;
    /** Expressions of the rule's own variables, by name: its settings. */
    variables?(settings: Settings): Readonly<Record<string, string>>;
    /** String expression: what was found, in the words of `found`. */
    readonly found: string;
}

/** The containers of a pod that a container rule applies to: `lasting` ones are those of the spec, `running` ones stay up. */
export type Containers = "all" | "lasting" | "running";

export interface ContainerRule extends Described {
    readonly scope: "container";
    /** `all`: init and ephemeral ones too; `lasting`: without ephemeral ones; `running`: of init ones only sidecars. */
    readonly containers: Containers;
    /** About a field that the API server refuses in a pod with `os.name: windows`: such pods are skipped. */
    readonly linuxOnly?: true;
    /** What is wrong with the container, or undefined. */
    found(container: Container, pod: Pod, settings: Settings): string | undefined;
    readonly cel: Cel;
    /** The same demand on the pod itself, such as on the images that it mounts as volumes. */
    readonly ofPod?: {
        found(pod: Pod, settings: Settings): string | undefined;
        readonly cel: Pick<Cel, "broken" | "found">;
    };
    /** The safe remediating of one container's fields, in place; only run at enforcement level `remediate`. */
    remediate?(container: Record<string, unknown>): void;
}

export interface PodRule extends Described {
    readonly scope: "pod";
    found(pod: Pod, settings: Settings): string | undefined;
    /** Pods about which the rest of the stack may say otherwise, which the API server does not see. */
    readonly inStack?: {
        concerns(pod: Pod): boolean;
        /** Whether other resources show that nothing is wrong with the pod of `owner`. */
        excuses(pod: Pod, owner: Resource, stack: readonly Resource[]): boolean;
    };
    readonly cel: Cel;
    remediate?(pod: Record<string, unknown>): void;
}

/** One resource as the engine or a manifest gives it. */
export interface Resource {
    /** Pulumi type token, such as `kubernetes:apps/v1:Deployment`. */
    readonly type: string;
    /** Pulumi's name of the resource, or the object's own name. */
    readonly name: string;
    readonly urn: string;
    /** The inputs. */
    readonly props: Fields;
    /** Set where the resource carries Pulumi options. */
    readonly options?: { readonly protect: boolean };
    /** Inputs of the provider, such as the default tags of AWS. */
    readonly provider?: Fields;
    /** URNs that a property's value came from: `{bucket: [urn]}`. */
    readonly sources?: Readonly<Record<string, readonly string[]>>;
}

export interface ResourceRule extends Described {
    readonly scope: "resource";
    /** Type tokens, or a test on them. One token lets the SDK skip other resources without unpacking them. */
    readonly types: readonly string[] | ((type: string) => boolean);
    /** Every problem of the resource, each a sentence without its full stop. */
    found(resource: Resource, settings: Settings): readonly string[];
    /** Why the API server does not enforce it. */
    readonly notInCel: string;
}

export interface StackRule extends Described {
    readonly scope: "stack";
    /** @param ofRule  what the pack's config sets for any rule, without its defaults */
    found(
        resources: readonly Resource[],
        settings: Settings,
        ofRule?: (rule: string) => Settings,
    ): readonly StackFinding[];
    readonly notInCel: string;
}

export interface StackFinding {
    /** The offender; without it the stack as a whole. */
    readonly resource?: Resource;
    readonly found: string;
}

export type Rule = ContainerRule | PodRule | ResourceRule | StackRule;

/** The rule's defaults under the settings given. */
export function settingsOf(rule: Rule, given: Settings = {}): Settings {
    const settings: Record<string, unknown> = {};
    for (const [key, setting] of Object.entries(rule.settings ?? {})) settings[key] = setting.default;
    return { ...settings, ...given };
}

/** References used by many rules. */
export const podSecurity = {
    title: "Pod Security Standards, restricted",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
};
export const podSecurityBaseline = {
    title: "Pod Security Standards, baseline",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
};
/** @param section  the heading in the guide */
export const hardeningGuide = (section: string): Described["reference"] => ({
    title: `NSA/CISA Kubernetes Hardening Guide, ${section}`,
    url: "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF",
});

/** CEL of a container's security setting with the pod's as its default: an optional. */
export function effectiveCel(field: string): string {
    const path = field.split(".").join(".?");
    return `c.?securityContext.?${path}.or(variables.pod.?securityContext.?${path})`;
}

/** CEL that words an optional as `shown` does. */
export function shownCel(field: string, optional: string): string {
    return `(${optional}.hasValue() ? "${field} is " + string(${optional}.value()) : "${field} is not set")`;
}
