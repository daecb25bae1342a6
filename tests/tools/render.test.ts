/** From what Pulumi's provider writes to manifests for a repository. */
import { expect, test } from "vitest";
import { fileOf, manifestsOf, missingSecrets, type Manifest } from "../../tools/render/manifests.plan.ts";

const planted = "cGxhbnRlZC1wYXNzd29yZA==";

function written(suffix: string, owner: string, setting = "max_connections = 100"): Manifest[] {
    const metadata = (name: string, more: object = {}) => ({
        name,
        namespace: "orcheo",
        annotations: { "orcheo.dev/docs": "docs/security.md", "orcheo.dev/owner": owner, ...more },
    });
    const generated = { "pulumi.com/autonamed": "true" };
    const spec = {
        template: {
            spec: {
                volumes: [
                    { secret: { secretName: `postgres-secret-${suffix}` } },
                    { configMap: { name: `postgres-config-${suffix}` } },
                ],
            },
        },
    };
    return [
        { apiVersion: "batch/v1", kind: "Job", metadata: metadata(`init-${suffix}`, generated), spec } as Manifest,
        {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: metadata("api", { "pulumi.com/skipAwait": "true" }),
            spec,
        } as Manifest,
        {
            ...{ apiVersion: "v1", kind: "ConfigMap", metadata: metadata(`postgres-config-${suffix}`, generated) },
            data: { "postgresql.conf": setting },
        } as Manifest,
        {
            ...{ apiVersion: "v1", kind: "Secret", metadata: metadata(`postgres-secret-${suffix}`, generated) },
            ...{ type: "Opaque", data: { "postgres-password": planted } },
        },
        { apiVersion: "v1", kind: "ConfigMap", metadata: metadata("updates"), data: { time: suffix } } as Manifest,
    ];
}

const [first, again] = [manifestsOf(written("0a1b2c3d", "one")), manifestsOf(written("99887766", "two"))];

test("the same settings give the same manifests, whatever Pulumi names its objects", () => {
    expect(first.objects).toEqual(again.objects);
    expect(first.objects.map(fileOf)).toEqual([
        expect.stringMatching(/^configmap-postgres-config-[0-9a-f]{8}\.yaml$/),
        "deployment.apps-api.yaml",
        expect.stringMatching(/^job\.batch-init-[0-9a-f]{8}\.yaml$/),
    ]);
});

test("references follow the names, and a change of the content is a new object and a new Job", () => {
    const [config, , job] = first.objects;
    const text = JSON.stringify(first.objects);
    expect(text).toContain('"secretName":"postgres-secret"');
    expect(text).toContain(`"configMap":{"name":"${config?.metadata.name ?? ""}"}`);
    const changed = manifestsOf(written("0a1b2c3d", "one", "max_connections = 200")).objects;
    expect(changed[0]?.metadata.name).not.toBe(config?.metadata.name);
    expect(changed[2]?.metadata.name).not.toBe(job?.metadata.name);
});

test("no secret is among the objects, nor what only Pulumi reads", () => {
    const text = JSON.stringify(first.objects);
    expect(text).not.toContain(planted);
    expect(text).not.toMatch(/pulumi\.com|orcheo\.dev\/owner|"updates"/);
    expect(text).toContain("orcheo.dev/docs");
    expect(first.secrets.map(({ metadata }) => metadata.name)).toEqual(["postgres-secret"]);
});

test("the list of missing secrets has names and keys, and no value", () => {
    const list = missingSecrets(first.secrets);
    expect(list).toContain("| postgres-secret | Opaque | postgres-password |");
    expect(list).not.toContain(planted);
});

test("what holds data is kept by Argo CD and Flux, and nothing else", () => {
    const of = (kind: string): Manifest => ({ apiVersion: "v1", kind, metadata: { name: "data" } });
    const { objects } = manifestsOf([of("Namespace"), of("PersistentVolumeClaim"), of("Service")]);
    const kept = {
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
    };
    expect(objects.map(({ kind, metadata: { annotations } }) => [kind, annotations])).toEqual([
        ["Namespace", kept],
        ["PersistentVolumeClaim", kept],
        ["Service", undefined],
    ]);
});
