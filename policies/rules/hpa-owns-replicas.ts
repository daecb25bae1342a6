import type { StackRule } from "../rule.ts";
import { called, scalable, scalersOf } from "../stack.ts";
import { at, UNKNOWN } from "../values.ts";

export const hpaOwnsReplicas: StackRule = {
    name: "hpa-owns-replicas",
    level: "mandatory",
    scope: "stack",
    description: "Fixed replicas beside an autoscaler set the count back on every update, in the middle of the load.",
    remedy: "Leave spec.replicas out where a HorizontalPodAutoscaler targets the workload, and use one autoscaler only.",
    reference: {
        title: "Kubernetes: migrating to horizontal autoscaling",
        url: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling",
    },
    notInCel: "it needs other objects than the one at hand",
    found: (resources) =>
        scalable(resources).flatMap((resource) => {
            const scalers = scalersOf(resource, resources);
            const names = scalers.map(called).join(" and ");
            if (scalers.length > 1) return [{ resource, found: `${called(resource)} is scaled by ${names}` }];
            const replicas = at(resource.props, "spec", "replicas");
            if (scalers.length === 0 || replicas === undefined || replicas === UNKNOWN) return [];
            return [{ resource, found: `${called(resource)} sets spec.replicas and is scaled by ${names}` }];
        }),
};
