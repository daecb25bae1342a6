/** What the Compose files promise, read from the committed files as Compose reads them. */
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { planDeployment } from "../../../components/backend/backend.plan";
import { checks, dailySeconds, entrypoints, secretFile } from "../../../compose/document.plan";
import { planService, type Host } from "../../../compose/service.plan";
import { stackOf } from "../../../compose/stack.plan";
import { planTraefikFile } from "../../../compose/traefik.plan";

interface Read {
    readonly [key: string]: unknown;
    readonly image: string;
    readonly user: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly secrets?: readonly { readonly source: string; readonly target: string }[];
    readonly networks: readonly string[];
    readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
    readonly deploy: { readonly resources: Readonly<Record<"limits" | "reservations", Record<string, unknown>>> };
    readonly volumes?: readonly string[];
    readonly ports?: readonly string[];
}
interface Document {
    readonly services: Readonly<Record<string, Read>>;
    readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
    readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const text = (file: string): string => readFileSync(`compose/${file}.yaml`, "utf8");
const documents = { dev: parse(text("dev")) as Document, prod: parse(text("prod")) as Document };
const every = Object.entries(documents).flatMap(([file, { services }]) =>
    Object.entries(services).map(([name, service]) => [`${file}, ${name}`, service] as const),
);
const { services: prod } = documents.prod;
const { services: dev } = documents.dev;

describe.each(every)("%s", (_, service) => {
    it("has no rights, no writable root, and an end to processes, memory, CPU and logs", () => {
        expect(service).toMatchObject({
            read_only: true,
            cap_drop: ["ALL"],
            security_opt: ["no-new-privileges=true"],
            logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
        });
        expect(service).not.toHaveProperty("privileged");
        expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
        const { limits, reservations } = service.deploy.resources;
        expect(Object.keys(limits).sort()).toEqual(["cpus", "memory", "pids"]);
        expect(Object.keys(reservations).sort()).toEqual(["cpus", "memory"]);
    });

    it("has no secret in its environment", () => {
        for (const name of Object.keys(service.environment ?? {}))
            expect(name).not.toMatch(/PASSWORD$|_TOKEN$|_SECRET$|_DSN$|ENCRYPTION_KEY$|^REDIS_URL$/);
    });

    it("restarts unless it is a task", () => {
        expect(service["restart"]).toBe(/, (check|init|tests)$/.test(_) ? "no" : "unless-stopped");
    });
});

describe("prod", () => {
    it("mounts nothing of the machine but single files", () => {
        for (const { volumes = [] } of Object.values(prod))
            for (const volume of volumes) expect(volume).toMatch(/^(acme|postgres|valkey):/);
    });

    it("takes images by digest from .env, and stops with the remedy where one is missing", () => {
        for (const { image } of Object.values(prod))
            expect(image).toMatch(/^\$\{ORCHEO_\w+_IMAGE:\?set it in compose\/\.env to an image by digest[^}]*\}$/);
    });

    it("only Traefik is reached from outside, and data has no way out", () => {
        const published = Object.entries(prod).filter(([, { ports }]) => ports !== undefined);
        expect(published.map(([name]) => name)).toEqual(["traefik"]);
        const { networks } = documents.prod;
        expect(networks).toMatchObject({ data: { internal: true }, inner: { internal: true } });
        for (const name of ["postgres", "valkey", "beat", "init"]) expect(prod[name]?.networks).toEqual(["data"]);
        for (const name of ["postgres", "valkey"])
            expect(
                Object.entries(prod)
                    .filter(([, { networks }]) => networks.includes("data"))
                    .map(([each]) => each),
            ).toContain(name);
        expect(prod["traefik"]?.networks).not.toContain("data");
        expect(prod["canvas"]?.networks).toEqual(["inner"]);
    });
});

const started = (services: Document["services"], name: string): string[] => {
    const direct = Object.keys(services[name]?.depends_on ?? {});
    return [...new Set([...direct, ...direct.flatMap((each) => started(services, each))])];
};

test.each([
    ["dev", dev],
    ["prod", prod],
] as const)("%s: every service waits for the check of .env, and Orcheo for the initialisation", (_, services) => {
    for (const name of Object.keys(services))
        if (name !== "check") expect(started(services, name), name).toContain("check");
    for (const name of ["api", "worker", "beat"])
        expect(services[name]?.depends_on).toEqual({ init: { condition: "service_completed_successfully" } });
    expect(services["init"]?.depends_on).toEqual({
        postgres: { condition: "service_healthy" },
        valkey: { condition: "service_healthy" },
    });
    for (const name of ["postgres", "valkey", "canvas"])
        expect(services[name]?.depends_on).toEqual({ check: { condition: "service_completed_successfully" } });
});

