/** The whole platform, from `make up` to `pulumi destroy`, as a newcomer, an operator and an attacker meet it. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { clusterInfo, stopCluster } from "../../local/cluster/cluster.ts";
import { inNode } from "../../local/cluster/node.ts";
import { clusterSpec, pathsOf } from "../../local/cluster/spec.ts";
import { projectDir } from "../../local/paths.ts";
import { clusterEnvironment, deploy, pulumiDir } from "../../local/platform.ts";
import { run } from "../../local/process.ts";
import { committedFile, readStackFile } from "../../local/pulumi.ts";
import { consoleReport } from "../../local/report.ts";
import { merge, type Settings, settingsOf } from "../../local/settings.ts";
import { ensureToolchain, type Toolchain } from "../../local/toolchain/build.ts";
import { openBrowser } from "./browser.ts";
import {
    actorsOf,
    answerOf,
    ask,
    at,
    createWorkflow,
    dispatch,
    ended,
    type Entrance,
    type Workflow,
} from "./orcheo.ts";

const spec = clusterSpec("platform", { api: 26444, registry: 25001, http: 20081, https: 20444 });
const report = consoleReport();
const artifacts = join(projectDir, "artifacts");
const STACK = "dev";
const NAMESPACE = "orcheo";

let toolchain: Toolchain;
let env: NodeJS.ProcessEnv;
let entrance: Entrance;
let browser: Browser | undefined;

/** What a command said, and whether it went well; for commands that are meant to fail. */
interface Outcome {
    readonly code: number;
    readonly output: string;
}

const attempt = (command: string, args: readonly string[], environment = env): Promise<Outcome> =>
    new Promise((done, fail) => {
        const child = spawn(command, args, { cwd: projectDir, env: environment, stdio: ["ignore", "pipe", "pipe"] });
        let output = "";
        for (const stream of [child.stdout, child.stderr])
            stream.setEncoding("utf8").on("data", (text: string) => (output += text));
        child.once("error", fail);
        child.once("close", (code) => {
            done({ code: code ?? -1, output });
        });
    });

const kube = (...args: string[]): Promise<string> =>
    run("kubectl", ["--namespace", NAMESPACE, ...args], { env, timeoutSeconds: 300 });
const exec = (target: string, ...command: string[]): Promise<Outcome> =>
    attempt("kubectl", ["--namespace", NAMESPACE, "exec", target, "--", ...command]);
const pulumi = (...args: string[]): Promise<Outcome> => attempt("pulumi", [...args, "--non-interactive"]);

async function eventually<T>(seconds: number, look: () => Promise<T>, fits: (seen: T) => boolean): Promise<T> {
    for (const end = Date.now() + seconds * 1000; ;) {
        const seen = await look();
        if (fits(seen) || Date.now() > end) return seen;
        await sleep(1000);
    }
}

const readyPods = async (component: string): Promise<number> => {
    const label = `app.kubernetes.io/component=${component}`;
    const ready = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
    return (await kube("get", "pods", "-l", label, "-o", `jsonpath=${ready}`)).split("\n").filter((s) => s === "True")
        .length;
};

const committed = (): Settings => settingsOf(readStackFile(committedFile(STACK)), STACK);
/** A measurement every 15 s decides; minutes of waiting would show nothing more. */
const quickScaling = { api: { scaling: { scaleDownStabilizationSeconds: 15, podsPerMinute: 10 } } };
const up = (settings: Settings, stack = STACK): Promise<Settings> =>
    deploy({ spec, toolchain, report, stack, settings });

beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi", "test"], report);
    // What an interrupted run of this test left.
    await stopCluster(spec, report, { deleteData: true });
    env = { ...process.env, ...clusterEnvironment(spec, toolchain, STACK) };
});

afterAll(async () => {
    await browser?.close();
    await stopCluster(spec, report, { deleteData: true });
});

