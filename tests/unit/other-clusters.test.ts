/** Clusters that assign uids, inject sidecars, speak IPv6 or have their own DNS domain; and values with `$`. */
import { output } from "@pulumi/pulumi";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planDeployment, planInitialisation } from "../../components/backend/backend.plan";
import { planBackup } from "../../components/backup/backup.plan";
import { planCanvas } from "../../components/canvas/canvas.plan";
import { planPgbouncer } from "../../components/database/pgbouncer.plan";
import { poolerOf } from "../../components/config/kinds";
import { planValkey } from "../../components/cache/valkey.plan";
import { parseStack } from "../../components/stack/read";
import type { Stack } from "../../components/config/schema";
import { planPostgres } from "../../components/database/postgres.plan";
import { planUsersJob } from "../../components/database/database-users.plan";
import { planNetworkPolicies, translatedRanges } from "../../components/network/network.plan";
import { planService } from "../../components/kubernetes/service.plan";
import { literal } from "../../components/kubernetes/pod.plan";
import { runBoth, settingsOf } from "../harness";
import { proxyEnvironment } from "../../components/kubernetes/proxy.plan";

const dev = settingsOf("dev");
const kubernetes = { context: "orcheo-local" };
const backup = {
    kind: "s3",
    bucket: "orcheo-backups",
    endpoint: "https://s3.example.com",
    region: "eu-central-1",
    credentials: { kind: "secret", name: "keys" },
};

function stackOf(settings: object = {}): Stack {
    const json = JSON.stringify({ ...dev, backup, ...settings });
    const { stack, problems } = parseStack({ stack: "dev", keys: [], json, secret: false });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

interface Template {
    metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
    spec: {
        securityContext: Record<string, unknown>;
        containers: { env: { name: string; value: string }[]; securityContext: Record<string, unknown> }[];
    };
}

/** The pod template of every workload. */
function templates(settings: object = {}): Record<string, Template> {
    const stack = stackOf({ database: { kind: "statefulset", pooler: { kind: "pgbouncer" } }, ...settings });
    const { database, cache } = stack;
    const pooler = poolerOf(stack);
    const toBucket = stack.backup;
    if (database.kind !== "statefulset" || cache.kind !== "valkey" || toBucket === undefined || pooler === undefined)
        throw new Error("dev");
    const server = { url: { kind: "value" as const, value: output("") }, trust: { kind: "stack" as const } };
    const shared = {
        namespace: "orcheo",
        image: "i",
        serviceAccountName: "a",
        certificateSecret: "c",
        secretName: "s",
    };
    const backend = { ...shared, servers: { database: server, cache: server } };
    const data = { ...shared, passwordSecret: "s", configMap: "m", claimName: "d" };
    const dump = { ...shared, bucket: "b", database: server, authoritySecret: "c", authority: server.trust };
    const specs = {
        api: planDeployment("api", stack, backend).spec,
        worker: planDeployment("worker", stack, backend).spec,
        beat: planDeployment("beat", stack, backend).spec,
        canvas: planCanvas(stack, shared).spec,
        postgres: planPostgres(stack, database, data).spec,
        pgbouncer: planPgbouncer(stack, pooler, { ...shared, server }).spec,
        valkey: planValkey(stack, cache, data).spec,
        init: planInitialisation(stack, backend).spec,
        users: planUsersJob(stack, { ...shared, trust: server.trust }).spec,
        backup: planBackup(toBucket, stack, dump).spec,
    };
    const json = JSON.stringify(specs);
    return Object.fromEntries(
        Object.entries(JSON.parse(json) as Record<string, { template?: Template; jobTemplate?: unknown }>).map(
            ([role, spec]) => [
                role,
                spec.template ?? (spec.jobTemplate as { spec: { template: Template } }).spec.template,
            ],
        ),
    );
}
const jobs = ["init", "users", "backup"];

describe("the uid of the pods", () => {
    it("is the images' own by default", () => {
        for (const [role, { spec }] of Object.entries(templates()))
            expect(spec.securityContext, role).toMatchObject({ runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 });
    });

    it("is left to a platform that assigns one, and nothing else is", () => {
        const fixed = templates();
        for (const [role, { spec }] of Object.entries(
            templates({ kubernetes: { ...kubernetes, podUser: "assigned" } }),
        )) {
            expect(spec.securityContext, role).toEqual({
                runAsNonRoot: true,
                fsGroupChangePolicy: "OnRootMismatch",
                seccompProfile: { type: "RuntimeDefault" },
            });
            expect(spec.containers, role).toEqual(fixed[role]?.spec.containers);
            for (const { securityContext } of spec.containers) expect(securityContext).not.toHaveProperty("runAsUser");
        }
    });
});

describe("a service mesh", () => {
    it("puts no sidecar into a pod that ends, unless the stack says otherwise", () => {
        for (const [role, { metadata }] of Object.entries(templates())) {
            const { labels, annotations } = metadata;
            const told = [labels?.["sidecar.istio.io/inject"], annotations?.["linkerd.io/inject"]];
            expect(told, role).toEqual(jobs.includes(role) ? ["false", "disabled"] : [undefined, undefined]);
        }
        const own = { labels: { "sidecar.istio.io/inject": "true" }, annotations: { "linkerd.io/inject": "enabled" } };
        for (const [role, { metadata }] of Object.entries(templates({ pods: { all: own } })))
            expect(metadata, role).toMatchObject(own);
    });
});

/** How Kubernetes reads a value (third_party/forked/golang/expansion), with every name unknown but `KNOWN`. */
function expand(value: string): string {
    return value.replace(/\$(\$|\(([^)]*)\))/g, (all, what: string, name?: string) =>
        what === "$" ? "$" : name === "KNOWN" ? "replaced" : all,
    );
}

