import { beforeAll, describe, expect, it } from "vitest";
import {
    digest,
    run as runOnce,
    runBoth,
    secretMark,
    settingsOf,
    type Program,
    type Registered,
    type Run,
} from "../harness";

type Fields = Record<string, unknown>;

function at(value: unknown, ...path: (string | number)[]): unknown {
    return path.reduce<unknown>(
        (here, key) => (here === null || here === undefined ? undefined : (here as Fields)[key]),
        value,
    );
}

const kind = ({ type }: Registered) => type.slice(type.lastIndexOf(":") + 1);

function podsOf({ resources }: Run): { name: string; spec: Fields; containers: Fields[] }[] {
    return resources
        .filter((each) => ["Deployment", "StatefulSet", "Job"].includes(kind(each)))
        .map((each) => {
            const spec = at(each.inputs, "spec", "template", "spec") as Fields;
            const lists = [spec["initContainers"] ?? [], spec["containers"]] as Fields[][];
            return { name: each.name, spec, containers: lists.flat() };
        });
}

function only({ resources }: Run, wanted: string, name: string): Registered {
    const [found, ...more] = resources.filter((each) => kind(each) === wanted && each.name === name);
    if (found === undefined || more.length > 0) throw new Error(`not exactly one ${wanted} ${name}`);
    return found;
}

/** Of a quantity in Mi or Gi. */
function mebibytesOf(quantity: unknown): number {
    const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(String(quantity)) ?? [];
    if (number === undefined) throw new Error(`${String(quantity)} is no size`);
    return Number(number) * (unit === "Gi" ? 1024 : 1);
}

const programs: [string, Program][] = [
    ["dev", { stack: "dev" }],
    ["prod with its data in the cluster (aws.test.ts has it on AWS)", { stack: "prod", settings: inCluster() }],
    ["dev with published images, standard controller, 0.46", { stack: "dev", settings: published() }],
];

function inCluster(): Fields {
    return { ...settingsOf("prod"), aws: undefined, database: { kind: "statefulset" }, cache: { kind: "valkey" } };
}

function published(): Fields {
    const images = ["backend", "canvas", "postgres", "valkey"].map(
        (name) => [name, `ghcr.io/a/${name}@${digest}`] as const,
    );
    return {
        ...settingsOf("dev"),
        release: "0.46",
        images: { kind: "published", ...Object.fromEntries(images) },
        entrance: { className: "alb", controller: { kind: "standard", annotations: { "a.example.com/tls": "on" } } },
    };
}