describe("a newcomer", () => {
    test("make up ends with the URL", async () => {
        const { api, registry, http, https } = spec.ports;
        const own = {
            ...process.env,
            ORCHEO_CLUSTER: spec.name,
            ORCHEO_API_PORT: String(api),
            ORCHEO_REGISTRY_PORT: String(registry),
            ORCHEO_HTTP_PORT: String(http),
            ORCHEO_HTTPS_PORT: String(https),
        };
        const { code, output } = await attempt("make", ["up"], own);
        writeFileSync(join(artifacts, "make-up.log"), output);
        expect(output.slice(-3000)).toContain(`Orcheo runs at https://orcheo.localhost:${https}`);
        expect(code).toBe(0);
        const shown = await attempt("make", ["-s", "env"], own);
        expect(shown.output).toContain(`export KUBECONFIG='${pathsOf(spec).kubeconfig}'`);
        const origin = `https://orcheo.localhost:${https}`;
        const command = /^ {2}(kubectl .*base64 --decode)$/m.exec(output)?.[1] ?? "no command for the token";
        const token = await run("bash", ["-c", command], { env });
        entrance = { origin, caFile: clusterInfo(spec).caFile, token };
    });

    test("health answers 200 through the Ingress, its certificate verified", async () => {
        const { status, headers } = await ask(entrance, "GET", "/api/system/health");
        expect(status).toBe(200);
        expect(headers.toLowerCase()).toContain("strict-transport-security: max-age=31536000");
    });

    test("http leads to https; anonymous callers, internal paths and unknown hosts lead nowhere", async () => {
        const location = await run("curl", [
            ...["--silent", "--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}"],
            ...["--header", "Host: orcheo.localhost", `http://127.0.0.1:${spec.ports.http}/x?y=1`],
        ]);
        expect(location).toMatch(new RegExp(`^30[18] https://orcheo.localhost:${spec.ports.https}/x\\?y=1$`));
        expect((await ask({ ...entrance, token: undefined }, "GET", "/api/workflows")).status).toBe(401);
        for (const path of ["/internal/x", "/api/internal/x"])
            expect((await ask(entrance, "POST", path, {})).status, path).toBeGreaterThanOrEqual(400);
    });

    test("the canvas opens in a browser, sees the backend and opens a WebSocket", async () => {
        const handle = "e2e-socket";
        await createWorkflow(entrance, "0.33", handle);
        browser = await openBrowser(entrance);
        const page = await browser.newPage();
        await page.goto(entrance.origin);
        await page.getByTestId("health").filter({ hasText: "HTTP 200" }).waitFor();
        await page.getByLabel("Service token").fill(entrance.token ?? "");
        await page.getByLabel("Workflow").fill(handle);
        await page.getByRole("button", { name: "Connect" }).click();
        await page.getByTestId("socket").filter({ hasText: "open" }).waitFor();
        // Longer than any proxy's idle time that would show early.
        await sleep(5000);
        expect(await page.getByTestId("socket").textContent()).toBe("open");
        await page.screenshot({ path: join(artifacts, "canvas.png"), fullPage: true });
    });
});

