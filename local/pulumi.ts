/** Pulumi as `make up` runs it: a stack of its own on this machine's disk, with the policy pack, its files below `dir`. */
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
import { projectDir } from "./paths.ts";
import { run } from "./process.ts";
import { failureOf, progressOf } from "./pulumi-output.ts";
import type { Progress } from "./report.ts";
import { type Settings, stackFile, type StackFile } from "./settings.ts";
import type { Toolchain } from "./toolchain/build.ts";
import { tools } from "./toolchain/tools.ts";

/** Variables that make plain `pulumi` commands act on one stack. */
export type PulumiEnvironment = Readonly<Record<string, string>>;

export const committedFile = (stack: string): string => join(projectDir, `Pulumi.${stack}.yaml`);

export function readStackFile(path: string): StackFile {
    if (!existsSync(path)) throw new Error(`there is no ${path}: copy Pulumi.dev.yaml to it, or name another stack`);
    return parse(readFileSync(path, "utf8")) as StackFile;
}

/** Every flag of Pulumi's can be a variable, PULUMI_OPTION_*: `pulumi preview` by hand is then what `make up` does. */
export const policyEnvironment = (configFile: string): PulumiEnvironment => ({
    PULUMI_OPTION_POLICY_PACK: join(projectDir, "policies"),
    PULUMI_OPTION_CONFIG_FILE: configFile,
});

/** Puts the providers and the language host where Pulumi keeps what it downloads. */
export function linkPlugins(dir: string, toolchain: Toolchain): void {
    for (const { name, version } of tools) {
        const [, kind, plugin] = /^pulumi-(resource|language)-(.+)$/.exec(name) ?? [];
        if (kind === undefined || plugin === undefined) continue;
        const place = join(dir, "home", "plugins", `${kind}-${plugin}-v${version}`);
        rmSync(place, { recursive: true, force: true });
        mkdirSync(place, { recursive: true });
        symlinkSync(toolchain.bin(name), join(place, name));
    }
}

/** State, passphrase, plugins and config file of a stack on the embedded cluster. Written anew at each start. */
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
    // Of its own, so that the login and the plugins of the user stay as they are.
    PULUMI_HOME: join(dir, "home"),
    PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(dir, "passphrase"),
    PULUMI_STACK: stack,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The providers are in the home (`linkPlugins`): nothing is downloaded, and no line warns of those on the PATH.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
    ...policyEnvironment(join(dir, `Pulumi.${stack}.yaml`)),
});

/** Creates the stack unless it is there, and removes the lock that a killed update left. */
export async function prepareStack(dir: string, stack: string, env: NodeJS.ProcessEnv): Promise<void> {
    // A new stack's salt is written beside Pulumi.yaml whatever the config file is: it belongs into ours, which lies in `dir`.
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
    /** File that gets the output; without it the output is shown, and Pulumi may ask. */
    readonly log?: string;
    readonly progress?: Progress;
}

/**
 * Runs `pulumi` in the project. Ctrl-C reaches it too: it ends what it began, then returns.
 *
 * @returns what it printed ("" when that was shown)
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
            const where = log === undefined ? "" : ` The whole output: ${log}.`;
            throw new Error(
                `${why}pulumi ${args.join(" ")}: exit code ${code}. The reason is above; nothing that ran before was taken ` +
                    `away.${where} Correct it, then run the same command again. docs/runbooks/failed-start.md has the usual reasons and next steps.`,
            );
        }
        return text;
    } finally {
        process.off("SIGINT", wait);
    }
}
