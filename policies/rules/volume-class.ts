import { builtIn } from "../kinds.ts";
import type { Resource, ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, list, strings, text, UNKNOWN } from "../values.ts";

function claims(resource: Resource): readonly unknown[] {
    if (resource.type.endsWith(":PersistentVolumeClaim")) return [resource.props];
    return list(at(resource.props, "spec", "volumeClaimTemplates"));
}

export const volumeClass: ResourceRule = {
    name: "volume-class",
    level: "advisory",
    scope: "resource",
    types: builtIn("PersistentVolumeClaim", "StatefulSet"),
    description: "A claim without a class lands on whatever the cluster's default is today.",
    remedy: "Set storageClassName to a class of the rule's setting.",
    reference: {
        title: "Kubernetes: storage classes",
        url: "https://kubernetes.io/docs/concepts/storage/storage-classes/",
    },
    settings: {
        classes: {
            type: "array",
            items: { type: "string" },
            description: "Allowed storage classes; none allows all that are named.",
            default: [],
        },
    },
    notInCel: "only pod rules are deployed to the cluster",
    found(resource, settings) {
        const allowed = strings(settings["classes"]);
        return claims(resource).flatMap((claim) => {
            const value = at(claim, "spec", "storageClassName");
            const name = text(at(claim, "metadata", "name")) ?? resource.name;
            if (value === UNKNOWN) return [];
            if (value === undefined) return [`${called(resource)}: claim "${name}" names no storageClassName`];
            return allowed.length === 0 || allowed.some((each) => each === value)
                ? []
                : [`${called(resource)}: claim "${name}" has storageClassName ${String(text(value))}`];
        });
    },
};
