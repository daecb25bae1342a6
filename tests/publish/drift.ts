/** What makes Argo CD or Flux see a difference that never ends, or has them fight a controller, in manifests as they are. */
import { at, fields, list, text } from "../../policies/values.ts";

/** A client-side apply, Argo CD's default, keeps the whole object in an annotation; the API server accepts so much of all annotations. */
const ANNOTATIONS_BYTES = 256 * 1024;
const ofServer = ["creationTimestamp", "generateName", "managedFields", "resourceVersion", "uid"];

/** @returns a line for each reason, none for manifests that settle */
export function driftOf(objects: readonly unknown[]): readonly string[] {
    const scaled = objects.filter((each) => at(each, "kind") === "HorizontalPodAutoscaler");
    const targets = scaled.map(
        (each) =>
            `${kindOf(at(each, "spec", "scaleTargetRef"))} ${text(at(each, "spec", "scaleTargetRef", "name")) ?? ""}`,
    );
    const names = objects.map(nameOf);
    return objects.flatMap((object, index) => {
        const name = nameOf(object);
        const found = [
            at(object, "status") !== undefined && "has a status",
            ...ofServer.map((key) => at(object, "metadata", key) !== undefined && `has metadata.${key}`),
            ...nulls(object).map((path) => `${path} is null, which the API server leaves out`),
            at(object, "spec", "ttlSecondsAfterFinished") !== undefined &&
                "is deleted once it has finished, and made again",
            targets.includes(name) &&
                at(object, "spec", "replicas") !== undefined &&
                "has replicas, which an autoscaler sets",
            at(object, "spec", "updateStrategy", "type") === "OnDelete" && "waits for somebody to delete its pods",
            JSON.stringify(object).length > ANNOTATIONS_BYTES && "does not fit into an annotation",
            names.indexOf(name) !== index && "is there twice",
        ];
        return found.filter((each) => each !== false).map((each) => `${name} ${each}`);
    });
}

const kindOf = (object: unknown): string => text(at(object, "kind")) ?? "";
const nameOf = (object: unknown): string => `${kindOf(object)} ${text(at(object, "metadata", "name")) ?? ""}`;

/** Paths of what is null. */
function nulls(value: unknown, path = ""): readonly string[] {
    if (value === null) return [path];
    if (Array.isArray(value)) return list(value).flatMap((each, index) => nulls(each, `${path}[${index}]`));
    if (typeof value !== "object") return [];
    return Object.entries(fields(value)).flatMap(([key, each]) => nulls(each, path === "" ? key : `${path}.${key}`));
}
