/** Deploys Orcheo to a cluster: base image, settings, `pulumi up`, first response. */
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { ensureBaseImage } from "./base-image.ts";
import { inBuilder, MIRROR } from "./cluster/builder.ts";
import { clusterInfo } from "./cluster/cluster.ts";
import { ensureMonitoring, monitoringSettings, removeMonitoring, tracingSettings } from "./cluster/monitoring.ts";
import { ensureSignIn, signInSettings } from "./cluster/sign-in.ts";
import type { ClusterSpec } from "./cluster/spec.ts";
import { caBundleFile, cacheDir, logFile, projectDir } from "./paths.ts";
import { run } from "./process.ts";
import {
    committedFile,
    localEnvironment,
    localStack,
    policyEnvironment,
    prepareStack,
    pulumi,
    readStackFile,
} from "./pulumi.ts";
import { summaryOf } from "./pulumi-output.ts";
import type { Report } from "./report.ts";
import { embeddedSettings, isSettings, leavesSignIn, type Settings, settingsOf } from "./settings.ts";
import type { Toolchain } from "./toolchain/build.ts";

const at = (value: unknown, ...path: readonly string[]): unknown =>
    path.reduce<unknown>((here, key) => (isSettings(here) ? here[key] : undefined), value);

function textAt(value: unknown, key: string): string | undefined {
    const found = at(value, key);
    return typeof found === "string" ? found : undefined;
}

/** Folder of a cluster's Pulumi stacks: state, passphrase and settings. */
export const pulumiDir = (spec: ClusterSpec): string => join(spec.stateDir, "pulumi");

/** Environment variables for running `pulumi`, `kubectl` and `docker buildx` by hand. */
export const clusterEnvironment = (spec: ClusterSpec, toolchain: Toolchain, stack: string): Record<string, string> => {
    const { kubeconfig, buildxConfigDir } = clusterInfo(spec);
    return {
        ...localEnvironment(pulumiDir(spec), stack),
        KUBECONFIG: kubeconfig,
        BUILDX_CONFIG: buildxConfigDir,
        PATH: `${toolchain.path}:${process.env.PATH ?? ""}`,
    };
};

/** Enough for the base image: it has 50 MB and crosses no network. */
const PUSH_SECONDS = 120;

export interface Deployment {
    readonly spec: ClusterSpec;
    readonly toolchain: Toolchain;
    readonly report: Report;
    /** Name of the stack; its committed settings are in Pulumi.<stack>.yaml. */
    readonly stack: string;
    /** Replaces the committed settings; for tests. */
    readonly settings?: Settings;
    /** CA of the public certificate, by default the cluster's own; for tests. */
    readonly caFile?: string;
    /** Runs the cluster's identity provider for a stack whose settings say nothing of sign-in. */
    readonly signIn?: boolean;
    /** Runs the cluster's monitoring around the stack, or removes it; undefined leaves it alone. */
    readonly monitoring?: boolean;
}

/** Deploys the stack to the embedded cluster, which must be running. @returns its outputs */
export async function deploy(deployment: Deployment): Promise<Settings> {
    const { spec, toolchain, report, stack } = deployment;
    const cluster = clusterInfo(spec);
    const committed = deployment.settings ?? settingsOf(readStackFile(committedFile(stack)), committedFile(stack));
    if (at(committed, "images", "kind") !== "published")
        await report.step("base image", undefined, () =>
            ensureBaseImage({
                registry: MIRROR,
                crane: (...args) => inBuilder([toolchain.bin("crane"), "--insecure", ...args], PUSH_SECONDS),
                cacheDir,
                report: (line) => {
                    report.note(line);
                },
            }),
        );
    const signIn = deployment.signIn === true && leavesSignIn(committed);
    if (signIn)
        await report.step("identity provider", undefined, () =>
            ensureSignIn(spec, toolchain, { stack, origin: originOf(committed, spec.ports.https) }),
        );
    const before = join(pulumiDir(spec), `Pulumi.${stack}.yaml`);
    const settings = embeddedSettings(committed, {
        cluster,
        httpsPort: spec.ports.https,
        canvasDirectory: await canvasDirectory(committed, existsSync(before) ? before : undefined, report),
        caBundleFile,
        ...(signIn && { signIn: signInSettings(spec, stack) }),
        ...(deployment.monitoring === true && {
            monitoring: monitoringSettings,
            tracing: tracingSettings(cluster.caFile),
        }),
    });
    localStack(pulumiDir(spec), stack, settings, toolchain);
    const env = { ...process.env, ...clusterEnvironment(spec, toolchain, stack) };
    await prepareStack(pulumiDir(spec), stack, env);
    const log = logFile(`pulumi-up-${spec.name}-${stack}`);
    const printed = await report.step(`pulumi up of the stack "${stack}"`, log, (progress) =>
        pulumi(["up", "--yes", "--non-interactive", "--suppress-outputs"], env, { log, progress }),
    );
    for (const line of summaryOf(printed)) report.note(line);
    const outputs = JSON.parse(
        await run("pulumi", ["stack", "output", "--json"], { cwd: projectDir, env }),
    ) as Settings;
    const health = new URL("/api/system/health", String(outputs.url));
    await report.step(`first response from ${health.href}`, undefined, () =>
        firstAnswer(health, spec.ports.https, deployment.caFile ?? cluster.caFile),
    );
    await setMonitoring(deployment, settings);
    return outputs;
}

