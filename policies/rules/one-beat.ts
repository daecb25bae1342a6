import type { Resource, StackRule } from "../rule.ts";
import { called, ofKind, sameNamespace, scalersOf } from "../stack.ts";
import { at, number, strings, UNKNOWN } from "../values.ts";
import { podsOf } from "../workloads.ts";

/** Celery's scheduler: `celery … beat`, or a worker that runs one inside (`-B`). */
function beats(resource: Resource): boolean {
    return podsOf(resource.type, resource.name, resource.props)
        .flatMap((pod) => pod.containers)
        .some((container) => {
            const words = ["command", "args"]
                .flatMap((part) => strings(at(container.spec, part)))
                .flatMap((word) => word.split(/\s+/));
            const celery = words.findIndex((word) => /(^|\/)celery$/.test(word));
            const rest = celery < 0 ? [] : words.slice(celery + 1);
            return rest.includes("beat") || (rest.includes("worker") && /^(-B|--beat)$/m.test(rest.join("\n")));
        });
}

export const oneBeat: StackRule = {
    name: "one-beat",
    level: "mandatory",
    scope: "stack",
    description:
        "Celery's dispatch is not transactional: with two schedulers every job of a schedule runs twice, with none never.",
    remedy: "Keep one beat per namespace: one Deployment with replicas 1, strategy Recreate and no autoscaler.",
    reference: {
        title: "Celery: periodic tasks, only a single scheduler",
        url: "https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html",
    },
    notInCel: "it needs other objects than the one at hand",
    found(resources) {
        const all = ofKind(resources, "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
            .filter(beats)
            // The engine hands resources over in any order; the message is to be the same every time.
            .sort((a, b) => (a.urn < b.urn ? -1 : 1));
        return all.flatMap((resource, index) => {
            const problems: string[] = [];
            const replicas = at(resource.props, "spec", "replicas");
            const strategy = at(resource.props, "spec", "strategy", "type");
            const count = replicas === undefined || replicas === UNKNOWN ? 1 : (number(replicas) ?? 2);
            if (count > 1 || resource.type.endsWith(":DaemonSet")) problems.push("may run more than one beat");
            if (count < 1) problems.push("runs no beat");
            if (scalersOf(resource, resources).length > 0) problems.push("is a beat with an autoscaler");
            if (resource.type.endsWith(":Deployment") && strategy !== "Recreate" && strategy !== UNKNOWN) {
                problems.push("is a beat that a rolling update runs twice");
            }
            const earlier = all.slice(0, index).find((other) => sameNamespace(other, resource));
            if (earlier !== undefined) problems.push(`is a second beat beside ${called(earlier)}`);
            return problems.map((problem) => ({ resource, found: `${called(resource)} ${problem}` }));
        });
    },
};
