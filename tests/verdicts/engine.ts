/** Asks Pulumi's engine, through the real policy pack. Needs `pulumi` and `pulumi-language-nodejs` on the PATH. */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { at, text } from "../../policies/values.ts";
import type { Given } from "../policy/cases.ts";

const run = promisify(execFile);
const pack = join(import.meta.dirname, "../../policies");

export interface Violation {
    readonly rule: string;
    /** Name of the Pulumi resource; empty for the stack. */
    readonly resource: string;
    readonly message: string;
    readonly level: string;
}

export interface EngineRun {
    readonly violations: readonly Violation[];
    /** Rules that mended a resource, and its properties after that. */
    readonly remediated: readonly { readonly rule: string; readonly after: unknown }[];
    /** Type tokens of all resources that the engine was shown, and so the pack. */
    readonly types: readonly string[];
    readonly seconds: number;
    readonly exitCode: number;
    readonly output: string;
}

export interface EngineOptions {
    /** The pack's config by rule. */
    readonly settings?: Readonly<Record<string, unknown>>;
    /** Config of the stack, such as the exceptions. */
    readonly config?: Readonly<Record<string, unknown>>;
    /** False previews without the pack, for its share of the time. */
    readonly withPack?: boolean;
}

/** What Pulumi exits with, and its output; a program that cannot be started throws. */
async function pulumi(
    cwd: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
): Promise<{ code: number; output: string }> {
    try {
        const { stdout, stderr } = await run("pulumi", args, { env, cwd, maxBuffer: 1 << 28 });
        return { code: 0, output: stdout + stderr };
    } catch (error) {
        const code = at(error, "code");
        if (typeof code !== "number") {
            throw new Error("pulumi is not on the PATH: run `make up` once, then add its bin directory to PATH", {
                cause: error,
            });
        }
        return { code, output: `${text(at(error, "stdout")) ?? ""}${text(at(error, "stderr")) ?? ""}` };
    }
}

/** One `pulumi preview --policy-pack` of all the resources, on a stack of its own. */
export function previewWithPack(resources: readonly Given[], options: EngineOptions = {}): Promise<EngineRun> {
    return preview("components", resources, options);
}

/** The same of manifests in YAML, by name, which the Kubernetes provider converts. Needs a cluster. */
export function previewManifests(
    manifests: Readonly<Record<string, string>>,
    options: EngineOptions = {},
): Promise<EngineRun> {
    return preview("manifests", manifests, options);
}

/** The same of this project's own program. Needs a cluster. */
export function previewProgram(settings: object): Promise<EngineRun> {
    return preview("../..", [], { config: { "orcheo:stack": settings } });
}

async function preview(program: string, fixtures: unknown, options: EngineOptions): Promise<EngineRun> {
    const project = join(import.meta.dirname, program);
    const dir = await mkdtemp(join(tmpdir(), "orcheo-verdicts-"));
    try {
        const env = {
            ...process.env,
            FIXTURES: join(dir, "fixtures.json"),
            ORCHEO_POLICY_STACK_CONFIG: join(dir, "stack.yaml"),
            PULUMI_BACKEND_URL: `file://${dir}`,
            PULUMI_CONFIG_PASSPHRASE: "",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DEBUG_COMMANDS: "true",
        };
        const config = { config: { "orcheo:policyExceptions": [], ...options.config } };
        await writeFile(env.FIXTURES, JSON.stringify(fixtures));
        await writeFile(join(dir, "pack.json"), JSON.stringify(options.settings ?? {}));
        await writeFile(join(dir, "stack.yaml"), JSON.stringify(config));
        const stack = ["--stack", "verdicts", "--config-file", join(dir, "stack.yaml"), "--non-interactive"];
        // In a folder of its own: it writes the stack's file beside Pulumi.yaml.
        await copyFile(join(project, "Pulumi.yaml"), join(dir, "Pulumi.yaml"));
        await pulumi(dir, ["stack", "init", "verdicts"], env);
        const withPack = options.withPack ?? true;
        const packed = withPack ? ["--policy-pack", pack, "--policy-pack-config", join(dir, "pack.json")] : [];
        const start = performance.now();
        const events = ["--event-log", join(dir, "events.json"), "--suppress-outputs"];
        const { code, output } = await pulumi(project, ["preview", ...stack, ...packed, ...events], env);
        const seconds = (performance.now() - start) / 1000;
        const log = await readFile(join(dir, "events.json"), "utf8").catch(() => "");
        const violations = violationsIn(log);
        const remediated = eventsIn(log, "policyRemediationEvent").map((event) => ({
            rule: text(at(event, "policyName")) ?? "",
            after: at(event, "after"),
        }));
        const types = eventsIn(log, "resourcePreEvent").map((event) => text(at(event, "metadata", "type")) ?? "");
        if (code !== 0 && violations.length === 0) throw new Error(`pulumi preview failed:\n${output.slice(-4000)}`);
        return { violations, remediated, types, seconds, exitCode: code, output };
    } finally {
        await rm(dir, { recursive: true, force: true });
    }
}

/** The events of one sort in an engine's event log, one JSON object a line. */
function eventsIn(log: string, sort: string): readonly unknown[] {
    return log
        .split("\n")
        .filter((line) => line.includes(`"${sort}"`))
        .map((line): unknown => at(JSON.parse(line), sort))
        .filter((event) => event !== undefined);
}

function violationsIn(log: string): readonly Violation[] {
    return eventsIn(log, "policyEvent").map((event) => {
        const urn = text(at(event, "resourceUrn")) ?? "";
        const message = text(at(event, "message")) ?? "";
        return {
            rule: text(at(event, "policyName")) ?? "",
            resource: urn.split("::").at(-1) ?? "",
            // The engine puts the rule's description on a line before the message.
            message: message.slice(message.indexOf("\n") + 1).trim(),
            level: text(at(event, "enforcementLevel")) ?? "",
        };
    });
}
