import { builtIn, kindOf } from "../kinds.ts";
import type { Resource, ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, list, strings, text, UNKNOWN } from "../values.ts";

/** Built-in cluster roles that hold everything, wherever they are bound. */
const everything = [
    "cluster-admin",
    "system:kube-controller-manager",
    "system:controller:clusterrole-aggregation-controller",
];
/** Built-in cluster roles that read and write every Secret when they are bound to the whole cluster. */
const everySecret = ["admin", "edit", "system:aggregate-to-admin", "system:aggregate-to-edit", "system:node"];
/** Subjects that are nobody, or that no rule binds. */
const subjects = ["system:masters", "system:anonymous", "system:unauthenticated"];

function bindingProblems(resource: Resource): readonly string[] {
    const [name, kind] = [at(resource.props, "roleRef", "name"), at(resource.props, "roleRef", "kind")];
    const role = text(name) ?? "";
    const isCluster = (kind ?? "ClusterRole") === "ClusterRole";
    const everywhere = kindOf(resource.type) === "ClusterRoleBinding";
    const refused = isCluster && (everything.includes(role) || (everywhere && everySecret.includes(role)));
    // Kubernetes itself shows its version and health to everybody.
    const unknown = name === UNKNOWN || kind === UNKNOWN;
    const harmless = unknown || (isCluster && role === "system:public-info-viewer");
    const named = list(at(resource.props, "subjects")).map((each) => text(at(each, "name")) ?? "");
    const found = harmless ? [] : subjects.filter((subject) => named.includes(subject));
    return [
        ...(refused ? [`binds ${role}`] : []),
        ...found.map(
            (subject) => `binds ${subject === "system:masters" ? "system:masters" : `everybody (${subject})`}`,
        ),
    ];
}

/** A grant that leads to everything else. */
interface Grant {
    /** What it lets its holder do. */
    readonly does: string;
    readonly groups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
    /** Only a danger where it holds in every namespace. */
    readonly clusterOnly?: true;
    /** A danger even when it is restricted to names. */
    readonly evenNamed?: true;
}

const rbac = "rbac.authorization.k8s.io";
const grants: readonly Grant[] = [
    {
        does: "reads every Secret",
        groups: [""],
        resources: ["secrets"],
        verbs: ["get", "list", "watch"],
        clusterOnly: true,
    },
    {
        does: "binds roles that it does not hold",
        groups: [rbac],
        resources: ["roles", "clusterroles"],
        verbs: ["bind"],
    },
    {
        does: "grants itself what it does not hold",
        groups: [rbac],
        resources: ["roles", "clusterroles"],
        verbs: ["escalate"],
        evenNamed: true,
    },
    {
        does: "acts as anybody",
        groups: ["", "authentication.k8s.io"],
        resources: ["users", "groups", "serviceaccounts", "userextras", "uids"],
        verbs: ["impersonate"],
    },
    {
        does: "runs commands in any pod",
        groups: [""],
        resources: ["pods/exec", "pods/attach"],
        verbs: ["create", "get"],
    },
    {
        does: "adds containers to any pod",
        groups: [""],
        resources: ["pods/ephemeralcontainers"],
        verbs: ["update", "patch"],
    },
    {
        does: "reaches every kubelet",
        groups: [""],
        resources: ["nodes/proxy"],
        verbs: ["get", "create", "update", "patch", "delete"],
    },
    {
        does: "makes tokens of any service account",
        groups: [""],
        resources: ["serviceaccounts/token"],
        verbs: ["create"],
    },
    {
        does: "signs certificates for anybody",
        groups: ["certificates.k8s.io"],
        resources: ["signers"],
        verbs: ["approve", "sign"],
    },
];

const meets = (given: readonly string[], wanted: readonly string[]): boolean =>
    given.includes("*") || given.some((each) => wanted.includes(each));

function roleProblems(resource: Resource): readonly string[] {
    const everywhere = kindOf(resource.type) === "ClusterRole";
    return list(at(resource.props, "rules")).flatMap((rule, index) => {
        const [groups, resources, verbs] = ["apiGroups", "resources", "verbs"].map((key) => strings(at(rule, key)));
        const named = at(rule, "resourceNames");
        const isNamed = named === UNKNOWN || (Array.isArray(named) && named.length > 0);
        return (
            grants
                .filter((grant) => everywhere || grant.clusterOnly !== true)
                .filter((grant) => !isNamed || grant.evenNamed === true || strings(named).includes("system:masters"))
                .filter((grant) => meets(groups ?? [], grant.groups) && meets(verbs ?? [], grant.verbs))
                // All resources by a wildcard are the wildcard's own rule.
                .map((grant) => ({ ...grant, found: grant.resources.filter((each) => resources?.includes(each)) }))
                .filter(({ found }) => found.length > 0)
                .map(({ does, found }) => `rules[${index}] ${does} (${found.join(", ")})`)
        );
    });
}

export const rbacNoClusterAdmin: ResourceRule = {
    name: "rbac-no-cluster-admin",
    level: "mandatory",
    scope: "resource",
    types: builtIn("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
    description:
        "A subject with cluster-admin, or with a permission that leads to it (every Secret, bind, escalate, impersonate, exec, kubelets, tokens), controls everything.",
    remedy: "Bind a Role that names what is needed, in one namespace and with resourceNames where that is possible.",
    reference: {
        title: "Kubernetes: RBAC good practices, privilege escalation risks",
        url: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks",
    },
    notInCel: "only pod rules are deployed to the cluster",
    found: (resource) =>
        (kindOf(resource.type)?.endsWith("Binding") === true ? bindingProblems(resource) : roleProblems(resource)).map(
            (problem) => `${called(resource)} ${problem}`,
        ),
};
