/** compose/dev.yaml and compose/prod.yaml: the pods of the Kubernetes plans as services, and what only Compose has. */
import { planDeployment, planInitialisation } from "../components/backend/backend.plan";
import { planBackup } from "../components/backup/backup.plan";
import { planValkey } from "../components/cache/valkey.plan";
import { planCanvas } from "../components/canvas/canvas.plan";
import { planPostgres } from "../components/database/postgres.plan";
import { planImage, type ImageName } from "../components/images/images.plan";
import type { types } from "@pulumi/kubernetes";
import { confined, logging, planService, secretSource, type Host, type Service } from "./service.plan";
import { clientId, stackOf, type ComposeStack } from "./stack.plan";
import { certificateDir, stackCaFile, traefikArguments } from "./traefik.plan";
import { namesOf, reference, variables, type File } from "./variables.plan";

type PodTemplate = types.input.core.v1.PodTemplateSpec;

/** ENTRYPOINT of each image; a test compares it with the Dockerfile. */
export const entrypoints = {
    backend: ["/opt/orcheo/bin/python3", "-m", "orcheo_runtime.start"],
    canvas: ["canvas"],
    postgres: ["json-log", "postgres", "postgres-start"],
    valkey: ["json-log", "valkey", "valkey-start"],
    backup: ["python3", "-m", "orcheo_backup"],
} as const;

/** In place of the kubelet's requests; a test compares the second with the canvas' HEALTHCHECK. */
export const checks = {
    api: ["orcheo-probe", "api", "ready"],
    canvas: [
        ...["bash", "-c"],
        "exec 3<>/dev/tcp/127.0.0.1/8081; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; grep -q ' 200 ' <&3",
    ],
} as const;

const networks = {
    // No way out, and none in.
    data: { internal: true },
    inner: { internal: true },
    // Workflows call other servers, the API the issuer, the backup its store.
    outside: {},
    entrance: {},
};

const imageVariable = (name: string): string => `ORCHEO_${name.toUpperCase().replaceAll("-", "_")}_IMAGE`;

/** In prod by digest only; in dev the image that `docker compose build` makes. */
function imageOf(name: ImageName | "canvas-dev" | "pgadmin" | "tests" | "sign-in" | "traefik", file: File): string {
    const variable = imageVariable(name);
    if (file === "dev" && name !== "traefik") return `\${${variable}:-orcheo/${name}:dev}`;
    const { accepted } = variables[variable]?.form.meta() as { accepted: string };
    const written = variables[variable]?.image === true ? "; compose/build.sh writes it" : "";
    // Compose reads no further than the closing brace.
    return `\${${variable}:?set it in compose/.env to ${accepted.replace(/, such as.*/, "")}${written}}`;
}

const after = { check: "service_completed_successfully" } as const;
const servers = { postgres: "service_healthy", valkey: "service_healthy" } as const;
const initialised = { init: "service_completed_successfully" } as const;

const names = {
    namespace: "",
    serviceAccountName: "",
    secretName: "orcheo",
    certificateSecret: "api-tls",
};

function orcheo(stack: ComposeStack, file: File): Record<string, Service> {
    const url = { kind: "value", value: "" } as never;
    const trust = { kind: "stack" } as const;
    const inputs = {
        ...names,
        image: "",
        servers: { database: { url, trust }, cache: { url, trust } },
        ...(file === "dev" && { trustConfigMap: "private-ca" }),
    };
    const backend = (more: Pick<Host, "networks" | "dependsOn"> & Partial<Host>): Host => ({
        image: imageOf("backend", file),
        entrypoint: entrypoints.backend,
        restart: "unless-stopped",
        pids: 512,
        ...more,
    });
    const pod = (role: "api" | "worker" | "beat") =>
        planDeployment(role, stack, inputs).spec as unknown as { template: PodTemplate };
    const initialisation = planInitialisation(stack, inputs).spec as unknown as { template: PodTemplate };
    const init = backend({ networks: ["data"], dependsOn: servers, restart: "no" });
    const api = backend({ networks: ["data", "inner", "outside"], dependsOn: initialised, check: checks.api });
    const worker = backend({ networks: ["data", "outside"], dependsOn: initialised, pids: 1024 });
    const beat = backend({ networks: ["data"], dependsOn: initialised, pids: 128 });
    return {
        init: planService("init", initialisation.template, init),
        api: planService("api", pod("api").template, api),
        worker: planService("worker", pod("worker").template, worker),
        beat: planService("beat", pod("beat").template, beat),
    };
}

