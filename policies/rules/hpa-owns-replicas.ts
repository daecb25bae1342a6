import type { Resource, StackRule } from "../rule.ts";
import { called, ofKind, sameNamespace, scalable, scalersOf } from "../stack.ts";
import { at, text, UNKNOWN } from "../values.ts";

interface Target {
    readonly group: string;
    readonly kind?: string;
    readonly name?: string;
}

function targetOf({ props }: Resource): Target {
    const target = at(props, "spec", "scaleTargetRef");
    const group = (text(at(target, "apiVersion")) ?? "").replace(/\/?[^/]*$/, "");
    return { group, kind: text(at(target, "kind")), name: text(at(target, "name")) };
}

/** Whether two autoscalers scale one workload; unknown ones are not the same. */
function isSameTarget(one: Target, other: Target): boolean {
    return one.name !== undefined && one.name === other.name && one.kind === other.kind && one.group === other.group;
}

/** By name: the engine hands resources over in no fixed order. */
const listed = (scalers: readonly Resource[]): string => scalers.map(called).sort().join(" and ");

/** components/ownership sets it on an object that was changed by hand. */
const reappliedKey = "orcheo.dev/reapplied-generation";

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
    found(resources) {
        const workloads = scalable(resources).flatMap((resource) => {
            const scalers = scalersOf(resource, resources);
            const names = listed(scalers);
            if (scalers.length > 1) return [{ resource, found: `${called(resource)} is scaled by ${names}` }];
            const replicas = at(resource.props, "spec", "replicas");
            if (scalers.length === 0 || replicas === undefined || replicas === UNKNOWN) return [];
            // Set by the update that brings back a workload which was scaled to 0, until its autoscaler has scaled it.
            if (at(resource.props, "metadata", "annotations", reappliedKey) !== undefined) return [];
            return [{ resource, found: `${called(resource)} sets spec.replicas and is scaled by ${names}` }];
        });
        // The workload may be another stack's: its autoscalers are reported by themselves then.
        const ofOthers = ofKind(resources, "HorizontalPodAutoscaler").flatMap((resource, index, all) => {
            const target = targetOf(resource);
            const earlier = all
                .slice(0, index)
                .filter((other) => sameNamespace(other, resource) && isSameTarget(targetOf(other), target));
            const here = scalable(resources).some((workload) => scalersOf(workload, resources).includes(resource));
            if (here || earlier.length === 0) return [];
            const names = listed([...earlier, resource]);
            return [{ resource, found: `${String(target.kind)} "${String(target.name)}" is scaled by ${names}` }];
        });
        return [...workloads, ...ofOthers];
    },
};
