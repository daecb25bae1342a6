import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

export interface RunOptions {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    /** File for both output streams (replaced, not appended); without it they are collected and returned. */
    readonly log?: string;
    readonly input?: string;
    readonly timeoutSeconds?: number;
}

/** A command that failed. The message has the command, its exit code and the end of its output. */
export class CommandError extends Error {}

/** Runs a command to completion and returns its standard output ("" when it goes to a log). Throws `CommandError`. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    if (options.log !== undefined) mkdirSync(dirname(options.log), { recursive: true });
    const fd = options.log === undefined ? undefined : openSync(options.log, "w");
    try {
        const child = spawn(command, args, {
            cwd: options.cwd,
            env: options.env,
            timeout: (options.timeoutSeconds ?? 0) * 1000,
            stdio: [options.input === undefined ? "ignore" : "pipe", fd ?? "pipe", fd ?? "pipe"],
        });
        let stdout = "";
        let stderr = "";
        child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
        child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        // If a child exits before reading all of its input, only its exit code decides.
        child.stdin?.on("error", () => undefined).end(options.input);
        const failure = await new Promise<string | undefined>((done) => {
            child.once("error", (error) => {
                done(error.message);
            });
            child.once("close", (code, signal) => {
                done(code === 0 ? undefined : signal === null ? `exit code ${code ?? "?"}` : `killed by ${signal}`);
            });
        });
        if (failure !== undefined) {
            const printed = options.log === undefined ? stderr + stdout : readFileSync(options.log, "utf8");
            const where = options.log === undefined ? "" : `\nFull log: ${options.log}`;
            throw new CommandError(`${[command, ...args].join(" ")}: ${failure}\n${tail(printed)}${where}`);
        }
        return stdout;
    } finally {
        if (fd !== undefined) closeSync(fd);
    }
}

const tail = (text: string, lines = 20): string => text.trimEnd().split("\n").slice(-lines).join("\n");

/** The fields of /proc/<pid>/stat starting with the state ([0]); [19] is the start time in clock ticks since boot. */
export function statOf(pid: number): string[] | undefined {
    try {
        return readFileSync(`/proc/${pid}/stat`, "utf8")
            .replace(/^.*\) /s, "")
            .split(" ");
    } catch {
        return undefined;
    }
}