/** After the update: it takes rules, dashboards and the CA from what is deployed. */
async function setMonitoring(
    { spec, toolchain, report, stack, monitoring }: Deployment,
    settings: Settings,
): Promise<void> {
    if (monitoring === true) {
        const watched = {
            stack,
            namespace: textAt(settings.kubernetes, "namespace") ?? "orcheo",
            host: hostOf(settings),
        };
        await report.step("monitoring", undefined, () => ensureMonitoring(spec, toolchain, watched));
    } else if (monitoring === false && (await removeMonitoring(spec, toolchain, stack)))
        report.note("the monitoring was removed; its metrics stay in the volume of the namespace monitoring");
}

const hostOf = (settings: Settings): string => textAt(settings, "host") ?? "orcheo.localhost";

/** Where browsers find the stack (components/config/derived.ts). */
const originOf = (committed: Settings, port: number): string =>
    `https://${hostOf(committed)}${port === 443 ? "" : `:${port}`}`;

/**
 * A directory to use instead of the canvas' git source, or undefined. $ORCHEO_CANVAS_SOURCE names one; if the repository
 * cannot be reached, the tests' stand-in is used, unless this stack has already been built from the repository.
 */
async function canvasDirectory(
    committed: Settings,
    former: string | undefined,
    report: Report,
): Promise<string | undefined> {
    if (process.env.ORCHEO_CANVAS_SOURCE !== undefined) return resolve(process.env.ORCHEO_CANVAS_SOURCE);
    const source = at(committed, "images", "canvas", "source");
    if (at(committed, "images", "kind") === "published" || (at(source, "kind") ?? "git") !== "git") return undefined;
    const last =
        former === undefined
            ? undefined
            : at(parse(readFileSync(former, "utf8")), "config", "orcheo:stack", "images", "canvas", "source", "kind");
    if (former !== undefined && last !== "directory") return undefined;
    const url = textAt(source, "url") ?? publicCanvas.git;
    const ref = textAt(source, "ref") ?? publicCanvas.tag;
    const env = { ...process.env, GIT_TERMINAL_PROMPT: "0" };
    const seen = await run("git", ["ls-remote", "--exit-code", url, ref], { env, timeoutSeconds: 15 }).catch(
        () => undefined,
    );
    if (seen !== undefined) return undefined;
    const standIn = join(projectDir, "tests", "canvas-app");
    report.note(
        `canvas: ${url} ${ref} cannot be reached, so the tests' small stand-in is used instead; ` +
            `set ORCHEO_CANVAS_SOURCE=<directory of an Orcheo source tree> to build the real one`,
    );
    return standIn;
}

/** The front end of the default release. */
const publicCanvas = (
    JSON.parse(readFileSync(join(projectDir, "images", "backend", "releases.json"), "utf8")) as {
        releases: Record<"0.33", { canvas: { git: string; tag: string } }>;
    }
).releases["0.33"].canvas;

const FIRST_ANSWER_SECONDS = 120;

/** Polls until the URL answers 200 over a connection that verifies against the CA. */
async function firstAnswer(url: URL, port: number, caFile: string): Promise<void> {
    const ca = readFileSync(caFile);
    for (const end = Date.now() + FIRST_ANSWER_SECONDS * 1000; ;) {
        const outcome = await statusOf(url, port, ca);
        if (outcome === 200) return;
        if (Date.now() > end) {
            const { subject } = new X509Certificate(ca);
            throw new Error(`${url.href} answers ${outcome} after ${FIRST_ANSWER_SECONDS} s (CA ${subject})`);
        }
        await sleep(500);
    }
}

/** The host name does not have to resolve: the connection goes to a local port of this machine. */
const statusOf = (url: URL, port: number, ca: Buffer): Promise<number | string> =>
    new Promise((done) => {
        const asked = request(
            { host: "127.0.0.1", port, path: url.pathname, servername: url.hostname, headers: { host: url.host }, ca },
            (answer) => {
                answer.resume();
                done(answer.statusCode ?? "nothing");
            },
        );
        asked.setTimeout(10_000, () => {
            asked.destroy(new Error("no response within 10 s"));
        });
        asked.on("error", (error) => {
            done(error.message);
        });
        asked.end();
    });

/** `pulumi up` on the user's own cluster, with the user's login and prompts. */
export async function deployElsewhere(toolchain: Toolchain, stack: string, context: string): Promise<void> {
    const env = {
        ...process.env,
        ...policyEnvironment(committedFile(stack)),
        PULUMI_STACK: stack,
        PATH: `${toolchain.path}:${process.env.PATH ?? ""}`,
    };
    await run("pulumi", ["whoami", "--non-interactive"], { cwd: projectDir, env }).catch((error: unknown) => {
        throw new Error(
            `Pulumi has no state backend yet. Log in to one, then run \`make up\` again:\n` +
                `  pulumi login --local                 on this machine's disk (PATH=${toolchain.path}:$PATH has pulumi)\n` +
                `  pulumi login s3://<bucket>           in a bucket\n`,
            { cause: error },
        );
    });
    await run("pulumi", ["stack", "select", "--create", "--non-interactive", stack], { cwd: projectDir, env });
    process.stderr.write(`Pulumi.${stack}.yaml names the context "${context}": the embedded cluster is not used.\n`);
    await pulumi(["up"], env);
}
