/** Fields and objects that no setting covers, so that they do not require a fork of the program. */
import { z } from "zod";
import { choice, objectName } from "./fields";

/** Kinds with fields that a transform may set; components/stack/transforms.plan.ts lists the fields. */
export const transformedKinds = [
    ...(["Deployment", "StatefulSet", "CronJob", "Job", "Service", "Ingress"] as const),
    ...(["HorizontalPodAutoscaler", "PodDisruptionBudget", "PersistentVolumeClaim", "ServiceAccount"] as const),
    ...(["Certificate", "Gateway", "HTTPRoute"] as const),
] as const;

const json = (accepted: string) => z.record(z.string(), z.unknown(), { error: accepted }).meta({ accepted });

export const transforms = z
    .array(
        z.strictObject({
            kind: choice(transformedKinds).describe("Kind of the objects to patch."),
            name: objectName().optional().describe("Name of one object; default every object of the kind."),
            patch: json("a JSON merge patch"),
        }),
    )
    .default([])
    .describe(
        "Fields that no setting covers: {kind, name, patch}. The patch is a JSON merge patch (RFC 7386); lists of named items (containers, volumes) are patched by an object whose keys are the names. A field that would weaken what the policies enforce is refused: docs/kubernetes.md lists what is accepted.",
    );

export const extraObjects = z
    .array(json("a Kubernetes manifest: apiVersion, kind, metadata.name"))
    .default([])
    .describe(
        "Further objects of the stack's namespace, as manifests. They are created, updated and deleted with the stack and held to the same policies; volumes are kept.",
    );
