/** The commands behind the Makefile: `up`, `down`, `delete`, `status`, `diagnose`, `env`, `prune`, `plugins`, and the checks before `test` and `bench`. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { clusterInfo, clusterStatus, startCluster, stopCluster } from "./cluster/cluster.ts";
import { alertsOf, MONITORING, monitoringProblems } from "./cluster/monitoring.ts";
import { nodePid } from "./cluster/node.ts";
import { signInOf } from "./cluster/sign-in.ts";
import { type ClusterSpec, clusterSpec, defaultPorts, type Ports } from "./cluster/spec.ts";
import { removeLeftovers } from "./leftovers.ts";
import { inspectMachine, problemsOf } from "./preflight.ts";
import { projectDir, stateRoot, timingFile } from "./paths.ts";
import { clusterEnvironment, deploy, deployElsewhere, pulumiDir } from "./platform.ts";
import { committedFile, linkPlugins, readStackFile } from "./pulumi.ts";
import { lockPlugins, pluginSettings } from "./plugins.ts";
import { prune } from "./prune.ts";
import { consoleReport } from "./report.ts";
import { contextOf, EMBEDDED_CONTEXT, settingsOf, stackArguments } from "./settings.ts";
import { DOWNLOAD_STEP, ensureToolchain, toolsToCome, type Toolchain } from "./toolchain/build.ts";
import { monitoredUpGroups, upGroups } from "./toolchain/tools.ts";

const report = consoleReport();

/** Reads ports and name from the environment: `ORCHEO_CLUSTER`, `ORCHEO_API_PORT`, `ORCHEO_HTTPS_PORT`, … */
export function specFromEnvironment(env: NodeJS.ProcessEnv): ClusterSpec {
    const problems: string[] = [];
    const port = (use: keyof Ports): number => {
        const name = `ORCHEO_${use.toUpperCase()}_PORT`;
        const text = env[name] ?? String(defaultPorts[use]);
        const value = Number(text);
        if (!Number.isInteger(value) || value < 1 || value > 65535)
            problems.push(`${name}: found "${text}"; accepted: a port from 1 to 65535`);
        return value;
    };
    const ports = { api: port("api"), registry: port("registry"), http: port("http"), https: port("https") };
    const name = env.ORCHEO_CLUSTER ?? "local";
    if (!/^[a-z][a-z0-9]{0,9}$/.test(name))
        problems.push(
            `ORCHEO_CLUSTER: found "${name}"; accepted: 1 to 10 characters of a-z and 0-9, starting with a letter`,
        );
    const values = Object.values(ports);
    if (new Set(values).size < values.length)
        problems.push(`ports: found ${values.join(", ")}; they must all be different`);
    refuse(problems);
    return clusterSpec(name, ports);
}

function refuse(problems: readonly string[]): void {
    if (problems.length === 0) return;
    throw new Error(
        `nothing was changed; ${problems.length} problem${problems.length > 1 ? "s" : ""}:\n${problems.map((line) => `  - ${line}`).join("\n")}`,
    );
}

/** Name of the stack; its settings are in Pulumi.<stack>.yaml. */
const stackName = process.env.ORCHEO_STACK ?? "dev";

/** Refuses a machine on which the tests or benchmarks would only fail after minutes. */
async function ready(command: "test" | "bench" | "faults"): Promise<void> {
    const groups = command === "test" ? [...upGroups, "test" as const] : upGroups;
    await removeLeftovers(report);
    const tools = await toolsToCome(groups);
    refuse(problemsOf(await inspectMachine({ command, stateDir: stateRoot, tools, runs: false })));
}

async function up(spec: ClusterSpec): Promise<void> {
    const file = committedFile(stackName);
    const settings = settingsOf(readStackFile(file), file);
    const context = contextOf(settings);
    const monitoring = monitoringFrom(process.env);
    if (context !== undefined && context !== EMBEDDED_CONTEXT) {
        if (monitoring)
            refuse([
                `ORCHEO_MONITORING: found 1 beside the context "${context}"; accepted: 1 for the embedded cluster alone`,
            ]);
        await deployElsewhere(await ensureToolchain(["pulumi"], report), stackName, context);
        return;
    }
    const groups = monitoring ? monitoredUpGroups : upGroups;
    refuse([
        ...(monitoring ? monitoringProblems(settings, basename(file)) : []),
        ...problemsOf(
            await inspectMachine({
                command: "up",
                stateDir: spec.stateDir,
                tools: await toolsToCome(groups),
                runs: nodePid(spec) !== undefined,
                ports: spec.ports,
            }),
        ),
    ]);
    await removeLeftovers(report);
    const began = Date.now();
    const toolchain = await ensureToolchain(groups, report);
    const info = await startCluster(spec, toolchain, report);
    const { url, bootstrapToken, signIn } = await deploy({
        ...{ spec, toolchain, report, stack: stackName },
        ...{ signIn: true, monitoring },
    });
    const seconds = Math.round((Date.now() - began) / 1000);
    record(seconds);
    process.stdout.write(
        [
            ``,
            `Orcheo is running at ${String(url)} (${seconds} s). Next:`,
            `  trust its certificates:   import the CA ${info.caFile}, or use curl --cacert ${info.caFile} …`,
            ...signInLines(spec, String(url), String(signIn)),
            `  eval "$(make -s env)"     points kubectl, pulumi and docker buildx at it`,
            `  ${String(bootstrapToken)}`,
            `                            prints the bootstrap token, the first API credential`,
            ...(monitoring ? monitoringLines : []),
            `  make status               shows whether all is well, on one screen`,
            `  make down                 stops it and keeps the data`,
            ``,
        ].join("\n"),
    );
}

