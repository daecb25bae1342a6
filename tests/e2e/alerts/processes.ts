/** Processes in the stack's containers, which stories start, stop and end. */
import { setTimeout as sleep } from "node:timers/promises";
import { exec } from "../platform/harness.ts";

/** Ends the processes of a container whose command line contains a word. */
const endAll = `import os, signal, sys
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/cmdline") as line:
            found = sys.argv[1] in line.read() and int(pid) != os.getpid()
    except OSError:
        continue
    if found:
        os.kill(int(pid), signal.SIGKILL)
`;

/**
 * Runs Python beside the container's own process until it is ended; by itself it ends after ten minutes.
 *
 * @throws when it ends at once
 */
export async function start(target: string, word: string, code: string): Promise<void> {
    const marked = `import signal; signal.alarm(600)\n${code}\n# ${word}`;
    // With the connection's settings of Orcheo's own processes.
    const command = ["python3", "-m", "orcheo_runtime.start", "run", "python3", "-c", marked];
    const ended = exec(target, ...command).then(({ output }) => output);
    const early = await Promise.race([ended, sleep(3000)]);
    if (early !== undefined) throw new Error(`${word} in ${target} has ended: ${early}`);
}

export async function end(target: string, word: string): Promise<void> {
    const { code, output } = await exec(target, "python3", "-c", endAll, word);
    if (code !== 0) throw new Error(output);
}

/** Signals processes of a pod. */
export async function signal(pod: string, name: "KILL" | "STOP", processes: readonly string[]): Promise<void> {
    const { code, output } = await exec(pod, "sh", "-c", `kill -${name} ${processes.join(" ")}`);
    if (code !== 0) throw new Error(output);
}
