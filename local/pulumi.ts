/** Pulumi as `make up` runs it: a separate stack on this machine's disk, with the policy pack, its files below `dir`. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
    closeSync,
    copyFileSync,
    existsSync,
    mkdirSync,
    openSync,
    readdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
    writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { keepNewest } from "./leftovers.ts";
import { projectDir } from "./paths.ts";
import { run } from "./process.ts";
import { failureOf, progressOf } from "./pulumi-output.ts";
import type { Progress } from "./report.ts";
import { type Settings, stackFile, type StackFile } from "./settings.ts";
import type { Toolchain } from "./toolchain/build.ts";
import { tools } from "./toolchain/tools.ts";

/** Environment variables that point plain `pulumi` commands at one stack. */
export type PulumiEnvironment = Readonly<Record<string, string>>;

export const committedFile = (stack: string): string => join(projectDir, `Pulumi.${stack}.yaml`);

export function readStackFile(path: string): StackFile {
    if (!existsSync(path)) throw new Error(`${path} does not exist: copy Pulumi.dev.yaml to it, or name another stack`);
    return parse(readFileSync(path, "utf8")) as StackFile;
}

/** Every Pulumi flag can be set as PULUMI_OPTION_*: a manual `pulumi preview` then does the same as `make up`. */
export const policyEnvironment = (configFile: string): PulumiEnvironment => ({
    PULUMI_OPTION_POLICY_PACK: join(projectDir, "policies"),
    PULUMI_OPTION_CONFIG_FILE: configFile,
});

/** Links the providers and the language host that stacks need into Pulumi's plugin directory. */
export function linkPlugins(dir: string, toolchain: Pick<Toolchain, "bin">): void {
    for (const { name, version, group } of tools) {
        const [, kind, plugin] = /^pulumi-(resource|language)-(.+)$/.exec(name) ?? [];
        if (group !== "pulumi" || kind === undefined || plugin === undefined) continue;
        const place = join(dir, "home", "plugins", `${kind}-${plugin}-v${version}`);
        rmSync(place, { recursive: true, force: true });
        mkdirSync(place, { recursive: true });
        symlinkSync(toolchain.bin(name), join(place, name));
    }
}

/** State, passphrase, plugins and config file of a stack on the embedded cluster. Rewritten at each start. */
export function localStack(dir: string, stack: string, settings: Settings, toolchain: Toolchain): void {
    linkPlugins(dir, toolchain);
    const state = join(dir, "state");
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const passphrase = join(dir, "passphrase");
    if (!existsSync(passphrase)) writeFileSync(passphrase, randomBytes(32).toString("base64url"), { mode: 0o600 });
    const file = join(dir, `Pulumi.${stack}.yaml`);
    const own: unknown = existsSync(file) ? parse(readFileSync(file, "utf8")) : undefined;
    writeFileSync(file, stringify(stackFile(settings, readStackFile(committedFile(stack)), own)), { mode: 0o600 });
}

export const localEnvironment = (dir: string, stack: string): PulumiEnvironment => ({
    // Separate, so that the user's login and plugins stay untouched.
    PULUMI_HOME: join(dir, "home"),
    PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(dir, "passphrase"),
    PULUMI_STACK: stack,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The providers are in PULUMI_HOME (`linkPlugins`): nothing is downloaded, and there is no warning about those on the PATH.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
    ...policyEnvironment(join(dir, `Pulumi.${stack}.yaml`)),
});

const KEPT_LOGS = 5;

/** Creates the stack unless it exists, and removes the lock of an update that was killed. */
export async function prepareStack(dir: string, stack: string, env: NodeJS.ProcessEnv): Promise<void> {
    // Each command writes one, of 20 MB with an update.
    keepNewest(join(env.PULUMI_HOME ?? join(dir, "home"), "logs"), KEPT_LOGS);
    // Pulumi writes a new stack's salt next to Pulumi.yaml, whatever the config file: move it into ours, in `dir`.
    copyFileSync(join(projectDir, "Pulumi.yaml"), join(dir, "Pulumi.yaml"));
    await run("pulumi", ["stack", "select", "--create", "--non-interactive", stack], { cwd: dir, env });
    const locks = join(dir, "state", ".pulumi", "locks");
    const files = existsSync(locks) ? readdirSync(locks, { recursive: true, encoding: "utf8" }) : [];
    const left = files.filter((file) => file.endsWith(".json")).map((file) => join(locks, file));
    if (left.some((file) => !isAlive(readFileSync(file, "utf8"))))
        await run("pulumi", ["cancel", "--yes", "--non-interactive"], { cwd: projectDir, env });
}

function isAlive(lock: string): boolean {
    const { pid } = JSON.parse(lock) as { pid?: number };
    return pid !== undefined && existsSync(`/proc/${pid}`);
}

export interface PulumiOptions {
    /** File for the output; without it the output goes to the terminal, and Pulumi may prompt. */
    readonly log?: string;
    readonly progress?: Progress;
}

/**
 * Runs `pulumi` in the project. Ctrl-C reaches it too: it finishes the operations in progress, then exits.
 *
 * @returns its output ("" when it went to the terminal)
 * @throws with its diagnostics when it fails
 */
export async function pulumi(
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    { log, progress }: PulumiOptions = {},
): Promise<string> {
    const wait = (): void => undefined;
    process.on("SIGINT", wait);
    try {
        const output = log === undefined ? "inherit" : "pipe";
        const child = spawn("pulumi", args, { cwd: projectDir, env, stdio: ["ignore", output, output] });
        let text = "";
        if (log !== undefined) {
            mkdirSync(dirname(log), { recursive: true });
            rmSync(log, { force: true });
            const file = openSync(log, "w", 0o600);
            child.once("close", () => {
                closeSync(file);
            });
            const follow = progressOf();
            for (const stream of [child.stdout, child.stderr]) {
                let rest = "";
                stream?.setEncoding("utf8").on("data", (part: string) => {
                    writeSync(file, part);
                    text += part;
                    const lines = `${rest}${part}`.split("\n");
                    rest = lines.pop() ?? "";
                    for (const line of lines) {
                        const far = follow(line);
                        if (far !== undefined) progress?.(far);
                    }
                });
            }
        }
        const code = await new Promise<number | string>((done, fail) => {
            child.once("error", fail);
            child.once("close", (status, signal) => {
                done(status ?? signal ?? "?");
            });
        });
        if (code !== 0) {
            const why = log === undefined ? "" : `${failureOf(text)}\n\n`;
            const where = log === undefined ? "" : ` Full output: ${log}.`;
            throw new Error(
                `${why}pulumi ${args.join(" ")}: exit code ${code}. The reason is above; everything that was running before ` +
                    `still runs.${where} Fix it and run the same command again. docs/runbooks/failed-start.md lists common causes and next steps.`,
            );
        }
        return text;
    } finally {
        process.off("SIGINT", wait);
    }
}
