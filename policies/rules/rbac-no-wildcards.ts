import { builtIn } from "../kinds.ts";
import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, list, strings } from "../values.ts";

export const rbacNoWildcards: ResourceRule = {
    name: "rbac-no-wildcards",
    level: "mandatory",
    scope: "resource",
    types: builtIn("Role", "ClusterRole"),
    description: "A wildcard grants what nobody thought of, and what later versions will add.",
    remedy: "Name the API groups, resources and verbs that are needed.",
    reference: {
        title: "CIS Kubernetes Benchmark 5.1.3: minimize wildcard use in Roles and ClusterRoles",
        url: "https://www.cisecurity.org/benchmark/kubernetes",
    },
    notInCel: "only pod rules are deployed to the cluster",
    found: (resource) =>
        list(at(resource.props, "rules")).flatMap((rule, index) =>
            ["apiGroups", "resources", "verbs", "nonResourceURLs"]
                .filter((key) => strings(at(rule, key)).some((value) => /^\*(\/|$)/.test(value)))
                .map((key) => `${called(resource)}: rules[${index}].${key} has "*"`),
        ),
};
