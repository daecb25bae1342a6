import { expect, test } from "vitest";
import { copyOf, objectsIn } from "../../bench/growth.ts";

test("a copy of a stack has its own namespace, hosts and cluster-wide names, and pods that nobody schedules", () => {
    const labels = { "app.kubernetes.io/part-of": "orcheo" };
    const pod = { spec: { containers: [{ name: "api", image: "registry/orcheo/api@sha256:0" }] } };
    const [namespace, deployment, policy, certificate] = copyOf(
        [
            { kind: "Namespace", metadata: { name: "orcheo", ...{ labels } } },
            { kind: "Deployment", metadata: { name: "api", namespace: "orcheo" }, ...{ spec: { template: pod } } },
            {
                kind: "ValidatingAdmissionPolicyBinding",
                metadata: { name: "orcheo.pinned" },
                ...{ spec: { policyName: "orcheo.pinned", key: { "kubernetes.io/metadata.name": "orcheo" } } },
            },
            {
                kind: "Certificate",
                metadata: { name: "api", namespace: "orcheo" },
                ...{ spec: { dnsNames: ["api.orcheo.svc", "orcheo.localhost"] } },
            },
        ],
        "orcheo",
        7,
    );
    expect(namespace).toEqual({ kind: "Namespace", metadata: { name: "orcheo-7", labels } });
    expect(deployment).toEqual({
        kind: "Deployment",
        metadata: { name: "api", namespace: "orcheo-7" },
        spec: { template: { spec: { ...pod.spec, schedulerName: "nobody" } } },
    });
    expect(policy).toMatchObject({
        metadata: { name: "orcheo-7.pinned" },
        spec: { policyName: "orcheo-7.pinned", key: { "kubernetes.io/metadata.name": "orcheo-7" } },
    });
    expect(certificate).toMatchObject({ spec: { dnsNames: ["api.orcheo-7.svc", "orcheo-7.localhost"] } });
});

test("objects are summed over all resources, without those that are not stored", () => {
    const metrics = [
        "# TYPE apiserver_resource_objects gauge",
        'apiserver_resource_objects{group="",resource="pods"} 12',
        'apiserver_resource_objects{group="apps",resource="deployments"} 3',
        'apiserver_resource_objects{group="x",resource="y"} -1',
        'apiserver_request_total{code="200"} 4',
    ];
    expect(objectsIn(metrics.join("\n"))).toBe(15);
});