describe("the main job", () => {
    let workflow: Workflow;
    let runId: string;

    test("a workflow is created, and its run executed by the worker", async () => {
        workflow = await createWorkflow(entrance, "0.33", "e2e-set");
        runId = await dispatch(entrance, workflow);
        const done = await ended(entrance, runId);
        expect(at(done, "status")).toBe("succeeded");
        expect(answerOf(done)).toBe(42);
        expect(actorsOf(done)).toContain("worker");
    });

    test("a worker that is told to stop finishes its run first", async () => {
        const slow = await createWorkflow(entrance, "0.33", "e2e-slow", 20);
        const slowRun = await dispatch(entrance, slow);
        const status = async (): Promise<unknown> =>
            at((await ask(entrance, "GET", `/api/runs/${slowRun}`)).body, "status");
        expect(await eventually(60, status, (seen) => seen === "running")).toBe("running");
        await kube("delete", "pods", "-l", "app.kubernetes.io/component=worker", "--wait=false");
        expect(answerOf(await ended(entrance, slowRun))).toBe(42);
        expect(
            await eventually(
                180,
                () => readyPods("worker"),
                (n) => n > 0,
            ),
        ).toBeGreaterThan(0);
    });

    test("its result is in Postgres after API, worker, Postgres and Valkey have all been deleted and come back", async () => {
        const roles = ["api", "worker", "postgres", "valkey"];
        const label = `app.kubernetes.io/component in (${roles.join(",")})`;
        await kube("delete", "pods", "-l", label, "--wait=true", "--timeout=240s");
        for (const role of roles)
            expect(
                await eventually(
                    240,
                    () => readyPods(role),
                    (n) => n > 0,
                ),
                role,
            ).toBeGreaterThan(0);
        // The first requests of each store fail until its dead connection is dropped (shared/orcheo.md).
        const again = await eventually(
            60,
            () => ask(entrance, "GET", `/api/runs/${runId}`),
            ({ status }) => status === 200,
        );
        expect(answerOf(again.body)).toBe(42);
        const next = await ended(entrance, await dispatch(entrance, workflow));
        expect(answerOf(next)).toBe(42);
        const stored = await exec("postgres-0", "psql", "-h", "/tmp", "-U", "postgres", "-d", "orcheo", "-Atc", tables);
        expect(stored.output).toContain("workflow_runs");
    });
});

describe("without its database", () => {
    test("no API pod is ready, and all are again when it is back", async () => {
        await kube("scale", "statefulset/postgres", "--replicas=0");
        expect(
            await eventually(
                120,
                () => readyPods("api"),
                (n) => n === 0,
            ),
        ).toBe(0);
        await kube("scale", "statefulset/postgres", "--replicas=1");
        expect(
            await eventually(
                300,
                () => readyPods("api"),
                (n) => n >= 2,
            ),
        ).toBeGreaterThanOrEqual(2);
        expect((await ask(entrance, "GET", "/api/workflows")).status).toBe(200);
    });
});

const tables = "select table_name from information_schema.tables where table_schema = 'public' order by 1";

describe("a second run", () => {
    test("changes nothing, and refresh finds no drift", async () => {
        const preview = await pulumi("preview", "--expect-no-changes");
        expect(preview.output.slice(-3000)).toMatch(/\d+ unchanged/);
        expect(preview.code).toBe(0);
        const second = await pulumi("up", "--yes", "--expect-no-changes");
        expect(second.code, second.output.slice(-3000)).toBe(0);
        const refresh = await pulumi("refresh", "--yes", "--expect-no-changes");
        expect(refresh.code, refresh.output.slice(-3000)).toBe(0);
    });

    test("no secret is in the outputs, the preview's details or the state", async () => {
        const outputs = await pulumi("stack", "output", "--json", "--show-secrets");
        const state = await pulumi("stack", "export");
        const details = await pulumi("preview", "--diff", "--show-sames");
        for (const { output } of [outputs, state, details]) expect(output).not.toContain(entrance.token);
    });
});