describe.each(programs)("%s", (_, program) => {
    let run: Run;
    beforeAll(async () => {
        run = await runBoth(program);
    }, 60_000);

    it("has one of each part", () => {
        expect(
            podsOf(run)
                .map(({ name }) => name)
                .sort(),
        ).toEqual(["api", "backend-init", "beat", "canvas", "postgres", "valkey", "worker"]);
        const policies = run.resources.filter((each) => kind(each) === "NetworkPolicy").map(({ name }) => name);
        expect(policies.sort()).toEqual(
            ["api", "backend-out", "canvas", "deny-all", "postgres", "valkey"].map((name) => `network-${name}`),
        );
    });

    it("every child has a parent", () => {
        const orphans = run.resources.filter(({ type, options }) => !type.startsWith("orcheo:") && !options.parented);
        expect(orphans).toEqual([]);
    });

    it("protects what holds data, and keeps it", () => {
        const kept = run.resources.filter(({ options }) => options.protect).map(({ name }) => name);
        expect(kept.sort()).toEqual([
            "cluster-namespace",
            "ownership",
            "postgres-data",
            "secrets-bootstrap",
            "secrets-postgres",
            "secrets-vault",
            "valkey-data",
        ]);
        for (const name of ["postgres-data", "valkey-data"])
            expect(only(run, "PersistentVolumeClaim", name).options.retainOnDelete).toBe(true);
    });

    it("shows random values nowhere but in Secrets, and there as secrets", () => {
        for (const each of run.resources) {
            if (kind(each) === "Secret") expect(Object.keys(each.inputs["stringData"] as Fields)).toContain("value");
            else expect(JSON.stringify(each.inputs)).not.toContain(secretMark);
        }
        expect(JSON.stringify(run.outputs)).not.toContain(secretMark);
        expect(run.resources.filter((each) => kind(each) === "Secret")).toHaveLength(3);
    });

    it("every pod meets Pod Security restricted and says what it needs", () => {
        for (const { spec, containers } of podsOf(run)) {
            expect(spec).toMatchObject({
                automountServiceAccountToken: false,
                enableServiceLinks: false,
                securityContext: {
                    runAsNonRoot: true,
                    runAsUser: 1000,
                    runAsGroup: 1000,
                    fsGroup: 1000,
                    seccompProfile: { type: "RuntimeDefault" },
                },
            });
            for (const container of containers) {
                expect(container["securityContext"]).toMatchObject({
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ["ALL"] },
                });
                expect(container["image"]).toMatch(/@sha256:[0-9a-f]{64}$/);
                expect(at(container, "resources", "requests", "cpu")).toMatch(/^\d+m?$/);
                expect(at(container, "resources", "limits", "memory")).toMatch(/^\d+[MG]i$/);
                for (const variable of (container["env"] ?? []) as Fields[])
                    expect(Object.keys(variable).sort()).toEqual(["name", "value"]);
            }
            for (const volume of (spec["volumes"] ?? []) as Fields[])
                if ("emptyDir" in volume) expect(at(volume, "emptyDir", "sizeLimit")).toMatch(/^\d+[MG]i$/);
        }
    });

    it("no container takes more CPU or disk than planned; logs and scratch directories count, those in memory do not", () => {
        for (const { name, spec, containers } of podsOf(run)) {
            const volumes = (spec["volumes"] ?? []) as Fields[];
            const onDisk = volumes.filter(
                (each) => at(each, "emptyDir") !== undefined && at(each, "emptyDir", "medium") !== "Memory",
            );
            for (const container of containers) {
                const mounted = ((container["volumeMounts"] ?? []) as Fields[]).map((mount) => mount["name"]);
                const scratch = onDisk.filter((volume) => mounted.includes(volume["name"]));
                const sizes = scratch.map((volume) => mebibytesOf(at(volume, "emptyDir", "sizeLimit")));
                const limit = mebibytesOf(at(container, "resources", "limits", "ephemeral-storage"));
                expect(limit, name).toBe(sizes.reduce((sum, size) => sum + size, 256));
                const request = mebibytesOf(at(container, "resources", "requests", "ephemeral-storage"));
                expect(request, name).toBeGreaterThan(0);
                expect(request, name).toBeLessThanOrEqual(limit);
                expect(at(container, "resources", "limits", "cpu"), name).toMatch(/^\d+m?$/);
            }
        }
    });

    it("API, worker, beat, canvas and servers are restarted when they hang", () => {
        const lasting = podsOf(run).filter(({ name }) => name !== "backend-init");
        for (const { name, spec } of lasting)
            for (const container of spec["containers"] as Fields[])
                for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"])
                    expect(at(container, probe, "periodSeconds"), `${name} ${probe}`).toBeGreaterThan(0);
    });

    it("no check that starts a process in a container is made more often than every ten seconds", () => {
        const checks = podsOf(run).flatMap(({ name, spec }) =>
            (spec["containers"] as Fields[]).flatMap((container) =>
                // The one of the start ends with it.
                ["readinessProbe", "livenessProbe"].flatMap((probe) =>
                    at(container, probe, "exec") === undefined
                        ? []
                        : [{ name, seconds: at(container, probe, "periodSeconds") }],
                ),
            ),
        );
        expect(new Set(checks.map(({ name }) => name))).toEqual(new Set(["beat", "postgres", "valkey", "worker"]));
        for (const { name, seconds } of checks) expect(seconds, name).toBeGreaterThanOrEqual(10);
    });

    it("the default quota counts the disk of every pod, and a quarter more", () => {
        const hard = at(only(run, "ResourceQuota", "cluster-quota").inputs, "spec", "hard") as Fields;
        const sum = (group: string) =>
            podsOf(run).reduce((total, { spec }) => {
                const [init, main] = ["initContainers", "containers"].map((list) =>
                    ((spec[list] ?? []) as Fields[]).map((each) =>
                        mebibytesOf(at(each, "resources", group, "ephemeral-storage")),
                    ),
                );
                return (
                    total +
                    Math.max(
                        ...(init ?? []),
                        (main ?? []).reduce((a, b) => a + b, 0),
                    )
                );
            }, 0);
        for (const group of ["requests", "limits"])
            expect(mebibytesOf(hard[`${group}.ephemeral-storage`])).toBeGreaterThanOrEqual(sum(group) * 1.25);
    });

    it("every mounted Secret, ConfigMap and claim is one of the stack's", () => {
        const certificates = run.resources
            .filter((each) => kind(each) === "Certificate")
            .map((each) => at(each.inputs, "spec", "secretName"));
        const named = run.resources
            .filter((each) => ["Secret", "ConfigMap"].includes(kind(each)))
            .map(({ name }) => `${name}-a1b2c3d4`);
        for (const { spec } of podsOf(run)) {
            const volumes = (spec["volumes"] ?? []) as Fields[];
            const secrets = volumes.flatMap((volume) => [
                at(volume, "secret", "secretName"),
                at(volume, "configMap", "name"),
                ...((at(volume, "projected", "sources") ?? []) as Fields[]).map((source) =>
                    at(source, "secret", "name"),
                ),
            ]);
            for (const name of secrets.filter((each) => each !== undefined))
                expect([...certificates, ...named]).toContain(name);
        }
    });

    it("workloads get only the keys they need", () => {
        const keys = Object.fromEntries(
            podsOf(run).map(({ name, spec }) => {
                const projected = ((spec["volumes"] ?? []) as Fields[]).flatMap(
                    (volume) => (at(volume, "projected", "sources") ?? []) as Fields[],
                );
                return [
                    name,
                    projected.flatMap((source) =>
                        (at(source, "secret", "items") as Fields[]).map((item) => item["key"]),
                    ),
                ];
            }),
        );
        expect(keys["canvas"]).toEqual([]);
        expect(keys["postgres"]).toEqual(["postgres-password"]);
        expect(keys["valkey"]).toEqual(["valkey-password"]);
        expect(keys["beat"]).not.toContain("vault-encryption-key");
        expect(keys["worker"]).not.toContain("auth-bootstrap-service-token");
    });

    it("the autoscaler owns the API's replicas; beat is one and never two", () => {
        expect(at(only(run, "Deployment", "api").inputs, "spec")).not.toHaveProperty("replicas");
        expect(
            at(only(run, "HorizontalPodAutoscaler", "api-autoscaler").inputs, "spec", "scaleTargetRef", "name"),
        ).toBe("api");
        expect(at(only(run, "Deployment", "beat").inputs, "spec")).toMatchObject({
            replicas: 1,
            strategy: { type: "Recreate" },
        });
    });

    it("routes lead to Services that exist, with the port they serve", () => {
        const served = new Map(
            run.resources
                .filter((each) => kind(each) === "Service")
                .map((each) => [at(each.inputs, "metadata", "name"), at(each.inputs, "spec", "ports", 0, "port")]),
        );
        const paths = run.resources
            .filter((each) => kind(each) === "Ingress")
            .flatMap((each) => at(each.inputs, "spec", "rules", 0, "http", "paths") as Fields[]);
        expect(paths.map((path) => path["path"])).toEqual(
            expect.arrayContaining(["/", "/api", "/ws", "/api/internal"]),
        );
        for (const path of paths)
            expect(served.get(at(path, "backend", "service", "name"))).toBe(
                at(path, "backend", "service", "port", "number"),
            );
        expect(paths.find((path) => path["path"] === "/api/internal")).toMatchObject({
            backend: { service: { name: "canvas" } },
        });
    });

    it("shows how to get the token, not the token", () => {
        expect(at(run.outputs, "bootstrapToken")).toMatch(/^kubectl .*get secret backend-secret-a1b2c3d4 /);
    });
});

it("a changed setting of the database renames no resource that holds data", async () => {
    const before = await runBoth({ stack: "dev" });
    const after = await runBoth({
        stack: "dev",
        settings: { ...settingsOf("dev"), database: { kind: "statefulset", memoryMiB: 1024 } },
    });
    for (const name of ["postgres-data", "valkey-data"])
        expect(only(after, "PersistentVolumeClaim", name).inputs).toEqual(
            only(before, "PersistentVolumeClaim", name).inputs,
        );
});

it("an image that is not built yet has an unknown digest, not an empty one", async () => {
    const { resources } = await runOnce({ stack: "dev" }, true);
    const images = podsOf({ resources, outputs: {} }).flatMap(({ containers }) => containers.map(({ image }) => image));
    expect(images.filter((image) => typeof image === "string" && image.endsWith("@"))).toEqual([]);
});
