import type { StackRule } from "../rule.ts";
import { called, fewestReplicas, ofKind, share, workloadsUnder } from "../stack.ts";
import { at, shown } from "../values.ts";

export const budgetLetsDrain: StackRule = {
    name: "budget-lets-drain",
    level: "mandatory",
    scope: "stack",
    description: "A PodDisruptionBudget that allows no disruption blocks every node drain and upgrade forever.",
    remedy: "Let maxUnavailable be at least 1, or minAvailable less than the fewest replicas.",
    reference: {
        title: "Kubernetes: disruption budgets",
        url: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    },
    notInCel: "it needs other objects than the one at hand",
    found: (resources) =>
        ofKind(resources, "PodDisruptionBudget").flatMap((resource) => {
            const maxUnavailable = at(resource.props, "spec", "maxUnavailable");
            const minAvailable = at(resource.props, "spec", "minAvailable");
            if (share(maxUnavailable, 100) === 0) {
                return [{ resource, found: `${called(resource)}: ${shown("maxUnavailable", maxUnavailable)}` }];
            }
            if (share(minAvailable, 100) === 100 && typeof minAvailable === "string") {
                return [{ resource, found: `${called(resource)}: ${shown("minAvailable", minAvailable)}` }];
            }
            return workloadsUnder(resource, resources).flatMap((workload) => {
                const fewest = fewestReplicas(workload, resources);
                if (fewest === undefined || Math.ceil(share(minAvailable, fewest) ?? 0) < fewest) return [];
                const text = `${called(resource)}: ${shown("minAvailable", minAvailable)}`;
                return [{ resource, found: `${text} and ${called(workload)} may have only ${fewest}` }];
            });
        }),
};