describe("somebody with a cluster of their own", () => {
    test("names its context and registry, and make up leaves the embedded cluster alone", async () => {
        const file = committedFile("elsewhere");
        const { context, kubeconfig, registry, builder } = clusterInfo(spec);
        const settings = {
            kubernetes: { context, kubeconfig, namespace: "elsewhere" },
            registry: { prefix: `${registry}/elsewhere` },
            images: { builder, canvas: { source: { kind: "directory", path: "tests/canvas-app" } } },
            version: "1.0.0",
        };
        writeFileSync(file, stringify({ config: { "orcheo:stack": settings } }));
        try {
            const state = join(pulumiDir(spec), "elsewhere");
            mkdirSync(state, { recursive: true });
            const own = {
                PATH: process.env.PATH,
                HOME: process.env.HOME,
                ORCHEO_STACK: "elsewhere",
                PULUMI_HOME: join(state, "home"),
                PULUMI_CONFIG_PASSPHRASE: "",
                // What changes is shown; whether it may is asked on a terminal only.
                PULUMI_OPTION_PREVIEW_ONLY: "true",
            };
            const nowhere = await attempt("make", ["up"], { ...own, PULUMI_ACCESS_TOKEN: undefined });
            expect(nowhere.output).toContain("pulumi login --local");
            const { code, output } = await attempt("make", ["up"], { ...own, PULUMI_BACKEND_URL: `file://${state}` });
            expect(output).toContain(`names the context "${context}": the embedded cluster is left alone`);
            expect(output).toMatch(/\+ \d+ to create/);
            expect(code, output.slice(-3000)).toBe(0);
        } finally {
            rmSync(file, { force: true });
        }
    });
});

