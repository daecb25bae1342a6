/** Which fields of the stack's objects a patch may set, and the patched object. */
import { Output } from "@pulumi/pulumi";
import { nearest } from "../config/nearest";
import { shown, type Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import { isRecord } from "../config/values";

export type Transform = Stack["transforms"][number];

/** Values that a patch may have at one place. */
type Rule =
    | { readonly keys: Readonly<Record<string, Rule>> }
    /** A list whose items are named by a field: the patch is an object with those names as keys, all old or all new. */
    | { readonly namedBy: "name" | "mountPath"; readonly each: Rule; readonly items: "changed" | "added" }
    /** Names and texts; `refused` says which names belong to the stack. */
    | { readonly refused: RegExp }
    | "any"
    | "whole";

const any = (...names: readonly string[]): Record<string, Rule> =>
    Object.fromEntries(names.map((name) => [name, "any"]));
const whole = (...names: readonly string[]): Record<string, Rule> =>
    Object.fromEntries(names.map((name) => [name, "whole"]));
const keys = (rules: Readonly<Record<string, Rule>>): Rule => ({ keys: rules });

/** Labels select pods and mark owners. */
const ownLabels = /^(app\.kubernetes\.io|pod-security\.kubernetes\.io|kubernetes\.io|orcheo\.dev)\//;
/**
 * Annotations by which something else than the object's spec decides on safety: the stack's own and Pulumi's, the kernel's
 * profiles, credentials of clouds, sidecars, and those by which ingress controllers open, expose or decrypt.
 */
const ownAnnotations =
    /^(orcheo\.dev|pulumi\.com|[\w.-]*pod-security\.kubernetes\.io|seccomp\.security[\w.]*|container\.[\w.]+|eks\.amazonaws\.com|iam\.amazonaws\.com|iam\.gke\.io|azure\.workload\.identity|cert-manager\.io|acme\.cert-manager\.io|traefik\.ingress\.kubernetes\.io|[\w-]+\.ingress\.kubernetes\.io|service\.beta\.kubernetes\.io|networking\.gke\.io|cloud\.google\.com|sidecar\.istio\.io|[\w.]*linkerd\.io)\/|snippet/;
const metadata = keys({ labels: { refused: ownLabels }, annotations: { refused: ownAnnotations } });

const probe = keys(
    whole(...["initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold"]),
);
const container = keys({
    livenessProbe: probe,
    readinessProbe: probe,
    startupProbe: probe,
    ...any("lifecycle", "resizePolicy", "terminationMessagePath", "terminationMessagePolicy"),
    volumeMounts: { namedBy: "mountPath", each: keys(any("name", "readOnly", "subPath")), items: "added" },
});
const containers: Rule = { namedBy: "name", each: container, items: "changed" };
const volume = keys({ ...any("configMap", "csi", "persistentVolumeClaim", "secret") });
const template = keys({
    metadata,
    spec: keys({
        ...any("affinity", "nodeSelector", "tolerations", "topologySpreadConstraints"),
        ...any("dnsConfig", "hostAliases", "hostname", "subdomain", "readinessGates", "overhead", "resourceClaims"),
        ...any("priorityClassName", "preemptionPolicy", "runtimeClassName", "schedulerName", "schedulingGates"),
        containers,
        initContainers: containers,
        volumes: { namedBy: "name", each: volume, items: "added" },
    }),
});
const job = keys({ ...whole("activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"), template });

const specs: Readonly<Record<Transform["kind"], Rule | undefined>> = {
    Deployment: keys({
        ...whole("minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit"),
        strategy: keys({ rollingUpdate: keys(any("maxSurge")) }),
        template,
    }),
    StatefulSet: keys({ ...whole("minReadySeconds", "revisionHistoryLimit"), template }),
    CronJob: keys({
        ...whole("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"),
        ...any("timeZone"),
        jobTemplate: keys({ metadata, spec: job }),
    }),
    Job: job,
    Service: keys(any("internalTrafficPolicy", "trafficDistribution", "ipFamilies", "ipFamilyPolicy")),
    Ingress: undefined,
    HorizontalPodAutoscaler: keys(any("behavior")),
    PodDisruptionBudget: keys(any("unhealthyPodEvictionPolicy")),
    PersistentVolumeClaim: undefined,
    ServiceAccount: undefined,
    Certificate: keys(any("duration", "renewBefore", "renewBeforePercentage", "subject", "revisionHistoryLimit")),
    Gateway: keys({
        infrastructure: keys({ labels: { refused: ownLabels }, annotations: { refused: ownAnnotations } }),
    }),
    HTTPRoute: undefined,
};

const ruleOf = (kind: Transform["kind"]): Rule => {
    const spec = specs[kind];
    return keys({ metadata, ...(spec !== undefined && { spec }) });
};

/** Fields that a patch may set, by kind, such as `spec.template.spec.hostAliases`; for the docs. */
export function acceptedFields(kind: Transform["kind"]): readonly string[] {
    const below = (rule: Rule, at: string): readonly string[] => {
        if (typeof rule === "string" || "refused" in rule) return [at];
        if ("namedBy" in rule) return below(rule.each, `${at}.<${rule.namedBy}>`);
        return Object.entries(rule.keys).flatMap(([key, inner]) => below(inner, at === "" ? key : `${at}.${key}`));
    };
    return below(ruleOf(kind), "");
}

/** Settings of fields that patches do not set. */
const settings: Readonly<Record<string, string>> = {
    env: "extraEnv of the workload, or pods.<workload>.extraEnv",
    envFrom: "pods.<workload>.envFrom",
    image: "images",
    replicas: "replicas or scaling of the workload",
    resources: "resources of the workload",
    serviceAccountName: "serviceAccounts",
    terminationGracePeriodSeconds: "worker.longestRunSeconds",
};

/** @returns every field of a patch that is not accepted, with what is accepted instead */
export function transformProblems({ transforms }: Pick<Stack, "transforms">): Problem[] {
    return transforms.flatMap(({ kind, patch }, index) => {
        const at = `orcheo:stack.transforms[${index}].patch`;
        if (Object.keys(patch).length === 0) return [refused(at, patch, "a patch that sets a field")];
        return refusals(patch, ruleOf(kind), at);
    });
}

const refused = (at: string, value: unknown, accepted: string): Problem => ({
    at,
    found: shown(value, false),
    remedy: `accepted: ${accepted}`,
});

function refusals(value: unknown, rule: Rule, at: string): Problem[] {
    if (rule === "any")
        return holdsNull(value) ? [refused(at, value, "a value: null would remove the stack's own")] : [];
    if (rule === "whole")
        return Number.isSafeInteger(value) && Number(value) >= 0 ? [] : [refused(at, value, "a whole number")];
    if (!isRecord(value)) {
        const shape = "namedBy" in rule ? `an object whose keys are each item's ${rule.namedBy}` : "an object";
        return [refused(at, value, shape)];
    }
    if ("refused" in rule)
        return Object.entries(value).flatMap(([key, text]) => {
            if (rule.refused.test(key)) return [reserved(`${at}["${key}"]`)];
            return typeof text === "string" ? [] : [refused(`${at}["${key}"]`, text, "a text")];
        });
    if ("namedBy" in rule)
        return Object.entries(value).flatMap(([key, item]) => refusals(item, rule.each, `${at}["${key}"]`));
    return Object.entries(value).flatMap(([key, item]) => {
        const inner = Object.hasOwn(rule.keys, key) ? rule.keys[key] : undefined;
        return inner === undefined
            ? [unaccepted(key, `${at}.${key}`, Object.keys(rule.keys))]
            : refusals(item, inner, `${at}.${key}`);
    });
}

const reserved = (at: string): Problem => ({
    at,
    found: "is the stack's own or decides on access",
    remedy: "accepted: labels and annotations of other prefixes",
});

function unaccepted(key: string, at: string, accepted: readonly string[]): Problem {
    const setting = Object.hasOwn(settings, key) ? settings[key] : undefined;
    const guess = nearest(key, accepted);
    const hint = guess === undefined ? "" : `did you mean "${guess}"? `;
    if (setting !== undefined) return { at, found: "is a setting of its own", remedy: `use orcheo:stack.${setting}` };
    return {
        at,
        found: "would change what the stack guarantees",
        remedy: `${hint}accepted here: ${accepted.length === 0 ? "nothing" : accepted.join(", ")}`,
    };
}

function holdsNull(value: unknown): boolean {
    if (typeof value !== "object" || value === null) return value === null;
    return Object.values(value).some(holdsNull);
}

/** Whether a transform is meant for an object: `name` is its own, or the component's when Pulumi generates it. */
export function isMeant(
    { kind, name }: Transform,
    object: { readonly kind: string; readonly names: readonly unknown[] },
): boolean {
    return kind === object.kind && (name === undefined || object.names.includes(name));
}

type Wrong = (found: string, names: readonly string[]) => void;

/**
 * An object's inputs with a patch applied: RFC 7386, and lists of named items by name.
 *
 * @param wrong  called with the problem of a named item, and the names in the list
 * @see https://www.rfc-editor.org/rfc/rfc7386
 */
export function patched(target: unknown, { kind, patch }: Pick<Transform, "kind" | "patch">, wrong: Wrong): unknown {
    return merge(target, patch, ruleOf(kind), wrong);
}

function merge(target: unknown, patch: unknown, rule: Rule, wrong: Wrong): unknown {
    if (Output.isInstance(target)) return target.apply((value) => merge(value, patch, rule, wrong));
    if (!isRecord(patch)) return patch;
    if (typeof rule === "object" && "namedBy" in rule) {
        const { namedBy, each, items } = rule;
        const own = (Array.isArray(target) ? target : []).filter(isRecord);
        const names = own.map((item) => String(item[namedBy]));
        for (const name of Object.keys(patch).filter((each) => names.includes(each) !== (items === "changed")))
            wrong(items === "changed" ? `has no "${name}"` : `has a "${name}" of its own`, names);
        if (items === "added")
            return [...own, ...Object.entries(patch).map(([name, item]) => ({ [namedBy]: name, ...(item as object) }))];
        return own.map((item, index) => {
            const change = patch[names[index] ?? ""];
            return change === undefined ? item : merge(item, change, each, wrong);
        });
    }
    const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
    for (const [key, value] of Object.entries(patch)) {
        const inner = typeof rule === "object" && "keys" in rule ? rule.keys[key] : undefined;
        result[key] = merge(result[key], value, inner ?? "any", wrong);
    }
    return result;
}
