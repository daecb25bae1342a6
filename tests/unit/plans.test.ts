import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planAutoscaler } from "../../components/kubernetes/autoscaler.plan";
import { planDeployment, planEnvironment } from "../../components/backend/backend.plan";
import { quotaOf } from "../../components/cluster/capacity.plan";
import { nearest } from "../../components/config/nearest";
import { parseStack } from "../../components/stack/read";
import type { DatabaseOf, Stack } from "../../components/config/schema";
import { planPostgresConf, planTuning } from "../../components/database/postgres.plan";
import { planEntrance } from "../../components/entrance/entrance.plan";
import { planRoutes } from "../../components/entrance/routes.plan";
import { planTraefik } from "../../components/entrance/traefik.plan";
import { planImage } from "../../components/images/images.plan";
import { planNetworkPolicies } from "../../components/network/network.plan";
import { mebibytes, millis } from "../../components/kubernetes/quantity";
import { settingsOf } from "../harness";

function stackOf(settings: object = {}): Stack {
    const json = JSON.stringify({ ...settingsOf("dev"), ...settings });
    const { stack, problems } = parseStack({ stack: "dev", keys: [], json, secret: false });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

/** Of any size, also one that the stack's pods would be too many for. */
function databaseOf(settings: Partial<DatabaseOf<"statefulset">>): DatabaseOf<"statefulset"> {
    const { database } = stackOf();
    if (database.kind !== "statefulset") throw new Error(database.kind);
    return { ...database, ...settings };
}

describe("Postgres", () => {
    it("is tuned to its memory", () => {
        expect(planPostgresConf(databaseOf({ memoryMiB: 1024, maxConnections: 100 }))).toBe(
            [
                "max_connections = '100'",
                "shared_buffers = '256MB'",
                "effective_cache_size = '512MB'",
                "work_mem = '3932kB'",
                "maintenance_work_mem = '64MB'",
                "autovacuum_max_workers = '2'",
                "max_wal_size = '1024MB'",
                "min_wal_size = '80MB'",
                "checkpoint_completion_target = '0.9'",
                "random_page_cost = '1.1'",
                "",
            ].join("\n"),
        );
    });

    it("never plans more memory or disk than it has", () => {
        fc.assert(
            fc.property(
                fc.integer({ min: 256, max: 524_288 }),
                fc.integer({ min: 20, max: 128 }),
                fc.integer({ min: 1, max: 65_536 }),
                (memoryMiB, maxConnections, storageGiB) => {
                    const tuning = planTuning(databaseOf({ memoryMiB, maxConnections, storageGiB }));
                    const number = (key: string) => Number.parseInt(tuning[key] ?? "", 10);
                    const workMiB = (number("work_mem") * maxConnections) / 1024;
                    expect(number("shared_buffers") + workMiB + number("maintenance_work_mem")).toBeLessThanOrEqual(
                        memoryMiB,
                    );
                    expect(number("max_wal_size")).toBeLessThanOrEqual(storageGiB * 128);
                    expect(number("min_wal_size")).toBeLessThan(number("max_wal_size"));
                },
            ),
        );
    });
});

describe("capacity", () => {
    it("the default quota always holds the peak", () => {
        fc.assert(
            fc.property(
                fc.integer({ min: 1, max: 200 }),
                fc.integer({ min: 0, max: 100 }),
                fc.integer({ min: 1, max: 200 }),
                (min, more, workers) => {
                    const maxReplicas = Math.min(200, min + more);
                    const { need, quota } = quotaOf(
                        stackOf({ api: { scaling: { minReplicas: min, maxReplicas } }, worker: { replicas: workers } }),
                    );
                    expect(need.pods).toBeGreaterThanOrEqual(maxReplicas + 1 + workers + 1 + 5);
                    for (const key of [
                        "cpuRequestMillis",
                        "memoryRequestMiB",
                        "memoryLimitMiB",
                        "ephemeralRequestMiB",
                        "ephemeralLimitMiB",
                        "pods",
                        "storageGiB",
                    ] as const)
                        expect(quota[key]).toBeGreaterThanOrEqual(need[key]);
                },
            ),
        );
    });

    it("counts the joined CAs of the proxy and of the issuer, whichever is private", () => {
        const need = (settings: object) => quotaOf(stackOf(settings)).need.ephemeralLimitMiB;
        const signIn = { kind: "oidc", issuer: "https://id.example.com", clientId: "orcheo", audience: "orcheo" };
        const withIssuer = { auth: { signIn: { ...signIn, authority: { kind: "file", path: "issuer.pem" } } } };
        const withProxy = { outbound: { caBundleFile: "proxy.pem" } };
        expect(need({ auth: { signIn } })).toBe(need({}));
        expect(need(withProxy)).toBeGreaterThan(need({}));
        expect(need(withIssuer)).toBe(need(withProxy));
        expect(need({ ...withIssuer, ...withProxy })).toBe(need(withProxy));
    });

    it("quantities are written as the API server stores them", () => {
        expect([millis(1000), millis(1500), mebibytes(1024), mebibytes(1536)]).toEqual(["1", "1500m", "1Gi", "1536Mi"]);
    });
});

describe("backend", () => {
    const inputs = {
        namespace: "orcheo",
        image: "i",
        serviceAccountName: "a",
        secretName: "s",
        certificateSecret: "c",
        servers: {
            database: {
                url: { kind: "secret" as const, secretName: "db", key: "url" },
                trust: { kind: "secret" as const, name: "db", key: "root.pem" },
            },
            cache: {
                url: { kind: "secret" as const, secretName: "cache", key: "url" },
                trust: { kind: "system" as const },
            },
        },
    };

    it("reads URLs where they are, and has the image refuse any other TLS", () => {
        const plan = JSON.stringify(planDeployment("beat", stackOf(), inputs));
        for (const part of [
            '{"name":"PGSSLMODE","value":"verify-full"}',
            '{"name":"PGSSLROOTCERT","value":"/etc/orcheo/database-ca/ca.crt"}',
            '{"name":"REDIS_TLS_CA_FILE","value":"/etc/ssl/certs/ca-certificates.crt"}',
            '"sources":[{"secret":{"name":"db","items":[{"key":"url","path":"postgres-dsn"}]}},{"secret":{"name":"cache","items":[{"key":"url","path":"redis-url"}]}}]',
            '{"name":"database-ca","secret":{"secretName":"db","items":[{"key":"root.pem","path":"ca.crt"}],"defaultMode":288}}',
        ])
            expect(plan).toContain(part);
    });

    it("a worker outlives the longest run", () => {
        fc.assert(
            fc.property(fc.integer({ min: 10, max: 86_400 }), (longestRunSeconds) => {
                expect(planDeployment("worker", stackOf({ worker: { longestRunSeconds } }), inputs)).toMatchObject({
                    spec: { template: { spec: { terminationGracePeriodSeconds: longestRunSeconds + 30 } } },
                });
            }),
        );
    });

    it("API, beat and worker know the longest run; the worker knows what happens to lost ones", () => {
        const stack = stackOf({ worker: { longestRunSeconds: 7200, lostRuns: "restart" } });
        const longest = '{"name":"ORCHEO_WORKER_LONGEST_RUN_SECONDS","value":"7200"}';
        for (const role of ["api", "worker", "beat"] as const)
            expect(JSON.stringify(planDeployment(role, stack, inputs))).toContain(longest);
        const lost = (settings: object) =>
            JSON.stringify(planDeployment("worker", stackOf({ worker: settings }), inputs));
        expect(lost({ lostRuns: "restart" })).toContain('{"name":"ORCHEO_WORKER_LOST_RUNS","value":"restart"}');
        expect(lost({})).toContain('{"name":"ORCHEO_WORKER_LOST_RUNS","value":"fail"}');
        expect(lost({ memoryPerProcessMiB: 400, runsPerProcess: 50 })).toContain(
            '{"name":"ORCHEO_WORKER_RUNS_PER_PROCESS","value":"50"},{"name":"ORCHEO_WORKER_PROCESS_MEMORY_MIB","value":"400"}',
        );
        expect(lost({})).not.toMatch(/RUNS_PER_PROCESS|PROCESS_MEMORY/);
    });

    it("room for uploads is a setting, and the pod may fill no more of its node than that and its logs", () => {
        const stack = stackOf({ worker: { scratch: { tmpMiB: 4096 } } });
        expect(planDeployment("worker", stack, inputs)).toMatchObject({
            spec: {
                template: {
                    spec: {
                        containers: [{ resources: { limits: { "ephemeral-storage": "5376Mi" } } }],
                        volumes: expect.arrayContaining([{ name: "tmp", emptyDir: { sizeLimit: "4Gi" } }]) as unknown,
                    },
                },
            },
        });
        const extra = quotaOf(stack).need.ephemeralLimitMiB - quotaOf(stackOf()).need.ephemeralLimitMiB;
        expect(extra).toBe(3 * (4096 - 512));
    });

    it("extra environment cannot replace what the stack sets", () => {
        const env = planEnvironment("api", stackOf({ api: { extraEnv: { ORCHEO_AUTH_MODE: "optional", A_B: "1" } } }));
        expect(env).toMatchObject({ ORCHEO_AUTH_MODE: "required", A_B: "1" });
    });

    it("rolls without losing a replica and waits until nobody asks", () => {
        expect(planDeployment("api", stackOf(), inputs)).toMatchObject({
            spec: {
                strategy: { rollingUpdate: { maxUnavailable: 0 } },
                template: { spec: { containers: [{ lifecycle: { preStop: { sleep: { seconds: 5 } } } }] } },
            },
        });
    });
});

it("the autoscaler's metrics are percent of the requests", () => {
    expect(planAutoscaler("api", stackOf().api.scaling)).toMatchObject({
        minReplicas: 2,
        maxReplicas: 4,
        metrics: [
            { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
            { type: "Resource", resource: { name: "memory", target: { type: "Utilization", averageUtilization: 80 } } },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
    });
});

describe("entrance", () => {
    it("webhooks and ChatKit's assets exist since 0.46", () => {
        expect(planRoutes("0.33").plain).not.toHaveProperty("/hooks");
        expect(planRoutes("0.46").plain).toMatchObject({ "/hooks": "api", "/assets/ck1": "api" });
    });

    it("no body is buffered on the way of a stream; pods are verified with the stack's authority", () => {
        const objects = planTraefik(stackOf().entrance, "orcheo", { api: "api-tls", canvas: "canvas-tls" });
        expect(objects["transport-api"]).toMatchObject({
            spec: { serverName: "api", rootCAs: [{ secret: "api-tls" }] },
        });
        expect(objects["middleware-headers"]).toMatchObject({ spec: { headers: { stsSeconds: 31_536_000 } } });
        const standard = stackOf({ entrance: { controller: { kind: "standard" } } });
        expect(planEntrance(standard, "orcheo", { api: "", canvas: "" }).objects).toEqual({});
    });
});

describe("images", () => {
    it("the canvas comes from a git tag by default", () => {
        expect(planImage("canvas", stackOf())).toMatchObject({
            context: "images/canvas",
            named: { orcheo: { location: "https://github.com/AI-Colleagues/orcheo.git#canvas-v0.16.0" } },
            repository: "127.0.0.1:5000/orcheo/canvas",
            tag: "0.1.0",
        });
    });

    it("a release changes only the tag of servers that pods are connected to", () => {
        for (const name of ["postgres", "pgbouncer", "valkey"] as const) {
            const [one, two] = ["1.0.0", "2.0.0"].map((version) => planImage(name, stackOf({ version })));
            expect(one).toMatchObject({ name: `127.0.0.1:5000/orcheo/${name}`, tag: "1.0.0" });
            expect(two).toEqual({ ...one, tag: "2.0.0" });
        }
        expect(planImage("backend", stackOf({ version: "1.0.0" }))).toMatchObject({
            name: "127.0.0.1:5000/orcheo/backend:1.0.0",
        });
    });

    it("the same input gives the same build, independent of the time", () => {
        expect(planImage("backend", stackOf())).toMatchObject({
            args: { SOURCE_DATE_EPOCH: "1767225600", CREATED: "2026-01-01T00:00:00Z", ORCHEO_RELEASE: "0.33" },
        });
    });
});

it("network policies refuse all, and open private ranges only when told", () => {
    const policies = planNetworkPolicies(stackOf({ network: { privateCidrs: ["10.1.0.0/16"] } }));
    expect(policies["deny-all"]).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    expect(policies["postgres"]).not.toHaveProperty("egress");
    const outside = JSON.stringify(policies["backend-out"]);
    expect(outside).toContain('{"ipBlock":{"cidr":"10.1.0.0/16"}}');
    expect(outside).toContain('"except":["10.0.0.0/8"');
    const cached = planNetworkPolicies(stackOf({ network: { dnsCidrs: ["169.254.20.10/32"] } }))["backend-out"];
    expect(cached?.egress).toContainEqual({
        to: [
            { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } },
            { ipBlock: { cidr: "169.254.20.10/32" } },
        ],
        ports: [
            { port: 53, protocol: "UDP" },
            { port: 53, protocol: "TCP" },
        ],
    });
});

it("suggests the likely name, and nothing far-fetched", () => {
    expect(nearest("namespac", ["context", "namespace"])).toBe("namespace");
    expect(nearest("zzz", ["context", "namespace"])).toBeUndefined();
});
