import type { StackRule } from "../rule.ts";
import { called, fewestReplicas, ofKind, share } from "../stack.ts";
import { at, shown } from "../values.ts";

export const rolloutKeepsCapacity: StackRule = {
    name: "rollout-keeps-capacity",
    level: "mandatory",
    scope: "stack",
    description: "An update that takes every replica away at once is an outage.",
    remedy: "Use RollingUpdate with a maxUnavailable below the fewest replicas (0 with maxSurge 1 keeps all).",
    reference: {
        title: "Kubernetes: rolling update of a Deployment",
        url: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment",
    },
    notInCel: "the fewest replicas stand in the autoscaler, another object",
    found: (resources) =>
        ofKind(resources, "Deployment").flatMap((resource) => {
            const fewest = fewestReplicas(resource, resources);
            // A single replica that is recreated is a choice: a scheduler must not run twice.
            if (fewest === undefined || fewest < 2) return [];
            const type = at(resource.props, "spec", "strategy", "type");
            if (type === "Recreate") {
                return [{ resource, found: `${called(resource)} has ${fewest} replicas and strategy Recreate` }];
            }
            const unavailable = at(resource.props, "spec", "strategy", "rollingUpdate", "maxUnavailable");
            if ((share(unavailable, fewest) ?? 0) < fewest) return [];
            const text = `${called(resource)}: ${shown("maxUnavailable", unavailable)}`;
            return [{ resource, found: `${text} of at least ${fewest} replicas` }];
        }),
};
