import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, text } from "../values.ts";

/** The built-in roles that read every Secret of where they are bound. */
const roles = ["cluster-admin", "admin", "edit"];

export const rbacNoClusterAdmin: ResourceRule = {
    name: "rbac-no-cluster-admin",
    level: "mandatory",
    scope: "resource",
    types: (type) => /^kubernetes:rbac\.authorization\.k8s\.io\/\w+:(Cluster)?RoleBinding$/.test(type),
    description: "Whoever holds cluster-admin, or a built-in role that reads every Secret, holds everything.",
    remedy: "Bind a Role that names what is needed.",
    reference: {
        title: "CIS Kubernetes Benchmark 5.1.1: cluster-admin is only used where required",
        url: "https://www.cisecurity.org/benchmark/kubernetes",
    },
    notInCel: "only pod rules are deployed to the cluster",
    found(resource) {
        const role = text(at(resource.props, "roleRef", "name")) ?? "";
        const everywhere = resource.type.endsWith(":ClusterRoleBinding");
        const refused = role === "cluster-admin" || (everywhere && roles.includes(role));
        return refused ? [`${called(resource)} binds ${role}`] : [];
    },
};