function others(stack: ComposeStack, file: File): Record<string, Service> {
    const certificate = (server: string) => ({ ...names, image: "", certificateSecret: `${server}-tls` });
    const template = (plan: { spec?: unknown }) => (plan.spec as { template: PodTemplate }).template;
    const host = (name: "canvas" | "postgres" | "valkey", more: Partial<Host>): Host => ({
        image: imageOf(name, file),
        entrypoint: entrypoints[name],
        restart: "unless-stopped",
        networks: ["data"],
        dependsOn: after,
        pids: 64,
        ...more,
    });
    const canvas = planCanvas(stack, certificate("canvas"));
    const postgres = planPostgres(stack, stack.database, {
        ...certificate("postgres"),
        passwordSecret: "postgres",
        configMap: "postgres-config",
        claimName: "postgres",
    });
    const valkey = planValkey(stack, stack.cache, {
        ...certificate("valkey"),
        passwordSecret: "valkey",
        claimName: "valkey",
    });
    return {
        canvas: planService("canvas", template(canvas), host("canvas", { networks: ["inner"], check: checks.canvas })),
        // One process for each of its connections.
        postgres: planService(
            "postgres",
            template(postgres),
            host("postgres", { pids: stack.database.maxConnections + 56 }),
        ),
        valkey: planService("valkey", template(valkey), host("valkey", {})),
    };
}

/** `M H * * *` as seconds of the day, in UTC. */
export function dailySeconds(schedule: string): number {
    const [, minute, hour] = /^(\d+) (\d+) \* \* \*$/.exec(schedule) ?? [];
    if (minute === undefined || hour === undefined) throw new Error(`backup.schedule ${schedule}; accepted: M H * * *`);
    return Number(hour) * 3600 + Number(minute) * 60;
}

/** Waits for the hour of the CronJob; `docker compose run --rm backup now` makes one at once. */
const backupScript = (
    schedule: string,
): string => `if [ "$\${1-}" = now ]; then exec ${entrypoints.backup.join(" ")}; fi
trap 'exit 143' TERM
while :; do
    now=$$(date +%s)
    next=$$((now - now % 86400 + ${dailySeconds(schedule)}))
    [ "$$next" -gt "$$now" ] || next=$$((next + 86400))
    sleep $$((next - now)) & wait $$!
    ${entrypoints.backup.join(" ")} || true
done`;

function backup(stack: ComposeStack): Service {
    const { spec } = planBackup(stack.backup, stack, {
        ...names,
        image: "",
        bucket: String(stack.backup.bucket),
        database: { url: { kind: "value", value: "" } as never, trust: { kind: "stack" } },
        authoritySecret: "postgres-tls",
        authority: { kind: "system" },
    }) as unknown as { spec: { jobTemplate: { spec: { template: PodTemplate } } } };
    const service = planService("backup", spec.jobTemplate.spec.template, {
        image: imageOf("backup", "prod"),
        entrypoint: entrypoints.backup,
        pids: 64,
        networks: ["data", "outside"],
        restart: "unless-stopped",
        dependsOn: { postgres: "service_healthy" },
    });
    return {
        ...service,
        profiles: ["backup"],
        entrypoint: ["sh", "-c", backupScript(stack.backup.schedule), "backup"],
    };
}

/** Stops the start with every variable that is missing or malformed. */
function check(file: File): Service {
    return {
        image: imageOf("backend", file),
        entrypoint: ["/opt/orcheo/bin/python3", "-I", "/etc/compose/check.py", file],
        user: "1000:1000",
        environment: Object.fromEntries(namesOf(file).map((name) => [name, `\${${name}-}`])),
        // Names that are not known are found here.
        env_file: [{ path: ".env", required: false }],
        ...confined,
        configs: [
            { source: "check", target: "/etc/compose/check.py" },
            { source: "variables", target: "/etc/compose/variables.json" },
        ],
        // An empty volume gets the owner of the directory that it is first mounted over, here uid 1000; Traefik's image has no such directory.
        ...(file === "prod" && { volumes: ["acme:/var/lib/orcheo"] }),
        ...(file === "dev" && { volumes: [`${reference("ORCHEO_SOURCE", file)}:/src:ro`] }),
        networks: ["inner"],
        deploy: sized({ cpus: "1", memory: "128M", pids: 16 }, { cpus: "0.05", memory: "32M" }),
        restart: "no",
        logging,
    };
}

