/** What the end-to-end tests of the platform share: the cluster of their file, the stack on it, and its clients. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { stringify } from "yaml";
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { projectDir } from "../../../local/paths.ts";
import { clusterEnvironment, deploy } from "../../../local/platform.ts";
import { run } from "../../../local/process.ts";
import { committedFile, readStackFile } from "../../../local/pulumi.ts";
import { consoleReport } from "../../../local/report.ts";
import { merge, type Settings, settingsOf, stackFile } from "../../../local/settings.ts";
import { ensureToolchain } from "../../../local/toolchain/build.ts";
import { clusterOfThisFile } from "../clusters.ts";
import { answerOf, ask, at, type Entrance } from "../orcheo.ts";

export const spec = clusterOfThisFile();
export const report = consoleReport();
export const artifacts = join(projectDir, "artifacts");
export const STACK = "dev";
export const NAMESPACE = "orcheo";

export const toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi", "test"], report);
export const environmentOf = (stack: string): NodeJS.ProcessEnv => ({
    ...process.env,
    ...clusterEnvironment(spec, toolchain, stack),
});
export const env = environmentOf(STACK);

/** The bootstrap token's owner at the front door of a host. */
export async function callerAt(
    host: string,
    tokenCommand: string,
    caFile = clusterInfo(spec).caFile,
): Promise<Entrance> {
    const token = await run("bash", ["-c", tokenCommand], { env });
    return { origin: `https://${host}:${spec.ports.https}`, caFile, token };
}
/** Where plain http leads: status and URL. */
export const redirectOf = (host: string, path: string, port = spec.ports.http): Promise<string> =>
    run("curl", [
        ...["--silent", "--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}"],
        ...["--header", `Host: ${host}`, `http://127.0.0.1:${port}${path}`],
    ]);
/** The caller of the dev stack; known once `make up` has ended. */
export const dev: { caller?: Entrance } = {};
export const caller = (): Entrance => {
    if (dev.caller === undefined) throw new Error("`make up` has not ended well: nothing further can be shown");
    return dev.caller;
};

/** What a command said, and whether it went well; for commands that are meant to fail. */
export interface Outcome {
    readonly code: number;
    readonly output: string;
}

export const attempt = (command: string, args: readonly string[], environment = env): Promise<Outcome> =>
    attemptIn(projectDir, command, args, environment);

export const attemptIn = (
    cwd: string,
    command: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
): Promise<Outcome> =>
    new Promise((done, fail) => {
        const child = spawn(command, args, { cwd, env: environment, stdio: ["ignore", "pipe", "pipe"] });
        let output = "";
        for (const stream of [child.stdout, child.stderr])
            stream.setEncoding("utf8").on("data", (text: string) => (output += text));
        child.once("error", fail);
        child.once("close", (code) => {
            done({ code: code ?? -1, output });
        });
    });

export const kube = (...args: string[]): Promise<string> =>
    run("kubectl", ["--namespace", NAMESPACE, ...args], { env, timeoutSeconds: 300 });
export const apply = (items: readonly object[]): Promise<string> =>
    run("kubectl", ["apply", "--server-side", "-f", "-"], {
        env,
        input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    });
/** A file of manifests, or a folder of such. */
export const applyFiles = (path: string): Promise<string> =>
    run("kubectl", ["apply", "--server-side", "-f", path], { env });
export const exec = (target: string, ...command: string[]): Promise<Outcome> =>
    attempt("kubectl", ["--namespace", NAMESPACE, "exec", target, "--", ...command]);
export const pulumi = (...args: string[]): Promise<Outcome> => attempt("pulumi", [...args, "--non-interactive"]);

export async function eventually<T>(seconds: number, look: () => Promise<T>, fits: (seen: T) => boolean): Promise<T> {
    for (const end = Date.now() + seconds * 1000; ;) {
        const seen = await look();
        if (fits(seen) || Date.now() > end) return seen;
        await sleep(1000);
    }
}

/** The run's answer after a loss: a proxy learns of new pods within seconds. */
export async function answerAgain(entrance: Entrance, runId: string): Promise<unknown> {
    const { body } = await eventually(
        60,
        () => ask(entrance, "GET", `/api/runs/${runId}`),
        ({ status }) => status === 200,
    );
    return answerOf(body);
}

export const readyPods = async (component: string): Promise<number> => {
    const label = `app.kubernetes.io/component=${component}`;
    const ready = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
    return (await kube("get", "pods", "-l", label, "-o", `jsonpath=${ready}`)).split("\n").filter((s) => s === "True")
        .length;
};

export async function expectReady(component: string, seconds = 240, least = 1): Promise<void> {
    const seen = await eventually(
        seconds,
        () => readyPods(component),
        (count) => count >= least,
    );
    expect(seen, `ready pods of ${component}`).toBeGreaterThanOrEqual(least);
}

/** Deletes the pods of some roles, and waits until each role serves again. */
export async function restart(...roles: string[]): Promise<void> {
    const label = `app.kubernetes.io/component in (${roles.join(",")})`;
    await kube("delete", "pods", "-l", label, "--wait=true", "--timeout=240s");
    for (const role of roles) await expectReady(role);
}

export const committed = (): Settings => settingsOf(readStackFile(committedFile(STACK)), STACK);
/** Gives a stack's file other settings; all else in it stays. */
export function putSettings(file: string, settings: Settings): void {
    const before = readStackFile(file);
    writeFileSync(file, stringify(stackFile(settings, before, before)));
}
/** A measurement every 15 s decides; minutes of waiting would show nothing more. */
export const quickScaling = { api: { scaling: { scaleDownStabilizationSeconds: 15, podsPerMinute: 10 } } };
/** After its state was lost: the former vault key is only in the Secret that the runbook keeps. */
export const recovered: { secrets?: Settings } = {};
/** So low that runs reach them while a test waits; from the backup on. */
export const lowLimits = { worker: { longestRunSeconds: 45, memoryPerProcessMiB: 512 } };
/** Settings of the dev stack from the backup on. */
export const current = (): Settings => merge(committed(), { ...quickScaling, ...lowLimits, ...recovered });
export const up = (settings: Settings, stack = STACK, caFile?: string): Promise<Settings> =>
    // As `make up` does for this stack.
    deploy({ spec, toolchain, report, stack, settings, caFile, signIn: stack === STACK });

/** An object, with `--show-managed-fields`. */
export interface Written {
    readonly kind: string;
    readonly metadata: {
        readonly name: string;
        readonly namespace?: string;
        readonly uid: string;
        readonly managedFields?: readonly object[];
    };
}

/** Whether it is the same object, and who wrote what, and when, but for status. */
export const writesOf = ({ metadata: { uid, managedFields = [] } }: Written): unknown => [
    uid,
    managedFields
        .filter((each) => at(each, "subresource") !== "status")
        .map((each) => [at(each, "manager"), at(each, "operation"), at(each, "time")]),
];
