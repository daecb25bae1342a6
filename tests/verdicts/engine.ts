/** Asks Pulumi's engine, through the real policy pack. Needs `pulumi` and `pulumi-language-nodejs` on the PATH. */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Resource } from "../../policies/rule.ts";
import { at, fields, text } from "../../policies/values.ts";
import type { Given } from "../policy/cases.ts";

const run = promisify(execFile);
/** Folder of this project's pack. */
export const ours = join(import.meta.dirname, "../../policies");

export interface Violation {
    readonly rule: string;
    /** Name of the Pulumi resource; empty for the stack. */
    readonly resource: string;
    readonly message: string;
    readonly level: string;
}

export interface EngineRun {
    readonly violations: readonly Violation[];
    /** Rules that remediated a resource, and its properties after that. */
    readonly remediated: readonly { readonly rule: string; readonly after: unknown }[];
    /** All resources that the engine was shown, and so the pack, with the inputs that their providers have checked. */
    readonly resources: readonly Resource[];
    /** Their type tokens. */
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
    /** Folder of another pack than ours; `none` for a preview without. */
    readonly pack?: string;
    /** Asks only for exit code and time: the log of the events takes time itself. */
    readonly unlogged?: boolean;
}

/** What Pulumi exits with, and its output; a program that cannot be started throws. */
export async function pulumi(
    cwd: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
): Promise<{ code: number; output: string; stdout: string }> {
    try {
        const { stdout, stderr } = await run("pulumi", args, { env, cwd, maxBuffer: 1 << 28 });
        return { code: 0, output: stdout + stderr, stdout };
    } catch (error) {
        const code = at(error, "code");
        if (typeof code !== "number") {
            throw new Error("pulumi is not on the PATH: run `make up` once, then add its bin directory to PATH", {
                cause: error,
            });
        }
        const stdout = text(at(error, "stdout")) ?? "";
        return { code, output: `${stdout}${text(at(error, "stderr")) ?? ""}`, stdout };
    }
}

/** One `pulumi preview --policy-pack` of all the resources, on its own stack. */
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

/** Variables of a Pulumi with its state in a folder, and none of what `make env` may have set of it. */
export function environment(folder: string): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_OPTION_"));
    return {
        ...Object.fromEntries(own),
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
        PULUMI_STACK: undefined,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // For --event-log.
        PULUMI_DEBUG_COMMANDS: "true",
    };
}

/** One `pulumi preview` with what it told of policies in its log. A preview that fails otherwise throws. */
export async function previewIn(
    project: string,
    flags: readonly string[],
    env: NodeJS.ProcessEnv,
    log?: string,
): Promise<EngineRun> {
    const logged = log === undefined ? [] : ["--event-log", log];
    const start = performance.now();
    const { code, output } = await pulumi(
        project,
        ["preview", "--suppress-outputs", "--non-interactive", ...logged, ...flags],
        env,
    );
    const seconds = (performance.now() - start) / 1000;
    const events = log === undefined ? "" : await readFile(log, "utf8").catch(() => "");
    const violations = violationsIn(events);
    const remediated = eventsIn(events, "policyRemediationEvent").map((event) => ({
        rule: text(at(event, "policyName")) ?? "",
        after: at(event, "after"),
    }));
    const resources = eventsIn(events, "resourcePreEvent").map(resourceOf);
    const types = resources.map(({ type }) => type);
    if (code !== 0 && violations.length === 0) throw new Error(`pulumi preview failed:\n${output.slice(-4000)}`);
    return { violations, remediated, resources, types, seconds, exitCode: code, output };
}

async function preview(program: string, fixtures: unknown, options: EngineOptions): Promise<EngineRun> {
    const project = join(import.meta.dirname, program);
    const dir = await mkdtemp(join(tmpdir(), "orcheo-verdicts-"));
    try {
        const env = { ...environment(dir), FIXTURES: join(dir, "fixtures.json") };
        await writeFile(env.FIXTURES, JSON.stringify(fixtures));
        await writeFile(join(dir, "pack.json"), JSON.stringify(options.settings ?? {}));
        await writeFile(join(dir, "stack.yaml"), JSON.stringify({ config: options.config ?? {} }));
        // In its own folder: it writes the stack's file beside Pulumi.yaml.
        await copyFile(join(project, "Pulumi.yaml"), join(dir, "Pulumi.yaml"));
        await pulumi(dir, ["stack", "init", "verdicts"], env);
        const stack = ["--stack", "verdicts", "--config-file", join(dir, "stack.yaml")];
        const pack = options.pack ?? ours;
        const packed = pack === "none" ? [] : ["--policy-pack", pack, "--policy-pack-config", join(dir, "pack.json")];
        const log = options.unlogged === true ? undefined : join(dir, "events.json");
        return await previewIn(project, [...stack, ...packed], env, log);
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

function resourceOf(event: unknown): Resource {
    const urn = text(at(event, "metadata", "urn")) ?? "";
    return {
        type: text(at(event, "metadata", "type")) ?? "",
        name: urn.split("::").at(-1) ?? "",
        urn,
        props: fields(at(event, "metadata", "new", "inputs")),
    };
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