const sized = (limits: object, reservations: object) => ({ resources: { limits, reservations } });
const secret = (of: string, key: string, target: string) => ({ source: secretSource(of, key), target });
const certificateOf = (name: string) =>
    ["tls.crt", "tls.key"].map((key) => secret(`${name}-tls`, key, `${certificateDir}/${key}`));

function traefik(file: File): Service {
    const configs = file === "dev" ? ["dev"] : ["acme", "files"];
    return {
        image: imageOf("traefik", file),
        command: traefikArguments(file),
        user: "1000:1000",
        environment: { ORCHEO_HOST: reference("ORCHEO_HOST", file) },
        ...confined,
        secrets: [...certificateOf("entrance"), secret("api-tls", "ca.crt", stackCaFile)],
        configs: configs.map((name) => ({ source: `traefik-${name}`, target: `/etc/traefik/${name}.yaml` })),
        ...(file === "prod" && { volumes: ["acme:/acme"] }),
        healthcheck: {
            test: [
                "CMD",
                "traefik",
                "healthcheck",
                "--ping=true",
                "--ping.entrypoint=ping",
                "--entrypoints.ping.address=127.0.0.1:8082",
            ],
            interval: "5s",
            timeout: "3s",
            retries: 3,
            start_period: "60s",
            start_interval: "1s",
        },
        depends_on: Object.fromEntries(
            [
                ["api", "service_healthy"],
                ["canvas", "service_healthy"],
            ].map(([name, condition]) => [name, { condition }]),
        ),
        networks: ["entrance", "inner"],
        ports: file === "dev" ? [`127.0.0.1:${reference("ORCHEO_HTTPS_PORT", file)}:8443`] : ["80:8080", "443:8443"],
        deploy: sized({ cpus: "1", memory: "256M", pids: 256 }, { cpus: "0.02", memory: "64M" }),
        stop_grace_period: "25s",
        restart: "unless-stopped",
        logging,
    };
}

/** The embedded cluster's provider: one person, `admin`. */
const signIn = (): Service => ({
    image: imageOf("sign-in", "dev"),
    build: { context: "..", dockerfile: "compose/sign-in/Dockerfile" },
    user: "1000:1000",
    environment: {
        SIGN_IN_ISSUER: "https://sign-in.localhost",
        SIGN_IN_TLS: certificateDir,
        SIGN_IN_DATA: "/var/lib/sign-in",
        SIGN_IN_CLIENT_ID: clientId,
        SIGN_IN_ORIGIN: `https://${reference("ORCHEO_HOST", "dev")}`,
    },
    ...confined,
    tmpfs: ["/tmp:size=16m,mode=0700,uid=1000,gid=1000"],
    secrets: certificateOf("sign-in"),
    volumes: ["sign-in:/var/lib/sign-in"],
    healthcheck: {
        test: ["CMD", "node", "/app/compose.ts", "healthy"],
        interval: "10s",
        timeout: "5s",
        retries: 3,
        start_period: "60s",
        start_interval: "2s",
    },
    depends_on: { check: { condition: "service_completed_successfully" } },
    networks: ["inner"],
    deploy: sized({ cpus: "1", memory: "256M", pids: 64 }, { cpus: "0.01", memory: "96M" }),
    restart: "unless-stopped",
    logging,
});