/** The way in is that of whoever may administer the cluster: the pages have no sign-in of their own. */
const monitoringLines = [
    `  kubectl --namespace ${MONITORING} port-forward service/victoria-metrics 8428`,
    `                            opens the dashboards at http://127.0.0.1:8428/vmui/#/dashboards`,
];

/** Whether the embedded cluster gets its monitoring; not remembered: `make up` without it removes it. */
export function monitoringFrom({ ORCHEO_MONITORING: found = "" }: NodeJS.ProcessEnv): boolean {
    if (!["", "0", "1"].includes(found))
        refuse([`ORCHEO_MONITORING: found "${found}"; accepted: 1, or 0 or nothing for no monitoring`]);
    return found === "1";
}

/** How a person signs in; `guide` is the stack's own output on it. */
function signInLines(spec: ClusterSpec, url: string, guide: string): string[] {
    const { issuer, username, passwordCommand } = signInOf(spec);
    return guide.includes(issuer)
        ? [
              `  sign in:                  open ${url} as the user ${username}; its password is printed by`,
              `                            ${passwordCommand}`,
          ]
        : [`  sign in:                  ${guide}`];
}

/** Records how long each step took, for `make bench`. */
function record(seconds: number): void {
    const ran = (start: string): boolean => report.steps.some(({ name }) => name.startsWith(start));
    const file = timingFile(ran(DOWNLOAD_STEP) ? "downloaded" : ran("build ") ? "cold" : "warm");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ at: new Date().toISOString(), seconds, steps: report.steps }));
}

/**
 * Runs `npm run status` or `npm run diagnose` on the stack that `make up` deploys, on its cluster.
 *
 * @returns its exit code
 */
async function stackCommand(
    command: "status" | "diagnose",
    spec: ClusterSpec,
    args: readonly string[],
): Promise<number> {
    const file = committedFile(stackName);
    const settings = settingsOf(readStackFile(file), file);
    const asked = args.some((each) => each.startsWith("--alerts")) || process.env.ORCHEO_ALERTS !== undefined;
    const alerts = command === "status" && !asked ? alertsOf(spec, stackName) : undefined;
    const stack = stackArguments(settings, clusterInfo(spec), alerts);
    const embedded = contextOf(settings) === undefined || contextOf(settings) === EMBEDDED_CONTEXT;
    const listed = embedded && command === "status" && !args.includes("--json");
    const components = listed ? await clusterStatus(spec, await ensureToolchain(["cluster"], report)) : [];
    const list =
        components.length === 0 ? "" : [`Embedded cluster "${spec.name}"`, ...components, ""].join("\n  ").trimEnd();
    if (embedded && nodePid(spec) === undefined) {
        process.stderr.write(
            `cannot tell: the embedded cluster "${spec.name}" is not running; \`make up\` starts it\n`,
        );
        return 2;
    }
    const main = join(projectDir, "tools", "main.ts");
    // The program's own files, which tools/ shares, are of the module type that Pulumi loads.
    const flags = ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"];
    const child = spawn(process.execPath, [...flags, main, command, ...stack, ...args], { stdio: "inherit" });
    return new Promise((done) => {
        child.once("error", () => {
            done(2);
        });
        child.once("close", (code) => {
            process.stdout.write(list === "" ? "" : `\n${list}\n`);
            done(code ?? 2);
        });
    });
}

/** Prints the exports for `eval "$(make -s env)"`. */
function printEnvironment(spec: ClusterSpec, toolchain: Toolchain): void {
    linkPlugins(pulumiDir(spec), toolchain);
    for (const [name, value] of Object.entries(clusterEnvironment(spec, toolchain, stackName)))
        process.stdout.write(`export ${name}='${value.replaceAll("'", "'\\''")}'\n`);
}

async function main([command, ...rest]: readonly string[]): Promise<void> {
    const spec = specFromEnvironment(process.env);
    switch (command) {
        case "up":
            await up(spec);
            return;
        case "down":
            await stopCluster(spec, report);
            process.stdout.write(
                `Stopped. The data is kept in ${spec.stateDir}: \`make up\` starts the cluster again, \`make delete\` deletes the data.\n`,
            );
            return;
        case "delete":
            await stopCluster(spec, report, { deleteData: true });
            process.stdout.write(
                `Stopped, and deleted ${spec.stateDir} with all its data. \`make up\` creates a new cluster.\n`,
            );
            return;
        case "status":
        case "diagnose":
            process.exitCode = await stackCommand(command, spec, rest);
            return;
        case "prune":
            process.stdout.write(`${(await prune(report)).join("\n")}\n`);
            return;
        case "plugins": {
            const file = committedFile(stackName);
            const lock = await lockPlugins(pluginSettings(settingsOf(readStackFile(file), file), file));
            process.stdout.write(`Written: ${lock}. Commit it; the next update builds these plugins in.\n`);
            return;
        }
        case "ready-for-test":
            await ready("test");
            return;
        case "ready-for-bench":
            await ready("bench");
            return;
        case "ready-for-faults":
            await ready("faults");
            return;
        case "env":
            printEnvironment(spec, await ensureToolchain(upGroups, report));
            return;
        default:
            throw new Error(
                `unknown command "${command ?? ""}"; accepted: up, down, delete, status, diagnose, env, plugins, prune, ready-for-test, ready-for-bench, ready-for-faults`,
            );
    }
}

if (import.meta.main) {
    try {
        await main(process.argv.slice(2));
    } catch (error) {
        process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = 1;
    }
}
