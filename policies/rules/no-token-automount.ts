import { shownCel, type PodRule, type Resource } from "../rule.ts";
import { namespaceOf, nameOf, ofKind } from "../stack.ts";
import { at, list, shown, text, UNKNOWN } from "../values.ts";
import type { Pod } from "../workloads.ts";

const field = "automountServiceAccountToken";

/** Whether two values may be the same; what is unknown may be. */
const maybe = (one: unknown, other: unknown): boolean => one === UNKNOWN || other === UNKNOWN || one === other;

/** The pod's service account; `serviceAccount` is an old name of the field. */
function accountOf(pod: Pod): unknown {
    const named = at(pod.spec, "serviceAccountName") ?? at(pod.spec, "serviceAccount");
    return named === "" ? undefined : named;
}

/** Whether a binding gives rights to the account. */
function binds(binding: Resource, account: unknown, namespace: unknown): boolean {
    const subjects = at(binding.props, "subjects");
    if (subjects === UNKNOWN) return true;
    return list(subjects).some((subject) => {
        const name = at(subject, "name");
        if (at(subject, "kind") === "User") {
            const [own, of] = [text(account), text(namespace)];
            return own !== undefined && name === `system:serviceaccount:${of ?? ""}:${own}`;
        }
        const where = at(subject, "namespace") ?? namespaceOf(binding);
        return at(subject, "kind") === "ServiceAccount" && maybe(name, account) && maybe(where, namespace);
    });
}

/** Whether the account itself says that its pods get no token; the pod's own word comes first. */
function withheld(pod: Pod, account: unknown, namespace: unknown, stack: readonly Resource[]): boolean {
    if (at(pod.spec, field) !== undefined) return false;
    return ofKind(stack, "ServiceAccount").some(
        (each) => nameOf(each) === account && maybe(namespaceOf(each), namespace) && at(each.props, field) === false,
    );
}

export const noTokenAutomount: PodRule = {
    name: "no-token-automount",
    level: "mandatory",
    scope: "pod",
    description: "A service account token in a pod that never calls the API is a credential for an attacker.",
    remedy:
        `Set ${field}: false unless the pod calls the Kubernetes API; then give it its own service account with a ` +
        "role binding in the same stack or, where the API server enforces this rule, a projected token.",
    reference: {
        title: "CIS Kubernetes Benchmark 5.1.6: service account tokens are only mounted where necessary",
        url: "https://www.cisecurity.org/benchmark/kubernetes",
    },
    found(pod) {
        const value = at(pod.spec, field);
        return value === false || value === UNKNOWN ? undefined : shown(field, value);
    },
    // The default account is everybody's: a program that calls the API has one of its own.
    inStack: {
        concerns: (pod) => ![undefined, "default"].some((none) => accountOf(pod) === none),
        excuses(pod, owner, stack) {
            const [account, namespace] = [accountOf(pod), namespaceOf(owner)];
            const bindings = ofKind(stack, "RoleBinding", "ClusterRoleBinding");
            return bindings.some((each) => binds(each, account, namespace)) || withheld(pod, account, namespace, stack);
        },
    },
    cel: {
        broken: `variables.pod.?${field}.orValue(true)`,
        found: shownCel(field, `variables.pod.?${field}`),
    },
    remediate(pod) {
        pod[field] = false;
    },
};