/** From PyPI, as its vendor's image has another uid and a writable root. */
const pgAdmin = (): Service => ({
    image: imageOf("pgadmin", "dev"),
    build: { context: "pgadmin" },
    profiles: ["pgadmin"],
    user: "1000:1000",
    environment: {
        PGADMIN_DEFAULT_EMAIL: "admin@orcheo.example.com",
        PGADMIN_DEFAULT_PASSWORD_FILE: "/run/secrets/pgadmin-password",
        PGADMIN_LISTEN_PORT: "5050",
        // pgAdmin looks for a server's `sslrootcert` in the user's own folder only.
        PGSSLROOTCERT: stackCaFile,
    },
    ...confined,
    tmpfs: ["/tmp:size=64m,mode=0700,uid=1000,gid=1000", "/var/lib/pgadmin:size=64m,mode=0700,uid=1000,gid=1000"],
    secrets: [
        secret("pgadmin", "password", "/run/secrets/pgadmin-password"),
        secret("postgres-tls", "ca.crt", stackCaFile),
    ],
    healthcheck: {
        test: [
            ...["CMD", "python3", "-c"],
            "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5050/misc/ping', timeout=4)",
        ],
        interval: "15s",
        timeout: "5s",
        retries: 3,
        start_period: "180s",
        start_interval: "5s",
    },
    depends_on: { postgres: { condition: "service_healthy" } },
    networks: ["data", "entrance"],
    ports: ["127.0.0.1:5050:5050"],
    deploy: sized({ cpus: "1", memory: "512M", pids: 128 }, { cpus: "0.05", memory: "128M" }),
    restart: "unless-stopped",
    logging,
});

const sourceDirs = ["/src/src", "/src/apps/backend/src", "/src/packages/sdk/src"];

const source = (): string => `${reference("ORCHEO_SOURCE", "dev")}:/src:ro`;

/** Runs the mounted source tree where there is one, and starts anew when a file of it changes (reload.py). */
function reloading(service: Service, role: "api" | "worker"): Service {
    const [python] = entrypoints.backend;
    const before = (service["entrypoint"] as readonly string[] | undefined)?.[2];
    if (before === undefined) throw new Error(`${role}: the CA bundle is joined first`);
    const script = before.replace(/^exec .*$/m, `exec ${python} -P /etc/compose/reload.py ${role}`);
    return {
        ...service,
        entrypoint: ["sh", "-c", script],
        environment: { ...service.environment, PYTHONPATH: sourceDirs.join(":") },
        configs: [...(service.configs ?? []), { source: "reload", target: "/etc/compose/reload.py" }],
        volumes: [...(service.volumes ?? []), source()],
    };
}

/** Vite serves the mounted tree where there is one; it needs more than nginx. */
function reloadingCanvas(service: Service): Service {
    const before = (service["entrypoint"] as readonly string[] | undefined)?.[2];
    if (before === undefined) throw new Error("the canvas is prepared first");
    const vite = "if [ -d /src/apps/canvas ]; then exec node /usr/local/lib/dev-server.mjs /src/apps/canvas; fi";
    return {
        ...service,
        image: imageOf("canvas-dev", "dev"),
        entrypoint: ["sh", "-c", before.replace("set -e\n", `set -e\n${vite}\n`)],
        tmpfs: (service["tmpfs"] as readonly string[]).map((each) => each.replace(/^\/tmp:size=\w+/, "/tmp:size=512m")),
        volumes: [...(service.volumes ?? []), source()],
        deploy: sized({ cpus: "2", memory: "2G", pids: 256 }, { cpus: "0.02", memory: "32M" }),
    };
}

/** Orcheo's own tests, of the mounted tree: `docker compose run --rm tests [ARGUMENT…]`. They need no other service. */
const tests = (): Service => ({
    image: imageOf("tests", "dev"),
    profiles: ["tests"],
    user: "1000:1000",
    environment: { PYTHONPATH: [...sourceDirs, "/src", "/opt/orcheo-tests"].join(":"), HOME: "/tmp/home" },
    ...confined,
    tmpfs: ["/tmp:size=1g,mode=0700,uid=1000,gid=1000,exec"],
    volumes: [source()],
    depends_on: { check: { condition: "service_completed_successfully" } },
    networks: ["inner"],
    deploy: sized({ cpus: "2", memory: "2G", pids: 512 }, { cpus: "0.1", memory: "384M" }),
    restart: "no",
    logging,
});