describe("dev", () => {
    it("publishes on loopback only", () => {
        for (const { ports = [] } of Object.values(dev))
            for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    });

    it.each(["api", "worker"])("%s runs the mounted source, read-only, and starts anew when it changes", (name) => {
        expect(dev[name]?.volumes).toEqual(["${ORCHEO_SOURCE:-./no-source}:/src:ro"]);
        expect(dev[name]?.environment?.["PYTHONPATH"]).toBe("/src/src:/src/apps/backend/src:/src/packages/sdk/src");
        expect(String((dev[name]?.["entrypoint"] as string[])[2])).toMatch(
            new RegExp(`exec /opt/orcheo/bin/python3 -P /etc/compose/reload\\.py ${name}$`),
        );
    });

    it("the canvas is served by Vite where its source is mounted, read-only, otherwise by nginx", () => {
        expect(dev["canvas"]?.volumes).toEqual(["${ORCHEO_SOURCE:-./no-source}:/src:ro"]);
        expect((dev["canvas"]?.["entrypoint"] as string[])[2]?.split("\n")).toEqual([
            "set -e",
            "if [ -d /src/apps/canvas ]; then exec node /usr/local/lib/dev-server.mjs /src/apps/canvas; fi",
            "canvas prepare",
            "exec canvas serve",
        ]);
        // Vite's WebSocket: a buffered one never opens.
        const traefik = planTraefikFile(stackOf("prod"), "dev") as {
            http: { routers: Record<string, { rule: string; middlewares: string[] }> };
        };
        const reload = Object.values(traefik.http.routers).filter(({ rule }) => rule.includes("/vite-hmr"));
        expect(reload.map(({ middlewares }) => middlewares)).toEqual([["headers"]]);
        expect(readFileSync("images/canvas/dev-server.mjs", "utf8")).toContain('path: "vite-hmr"');
    });

    it("watchfiles is part of every release's image", () => {
        for (const release of ["0.33", "0.46"])
            expect(readFileSync(`images/backend/requirements-${release}.lock`, "utf8")).toMatch(/^watchfiles==/m);
    });
});

it.each(Object.entries(entrypoints))("the entrypoint of %s is the image's", (image, entrypoint) => {
    expect(readFileSync(`images/${image}/Dockerfile`, "utf8")).toContain(
        `ENTRYPOINT ${JSON.stringify(entrypoint).replaceAll('","', '", "')}`,
    );
});

it("the canvas is checked as its image says", () => {
    const dockerfile = readFileSync("images/canvas/Dockerfile", "utf8");
    expect(dockerfile).toContain(`CMD ${JSON.stringify(checks.canvas).replaceAll('","', '", "')}`);
});

it("secrets are files by the names that prepare.sh gives them", () => {
    expect(secretFile("api-tls-ca-crt")).toBe("./secrets/api-tls/ca.crt");
    expect(secretFile("orcheo-auth-jwt-secret")).toBe("./secrets/orcheo/auth-jwt-secret");
    const made = readFileSync("compose/prepare.sh", "utf8");
    for (const { file } of [...Object.values(documents.dev.secrets), ...Object.values(documents.prod.secrets)])
        expect(made).toContain(
            file
                .replace("./secrets/", "")
                .split("/")[0]
                ?.replace(/^(api|canvas|postgres|valkey)-tls$/, "$1"),
        );
});