describe("an attacker in a pod", () => {
    test("is no root, cannot write to the root, and has no token", async () => {
        const pods = JSON.parse(await kube("get", "pods", "-o", "json")) as unknown;
        const items = at(pods, "items") as unknown[];
        const running = items.filter((pod) => at(pod, "status", "phase") === "Running");
        const roles = new Set(running.map((pod) => at(pod, "metadata", "labels", "app.kubernetes.io/component")));
        expect([...roles].sort()).toEqual(["api", "beat", "canvas", "postgres", "valkey", "worker"]);
        for (const pod of running) {
            const name = String(at(pod, "metadata", "name"));
            const probe = "id -u; touch /here; ls /var/run/secrets/kubernetes.io";
            const { output } = await exec(name, "sh", "-c", probe);
            expect(output, name).toMatch(/^1000$/m);
            expect(output, name).toMatch(/here'?: Read-only file system/);
            expect(output, name).toMatch(/kubernetes.io'?: No such file or directory/);
        }
    });

    test("sees no secret in the environment", async () => {
        const { output } = await exec("deployment/api", "sh", "-c", "env; cat /proc/1/environ");
        expect(output).not.toContain(entrance.token);
        expect(output).not.toMatch(/postgresql:\/\/|rediss:\/\//);
    });

    test("reaches only what its role needs", async () => {
        const addressOf = (service: string): Promise<string> =>
            kube("get", "service", service, "-o", "jsonpath={.spec.clusterIP}");
        const postgres = await addressOf("postgres");
        const connects = async (from: string): Promise<boolean> => {
            const open = `exec 3<>/dev/tcp/${postgres}/5432`;
            return (await exec(from, "timeout", "3", "bash", "-c", open)).code === 0;
        };
        expect({
            api: await connects("deployment/api"),
            worker: await connects("deployment/worker"),
            canvas: await connects("deployment/canvas"),
            valkey: await connects("valkey-0"),
        }).toEqual({ api: true, worker: true, canvas: false, valkey: false });
    });
});

/** The settings of the stack's file with some changed, in a file of their own: nothing of it may come to pass. */
function changed(settings: Settings, name: string): string {
    const file = join(pulumiDir(spec), `Pulumi.${STACK}.yaml`);
    const whole = parse(readFileSync(file, "utf8")) as Settings;
    const path = join(artifacts, `bad-${name}.yaml`);
    const next = merge(settingsOf(whole, file), settings);
    writeFileSync(path, stringify({ ...whole, config: { "orcheo:stack": next } }), { mode: 0o600 });
    return path;
}

describe("bad input is refused with its reason, and nothing changes", () => {
    const cases: [string, Settings, RegExp[]][] = [
        ["an unknown key", { api: { replicas: 3 } }, [/api\.replicas/, /unknown/i]],
        ["a wrong type", { worker: { concurrency: "two" } }, [/worker\.concurrency/, /"two"/, /whole number/]],
        ["min over max", { api: { scaling: { minReplicas: 9 } } }, [/minReplicas/, /at most maxReplicas/]],
        ["a database of an unknown kind", { database: { kind: "mysql" } }, [/database\.kind/, /mysql/, /statefulset/]],
        ["a context that is none", { kubernetes: { context: "nowhere" } }, [/nowhere/, /accepted: orcheo-platform/]],
        ["a tag `latest`", { version: "latest" }, [/version/, /semantic version/]],
    ];
    test.each(cases)("%s", async (name, settings, reasons) => {
        const before = (await pulumi("stack", "export")).output;
        const file = changed(settings, name.replaceAll(/\W/g, "-"));
        const { code, output } = await pulumi("up", "--yes", "--config-file", file);
        expect(code).not.toBe(0);
        for (const reason of reasons) expect(output).toMatch(reason);
        expect((await pulumi("stack", "export")).output).toBe(before);
    });

    test("several at once are told at once", async () => {
        const file = changed({ api: { replicas: 3 }, worker: { concurrency: 0 } }, "several");
        const { output } = await pulumi("preview", "--config-file", file);
        expect(output).toMatch(/api\.replicas[\s\S]*worker\.concurrency|worker\.concurrency[\s\S]*api\.replicas/);
    });

    test("a registry that is down", async () => {
        const service = join(pathsOf(spec).services, "registry");
        await inNode(spec, ["sv", "-w", "10", "down", service]);
        try {
            const { code, output } = await pulumi(
                "up",
                "--yes",
                "--config-file",
                changed({ version: "0.1.1" }, "down"),
            );
            expect(code).not.toBe(0);
            expect(output).toContain("the registry does not answer at http://127.0.0.1:25001/v2/");
        } finally {
            await inNode(spec, ["sv", "-w", "10", "up", service]);
        }
    });
});

describe("the Kubernetes half of prod", () => {
    const namespace = "orcheo-prod";
    const host = "orcheo-prod.localhost";
    const prodEnv = (): NodeJS.ProcessEnv => ({ ...process.env, ...clusterEnvironment(spec, toolchain, "prod") });
    const objects = (items: readonly object[]): Promise<string> =>
        run("kubectl", ["apply", "-f", "-"], { env, input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });

    /** Prod's own settings without AWS, with the dev stack's server as a database of somebody else's. */
    function prodSettings(): Settings {
        const own = settingsOf(readStackFile(committedFile("prod")), "prod");
        const rest = Object.fromEntries(
            Object.entries(own).filter(([key]) => !["aws", "database", "cache"].includes(key)),
        );
        const small = { cpuRequestMillis: 50, cpuLimitMillis: 1500, memoryRequestMiB: 384, memoryLimitMiB: 1024 };
        const source = { kind: "directory", path: join(projectDir, "tests", "canvas-app") };
        return merge(rest, {
            kubernetes: { namespace, namespaceKind: "existing" },
            host,
            entrance: { tls: { kind: "clusterIssuer", name: "orcheo-local-ca" } },
            images: { canvas: { source } },
            database: {
                kind: "external",
                url: { kind: "secret", name: "database", key: "url" },
                authority: { kind: "secret", name: "database", key: "ca.crt" },
                reach: {
                    kind: "pods",
                    namespace: NAMESPACE,
                    podLabels: { "app.kubernetes.io/component": "postgres" },
                },
            },
            cache: { kind: "valkey" },
            api: { resources: small },
            worker: { concurrency: 1, resources: small },
        });
    }

    test("comes up with a database of somebody else's over verified TLS, at production replica counts", async () => {
        await exec("postgres-0", "psql", "-h", "/tmp", "-U", "postgres", "-c", "create database prod owner orcheo");
        const decoded = async (secret: string, key: string): Promise<string> =>
            Buffer.from(
                await kube("get", "secret", secret, "-o", `jsonpath={.data.${key.replaceAll(".", "\\.")}}`),
                "base64",
            ).toString();
        const secrets = await kube("get", "secrets", "-o", "name");
        const passwords = /secret\/(postgres-secret-\S+)/.exec(secrets)?.[1] ?? "";
        const password = await decoded(passwords, "postgres-password");
        const url = `postgresql://orcheo:${password}@postgres.${NAMESPACE}.svc:5432/prod`;
        await objects([
            {
                apiVersion: "v1",
                kind: "Namespace",
                metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
            },
            {
                apiVersion: "v1",
                kind: "Secret",
                metadata: { name: "database", namespace },
                stringData: { url, "ca.crt": await decoded("postgres-tls", "ca.crt") },
            },
            {
                apiVersion: "networking.k8s.io/v1",
                kind: "NetworkPolicy",
                metadata: { name: "prod-to-postgres", namespace: NAMESPACE },
                spec: {
                    podSelector: { matchLabels: { "app.kubernetes.io/component": "postgres" } },
                    policyTypes: ["Ingress"],
                    ingress: [
                        {
                            from: [
                                { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } },
                            ],
                            ports: [{ port: 5432 }],
                        },
                    ],
                },
            },
        ]);
        const { bootstrapToken } = await up(prodSettings(), "prod");
        const ready = await run(
            "kubectl",
            [
                "--namespace",
                namespace,
                "get",
                "deployments",
                "-o",
                "jsonpath={range .items[*]}{.metadata.name}={.status.readyReplicas} {end}",
            ],
            { env },
        );
        expect(ready.trim().split(" ").sort()).toEqual(["api=3", "beat=1", "canvas=2", "worker=3"]);
        const token = await run("bash", ["-c", String(bootstrapToken)], { env });
        const prod: Entrance = { ...entrance, origin: `https://${host}:${spec.ports.https}`, token };
        const workflow = await createWorkflow(prod, "0.33", "e2e-prod");
        expect(answerOf(await ended(prod, await dispatch(prod, workflow)))).toBe(42);
        const inDatabase = await exec(
            "postgres-0",
            ...["psql", "-h", "/tmp", "-U", "postgres", "-d", "prod", "-Atc"],
            "select count(*) from pg_stat_ssl join pg_stat_activity using (pid) where datname = 'prod' and not ssl and usename = 'orcheo'",
        );
        expect(inDatabase.output.trim()).toBe("0");
        const away = ["destroy", "--exclude-protected", "--yes", "--non-interactive"];
        expect((await attempt("pulumi", away, prodEnv())).code).toBe(0);
        await run("kubectl", ["delete", "namespace", namespace, "--timeout=120s"], { env });
    });
});

describe("a busy day", () => {
    test("under load the autoscaler adds API pods, and takes them away again", async () => {
        await up(merge(committed(), quickScaling));
        const before = await readyPods("api");
        const targets = join(artifacts, "targets.txt");
        writeFileSync(
            targets,
            `GET ${entrance.origin}/api/workflows\nAuthorization: Bearer ${entrance.token ?? ""}\n`,
            {
                mode: 0o600,
            },
        );
        const { port } = new URL(entrance.origin);
        const attack = [
            ...["attack", "-targets", targets, "-rate", "40/s", "-duration", "100s", "-timeout", "30s"],
            ...["-root-certs", entrance.caFile, "-connect-to", `orcheo.localhost:${port}:127.0.0.1:${port}`],
            ...["-max-workers", "60", "-output", join(artifacts, "load.bin")],
        ];
        const load = run(toolchain.bin("vegeta"), attack, { timeoutSeconds: 180 });
        const most = await eventually(
            130,
            () => readyPods("api"),
            (n) => n > before,
        );
        const measured = await kube("get", "hpa", "api", "-o", "jsonpath={.status.currentMetrics}");
        await load;
        expect(most).toBeGreaterThan(before);
        expect(measured).toContain("averageUtilization");
        expect(
            await eventually(
                240,
                () => readyPods("api"),
                (n) => n === before,
            ),
        ).toBe(before);
    });
});

describe("the step from 0.33 to 0.46", () => {
    test("is refused with what to do first, and the old version keeps serving", async () => {
        const next = merge(committed(), { ...quickScaling, release: "0.46", version: "0.2.0" });
        await expect(up(next)).rejects.toThrow("pulumi up");
        const logs = await kube("logs", "-l", "app.kubernetes.io/component=init", "--tail=-1");
        expect(logs).toContain("there is no upgrade in place");
        expect(logs).toContain("Do this first: 1. keep this database for 0.33");
        expect((await ask(entrance, "GET", "/api/workflows")).status).toBe(200);
        await up(merge(committed(), quickScaling));
        expect((await pulumi("preview", "--expect-no-changes")).code).toBe(0);
    });
});

describe("the API server itself", () => {
    test("refuses what the policy pack refuses, whoever asks", async () => {
        const { code, output } = await attempt("kubectl", [
            ...["--namespace", NAMESPACE, "create", "deployment", "shell", "--image=docker.io/library/debian:latest"],
        ]);
        expect(code).not.toBe(0);
        expect(output).toMatch(/ValidatingAdmissionPolicy 'orcheo\.[a-z-]+'/);
        expect(output).toContain("debian:latest");
    });
});

describe("the end", () => {
    test("pulumi destroy leaves what is protected, and the guide says how to remove it", async () => {
        const { output: steps } = await pulumi("stack", "output", "nextSteps", "--json");
        expect(steps).toContain("pulumi destroy --exclude-protected");
        const { code, output } = await pulumi("destroy", "--exclude-protected", "--yes");
        expect(code, output.slice(-3000)).toBe(0);
        expect(await kube("get", "pods", "-o", "name")).toBe("");
        expect((await kube("get", "pvc", "-o", "name")).trim().split("\n").sort()).toEqual([
            "persistentvolumeclaim/postgres-data",
            "persistentvolumeclaim/valkey-data",
        ]);
        // The data is still there: the next `up` finds the workflows again.
        await up(merge(committed(), quickScaling));
        expect(JSON.stringify((await ask(entrance, "GET", "/api/workflows")).body)).toContain("e2e-set");
        expect((await pulumi("destroy", "--exclude-protected", "--yes")).code).toBe(0);
        expect((await pulumi("state", "unprotect", "--all", "--yes")).code).toBe(0);
        expect((await pulumi("destroy", "--yes")).code).toBe(0);
        await kube("delete", "namespace", NAMESPACE, "--wait=true", "--timeout=120s");
    });
});

describe("release 0.46", () => {
    test("starts, runs the main job, and again after a restart", async () => {
        const host = "orcheo46.localhost";
        const source = { kind: "directory", path: join(projectDir, "tests", "canvas-app") };
        const settings = merge(committed(), {
            release: "0.46",
            version: "0.2.0",
            host,
            images: { canvas: { source } },
        });
        const { bootstrapToken } = await up(settings);
        const token = await run("bash", ["-c", String(bootstrapToken)], { env });
        const newer: Entrance = { ...entrance, origin: `https://${host}:${spec.ports.https}`, token };
        const workflow = await createWorkflow(newer, "0.46", "e2e-set");
        const runId = await dispatch(newer, workflow);
        const done = await ended(newer, runId);
        expect(answerOf(done)).toBe(42);
        expect(actorsOf(done)).toContain("worker");
        const label = "app.kubernetes.io/component in (api,worker,postgres)";
        await kube("delete", "pods", "-l", label, "--wait=true", "--timeout=240s");
        for (const role of ["postgres", "api", "worker"])
            expect(
                await eventually(
                    240,
                    () => readyPods(role),
                    (n) => n > 0,
                ),
                role,
            ).toBeGreaterThan(0);
        const again = await eventually(
            60,
            () => ask(newer, "GET", `/api/runs/${runId}`),
            ({ status }) => status === 200,
        );
        expect(answerOf(again.body)).toBe(42);
    });
});