/** As the stack's own builds, for `docker compose build`. */
function building(services: Record<string, Service>, stack: ComposeStack): Record<string, Service> {
    const build = (service: string, name: ImageName) => {
        const plan = planImage(name, stack);
        if (plan.kind !== "build") throw new Error(`${name} is not built`);
        const { context, named, args } = plan;
        // The canvas has the packages of the tree that it is to serve.
        const target = { canvas: "development", tests: "with-tests" }[service] ?? plan.target;
        const contexts = Object.entries(named).map(([key, { location }]) => [
            key,
            name === "canvas" ? `\${ORCHEO_SOURCE:-${location}}` : location,
        ]);
        return {
            context: `../${context}`,
            ...(contexts.length > 0 && { additional_contexts: Object.fromEntries(contexts) as Record<string, string> }),
            args,
            ...(target !== undefined && { target }),
        };
    };
    // `check` is the first to need the backend's image: it is built once.
    const builders: Readonly<Record<string, ImageName>> = {
        check: "backend",
        canvas: "canvas",
        postgres: "postgres",
        valkey: "valkey",
        tests: "backend",
    };
    return Object.fromEntries(
        Object.entries(services).map(([name, service]) => {
            const image = builders[name];
            const own = image === undefined ? {} : { build: build(name, image) };
            return [name, { ...service, ...own, ...(service.image.includes("orcheo/") && { pull_policy: "never" }) }];
        }),
    );
}

/** Definitions of what the services refer to. */
function definitions(services: Readonly<Record<string, Service>>, configFiles: Readonly<Record<string, string>>) {
    const all = Object.values(services);
    const secrets = [...new Set(all.flatMap(({ secrets = [] }) => secrets.map(({ source }) => source)))].sort();
    const configs = [...new Set(all.flatMap(({ configs = [] }) => configs.map(({ source }) => source)))].sort();
    const volumes = all.flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(":")[0] ?? ""));
    const file = (source: string): string => {
        const found = configFiles[source];
        if (found === undefined) throw new Error(`the config ${source} has no file`);
        return found;
    };
    return {
        networks,
        volumes: Object.fromEntries(
            [...new Set(volumes)]
                .filter((name) => /^[a-z]/.test(name))
                .sort()
                .map((name) => [name, {}]),
        ),
        secrets: Object.fromEntries(secrets.map((source) => [source, { file: secretFile(source) }])),
        configs: Object.fromEntries(configs.map((source) => [source, { file: file(source) }])),
    };
}

const keys = ["tls.crt", "tls.key", "ca.crt"];
/** `api-tls-ca-crt` is secrets/api-tls/ca.crt, `orcheo-postgres-dsn` secrets/orcheo/postgres-dsn. */
export function secretFile(source: string): string {
    const key = keys.find((each) => source.endsWith(`-tls${secretSource("", each)}`));
    if (key !== undefined) return `./secrets/${source.slice(0, -secretSource("", key).length)}/${key}`;
    return `./secrets/${source.replace("-", "/")}`;
}

const configFiles: Readonly<Record<string, string>> = {
    check: "./check.py",
    reload: "./reload.py",
    variables: "./variables.json",
    "postgres-config-postgresql-conf": "./postgresql.conf",
    "traefik-acme": "./traefik/acme.yaml",
    "traefik-files": "./traefik/files.yaml",
    "traefik-dev": "./traefik/dev.yaml",
    "private-ca-private-ca-crt": "./secrets/entrance-tls/ca.crt",
};

export function planDocument(file: File): object {
    const stack = stackOf(file);
    const own = orcheo(stack, file);
    const shared: Record<string, Service> = {
        check: check(file),
        ...others(stack, file),
        ...own,
        traefik: traefik(file),
    };
    const services: Record<string, Service> =
        file === "prod"
            ? { ...shared, backup: backup(stack) }
            : building(
                  {
                      ...shared,
                      api: reloading(own["api"] as Service, "api"),
                      worker: reloading(own["worker"] as Service, "worker"),
                      canvas: reloadingCanvas(shared["canvas"] as Service),
                      "sign-in": signIn(),
                      pgadmin: pgAdmin(),
                      tests: tests(),
                  },
                  stack,
              );
    return {
        name: file === "prod" ? "orcheo" : "orcheo-dev",
        services,
        ...definitions(services, configFiles),
    };
}