describe("a pod as a service", () => {
    const host: Host = {
        image: "i",
        entrypoint: ["start"],
        check: ["ask"],
        pids: 5,
        networks: ["n"],
        restart: "unless-stopped",
    };
    const template = (change: (spec: Record<string, unknown>) => void) => {
        const spec: Record<string, unknown> = {
            securityContext: { runAsUser: 7, runAsGroup: 8 },
            terminationGracePeriodSeconds: 9,
            containers: [
                {
                    args: ["serve"],
                    env: [{ name: "A", value: "1" }],
                    resources: {
                        requests: { cpu: "250m", memory: "64Mi" },
                        limits: { cpu: "2", memory: "1Gi" },
                    },
                    startupProbe: { httpGet: {}, periodSeconds: 2, failureThreshold: 10, timeoutSeconds: 1 },
                    readinessProbe: { httpGet: {}, periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 4 },
                    volumeMounts: [
                        { name: "tmp", mountPath: "/tmp" },
                        { name: "shm", mountPath: "/dev/shm" },
                        { name: "data", mountPath: "/data" },
                        { name: "secrets", mountPath: "/run/secrets/orcheo" },
                    ],
                },
            ],
            volumes: [
                { name: "tmp", emptyDir: { sizeLimit: "16Mi" } },
                { name: "shm", emptyDir: { sizeLimit: "32Mi", medium: "Memory" } },
                { name: "data", persistentVolumeClaim: { claimName: "d" } },
                {
                    name: "secrets",
                    projected: { sources: [{ secret: { name: "s", items: [{ key: "k", path: "file" }] } }] },
                },
            ],
        };
        change(spec);
        return { spec } as never;
    };

    it("keeps environment, limits, files, scratch, probe, user and grace", () => {
        expect(
            planService(
                "api",
                template(() => undefined),
                host,
            ),
        ).toMatchObject({
            command: ["serve"],
            user: "7:8",
            environment: { A: "1" },
            tmpfs: ["/tmp:size=16m,mode=0700,uid=7,gid=8"],
            shm_size: "32m",
            volumes: ["d:/data"],
            secrets: [{ source: "s-k", target: "/run/secrets/orcheo/file" }],
            healthcheck: {
                test: ["CMD", "ask"],
                interval: "5s",
                timeout: "4s",
                retries: 3,
                start_period: "20s",
                start_interval: "2s",
            },
            deploy: {
                resources: {
                    limits: { cpus: "2", memory: "1G", pids: 5 },
                    reservations: { cpus: "0.25", memory: "64M" },
                },
            },
            stop_grace_period: "9s",
        });
    });

    it("runs init containers first in the same container", () => {
        const service = planService(
            "api",
            template((spec) => {
                const [main] = spec["containers"] as object[];
                spec["initContainers"] = [{ ...main, command: ["sh", "-c", "cat a > 'b'"], args: [] }];
            }),
            host,
        );
        expect(service).toMatchObject({
            entrypoint: ["sh", "-c", "set -e\nsh -c 'cat a > '\\''b'\\'''\nexec start serve"],
        });
        expect(service).not.toHaveProperty("command");
    });

    it.each([
        [
            "a volume of another kind",
            (spec: Record<string, unknown>) =>
                void (spec["volumes"] as object[]).splice(0, 1, { name: "tmp", hostPath: {} }),
            "the volume tmp has no counterpart in Compose",
        ],
        [
            "a second container",
            (spec: Record<string, unknown>) => void (spec["containers"] as object[]).push({}),
            "api: a service is one container",
        ],
        [
            "a value that Compose would interpolate",
            (spec: Record<string, unknown>) =>
                void (spec["containers"] as { env: object[] }[])[0]?.env.push({ name: "B", value: "a$b" }),
            'the value "a$b" holds a $',
        ],
    ])("refuses %s", (_, change, message) => {
        expect(() => planService("api", template(change), host)).toThrow(message);
    });

    it("the worker's environment is the Deployment's, name by name", () => {
        const url = { kind: "value", value: "" } as never;
        const server = { url, trust: { kind: "stack" } } as const;
        const { spec } = planDeployment("worker", stackOf("prod"), {
            ...{ namespace: "", image: "", serviceAccountName: "", secretName: "", certificateSecret: "" },
            servers: { database: server, cache: server },
        }) as unknown as { spec: { template: { spec: { containers: { env: { name: string }[] }[] } } } };
        const names = spec.template.spec.containers.flatMap(({ env }) => env.map(({ name }) => name));
        expect(Object.keys(prod["worker"]?.environment ?? {}).sort()).toEqual(names.sort());
    });
});

it("a daily schedule is a second of the day; any other is refused", () => {
    expect(dailySeconds("17 2 * * *")).toBe(2 * 3600 + 17 * 60);
    expect(() => dailySeconds("*/5 * * * *")).toThrow("accepted: M H * * *");
});

describe("Traefik's file", () => {
    const file = planTraefikFile(stackOf("prod"), "acme") as {
        http: { routers: Record<string, { rule: string; priority: number; service: string }> };
    };
    it("routes whole segments, and keeps internal paths from the API", () => {
        expect(file.http.routers["api"]?.rule).toBe(
            'Host(`{{ env "ORCHEO_HOST" }}`) && (Path(`/api`) || PathPrefix(`/api/`))',
        );
        expect(file.http.routers["api-internal"]?.service).toBe("canvas");
        expect(file.http.routers["api-internal"]?.priority).toBeGreaterThan(file.http.routers["api"]?.priority ?? 0);
    });
});
