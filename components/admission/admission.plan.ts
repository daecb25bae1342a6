import type { types } from "@pulumi/kubernetes";
import manifest from "../../policies/admission.json";
import { startsSolvers } from "../config/kinds";
import type { Stack } from "../config/schema";
import { solverLabel } from "../kubernetes/certificates.plan";
import { objectLabels } from "../kubernetes/labels";

/** One rule of policies/, as the cluster's API server enforces it. */
export interface AdmissionRule {
    readonly rule: string;
    readonly policy: types.input.admissionregistration.v1.ValidatingAdmissionPolicy;
    readonly binding: types.input.admissionregistration.v1.ValidatingAdmissionPolicyBinding;
}

/** Beginning of the names in policies/admission.json. */
const stem = "orcheo-";

const policies = manifest.items.flatMap(({ kind, metadata, spec }) =>
    kind === "ValidatingAdmissionPolicy" ? [{ rule: metadata.name.slice(stem.length), metadata, spec }] : [],
);

/** The bindings by rule; those of advisory rules only warn. */
const bindings = new Map(
    manifest.items.flatMap(({ kind, metadata, spec }) =>
        kind === "ValidatingAdmissionPolicyBinding" ? [[metadata.name.slice(stem.length), spec]] : [],
    ),
);

/** Rules that the API server can enforce. */
export const admissionRules: readonly string[] = policies.map(({ rule }) => rule);

/**
 * Objects that a rule skips. cert-manager passes the answer to ACME's challenge to its solver as an argument, which looks
 * like a secret; the solver serves it to everybody.
 */
function leftOut(rule: string, entrance: Stack["entrance"]): object {
    if (rule !== "no-secret-literals" || !startsSolvers(entrance)) return {};
    return { objectSelector: { matchExpressions: [{ key: solverLabel, operator: "DoesNotExist" }] } };
}

/**
 * The admission policies of the stack's namespace. They stand outside any namespace: each name begins with the stack's,
 * and a dot, which no namespace has, so that two stacks of a cluster never meet.
 */
export function planAdmission({
    kubernetes,
    entrance,
}: Pick<Stack, "kubernetes" | "entrance">): readonly AdmissionRule[] {
    const { admission, namespace } = kubernetes;
    if (admission.kind === "off") return [];
    const registries = JSON.stringify(admission.kind === "enforce" ? admission.registries : []);
    const labels = { ...objectLabels(), "app.kubernetes.io/component": "policies" };
    return policies.map(({ rule, metadata: { annotations }, spec }) => {
        const name = `${namespace}.${rule}`;
        const warns = admission.kind === "warn" || admission.warnOnly.includes(rule);
        const binding = bindings.get(rule);
        return {
            rule,
            policy: {
                metadata: { name, labels, annotations },
                spec: {
                    ...spec,
                    // The one setting of a rule that is the stack's.
                    variables: spec.variables?.map((each) =>
                        each.name === "registries" ? { ...each, expression: registries } : each,
                    ),
                },
            },
            binding: {
                metadata: { name, labels },
                spec: {
                    ...binding,
                    policyName: name,
                    validationActions: binding?.validationActions?.map((action) =>
                        warns && action === "Deny" ? "Warn" : action,
                    ),
                    // The API server sets this label itself, and it cannot be removed.
                    matchResources: {
                        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
                        ...leftOut(rule, entrance),
                    },
                },
            },
        };
    });
}