describe("values with $", () => {
    it("arrive as they were written", () => {
        const parts = fc.constantFrom("$", "$$", "$(", "(", ")", "KNOWN", "$(KNOWN)", "a");
        fc.assert(
            fc.property(fc.array(parts), (written) => {
                const value = written.join("");
                expect(expand(literal(value))).toBe(value);
            }),
        );
    });

    it("are changed only where Kubernetes would change them: nothing restarts for the others", () => {
        for (const value of ["", "a", "$", "a$b", "5 $", "(x)$"]) expect(literal(value)).toBe(value);
        expect(literal("$$")).toBe("$$$");
        expect(literal("$(A)")).toBe("$$(A)");
    });

    it.each(["api", "worker", "beat", "init", "canvas", "postgres", "pgbouncer", "valkey", "backup"])(
        "reach %s",
        (role) => {
            const settings = { pods: { all: { extraEnv: { PRICE: "$$5", NAME: "$(HOME)" } } } };
            expect(templates(settings)[role]?.spec.containers[0]?.env).toEqual(
                expect.arrayContaining([
                    { name: "PRICE", value: "$$$5" },
                    { name: "NAME", value: "$$(HOME)" },
                ]),
            );
        },
    );

    it("of a workload's own settings, too", () => {
        const settings = { worker: { extraEnv: { A: "$$" } } };
        expect(templates(settings)["worker"]?.spec.containers[0]?.env).toContainEqual({ name: "A", value: "$$$" });
    });
});

describe("IPv6", () => {
    it("a Service has the families of its cluster", () => {
        const port = { name: "https", number: 8443 };
        expect(planService({ role: "api", namespace: "orcheo", port })).toMatchObject({
            spec: { ipFamilyPolicy: "PreferDualStack" },
        });
    });

    it("private IPv4 addresses are not reached through NAT64 either", () => {
        expect(translatedRanges(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.51.100.128/25"])).toEqual([
            "64:ff9b::a00:0/104",
            "64:ff9b::ac10:0/108",
            "64:ff9b::c0a8:0/112",
            "64:ff9b::c633:6480/121",
            "64:ff9b:1::/48",
        ]);
        const outside = JSON.stringify(planNetworkPolicies(stackOf())["backend-out"]);
        expect(outside).toContain('"cidr":"::/0","except":["::1/128","fc00::/7","fe80::/10","64:ff9b::a00:0/104"');
    });
});

describe("the cluster's DNS domain", () => {
    const own = { kubernetes: { ...kubernetes, clusterDomain: "k8s.example.com" } };
    const proxy = { outbound: { proxy: { httpUrl: "http://proxy.example.com:3128" } } };

    it("is reached without the proxy", () => {
        expect(proxyEnvironment(stackOf(proxy))["NO_PROXY"]?.split(",")).toContain(".cluster.local");
        const { NO_PROXY = "" } = proxyEnvironment(stackOf({ ...own, ...proxy }));
        expect(NO_PROXY.split(",")).toContain(".k8s.example.com");
        expect(NO_PROXY).not.toContain("cluster.local");
    });

    it("is in the servers' certificates", async () => {
        const { resources } = await runBoth({ stack: "dev", settings: { ...dev, ...own } });
        const certificates = JSON.stringify(resources.filter(({ type }) => type.endsWith(":Certificate")));
        expect(certificates).toContain('"postgres.orcheo.svc.k8s.example.com"');
        expect(JSON.stringify(resources)).not.toContain("cluster.local");
    }, 60_000);

    it.each([".cluster.local", "cluster.local.", "Cluster.local", "a b", ""])("%j is refused", (clusterDomain) => {
        expect(() => stackOf({ kubernetes: { ...kubernetes, clusterDomain } })).toThrow("a DNS domain such as");
    });
});
