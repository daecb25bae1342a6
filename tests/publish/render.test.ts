/** `npm run render`: what it writes is what the program would deploy, as a preview by the engine has it. Neither needs a cluster. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { committedFile, readStackFile } from "../../local/pulumi.ts";
import { settingsOf } from "../../local/settings.ts";
import { at, fields, list, text } from "../../policies/values.ts";
import { render } from "../../tools/render/main.ts";
import { manifestsOf, type Manifest } from "../../tools/render/manifests.plan.ts";
// The types of what own-stack.ts takes from its project's setup.
import type {} from "../verdicts/aws/account.ts";
import { withOwnStack } from "../verdicts/own-stack.ts";
import { driftOf } from "./drift.ts";
import { withoutCluster } from "./no-cluster.ts";

/** In a preview: what only the update knows, such as the name of a Secret. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The preview's value, with what it does not know taken from the rendered one. */
function completed(planned: unknown, rendered: unknown): unknown {
    if (planned === unknown) return rendered;
    // The provider leaves out empty lists.
    if (Array.isArray(planned) && planned.length === 0 && rendered === undefined) return undefined;
    if (Array.isArray(planned)) return planned.map((each, index) => completed(each, list(rendered)[index]));
    if (typeof planned !== "object" || planned === null) return planned;
    return Object.fromEntries(Object.entries(planned).map(([key, each]) => [key, completed(each, at(rendered, key))]));
}

/** Names of generated objects have a hash of their content, in which a preview lacks what it does not know. */
const identity = ({ apiVersion, kind, metadata }: Manifest): string =>
    `${apiVersion} ${kind} ${metadata.name.replace(/-[0-9a-f]{8}$/, "")}`;

const folder = withoutCluster();

test("the manifests are the objects of the preview, without a secret, and the same again", async () => {
    const committed = settingsOf(readStackFile(committedFile("dev")), "dev");
    await withOwnStack(
        "dev",
        committed,
        async (stack) => {
            const { objects, secrets } = render("dev", join(stack.folder, "stack.yaml"));
            const steps = list(at(JSON.parse(await stack.run("preview", "--json")), "steps"));
            const inputs = steps
                .filter((step) => (text(at(step, "newState", "type")) ?? "").startsWith("kubernetes:"))
                .map((step) => at(step, "newState", "inputs") as Manifest);
            const planned = manifestsOf(inputs);

            expect(objects.map(identity).sort()).toEqual(planned.objects.map(identity).sort());
            // All but the record of updates.
            expect(objects.length + secrets.length).toBe(inputs.length - 1);
            expect(objects.length).toBeGreaterThan(100);
            expect(driftOf(objects)).toEqual([]);
            const kept = objects.filter(
                ({ metadata }) => metadata.annotations?.["kustomize.toolkit.fluxcd.io/prune"] === "disabled",
            );
            expect(kept.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
                "Namespace orcheo",
                "PersistentVolumeClaim postgres-data",
                "PersistentVolumeClaim valkey-data",
            ]);
            const plannedBy = new Map(planned.objects.map((each) => [identity(each), each]));
            for (const object of objects) {
                const plan = plannedBy.get(identity(object));
                const named = { ...plan, metadata: { ...plan?.metadata, name: object.metadata.name } };
                expect(object).toEqual(completed(named, object));
            }
            expect(render("dev", join(stack.folder, "stack.yaml")).objects).toEqual(objects);
            expect(secrets.map(identity).sort()).toEqual(planned.secrets.map(identity).sort());
            const values = secrets.flatMap((secret) => Object.values(fields(at(secret, "data"))));
            expect(values.length).toBeGreaterThan(5);
            const written = JSON.stringify(objects);
            for (const value of values) {
                expect(written).not.toContain(text(value));
                expect(written).not.toContain(Buffer.from(text(value) ?? "", "base64").toString());
            }
        },
        "stand-in",
    );
});

test("manifests that would never settle are found, each with its reason", () => {
    const of = (kind: string, rest: object = {}) => ({ kind, metadata: { name: "a" }, ...rest });
    const scaled = of("HorizontalPodAutoscaler", { spec: { scaleTargetRef: { kind: "Deployment", name: "a" } } });
    expect(driftOf([scaled, of("Deployment"), of("Job")])).toEqual([]);
    expect(
        driftOf([
            scaled,
            of("Deployment", { spec: { replicas: 2 } }),
            of("Job", { spec: { ttlSecondsAfterFinished: 60 } }),
            of("StatefulSet", { spec: { updateStrategy: { type: "OnDelete" } } }),
            of("Service", { status: {}, spec: { ports: [{ name: null }] } }),
            of("ConfigMap", { data: { a: "a".repeat(256 * 1024) } }),
            { kind: "Pod", metadata: { name: "a", creationTimestamp: "2026-11-28T00:00:00Z" } },
            of("Secret"),
            of("Secret"),
        ]),
    ).toEqual([
        "Deployment a has replicas, which an autoscaler sets",
        "Job a is deleted once it has finished, and made again",
        "StatefulSet a waits for somebody to delete its pods",
        "Service a has a status",
        "Service a spec.ports[0].name is null, which the API server leaves out",
        "ConfigMap a does not fit into an annotation",
        "Pod a has metadata.creationTimestamp",
        "Secret a is there twice",
    ]);
});

test("a stack that would build images or make something elsewhere is refused, with what to do", () => {
    const settings = {
        kubernetes: { context: "none" },
        registry: { prefix: "127.0.0.1:5000/orcheo" },
        version: "0.1.0",
    };
    writeFileSync(join(folder, "building.yaml"), stringify({ config: { "orcheo:stack": settings } }));
    expect(() => render("dev", join(folder, "building.yaml"))).toThrow(
        /images\.kind "published"|no object of Kubernetes/,
    );
});
