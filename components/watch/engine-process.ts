/** The `pulumi` command that this program runs under. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";

export interface ProcessInfo {
    readonly parent: number;
    /** Name of the executable. */
    readonly command: string;
}

/** The command starts the language host, and that this program; a wrapper may stand between. */
const generations = 5;

/** Its process id; undefined when no parent is it, or none can be seen (Windows). */
export function engineProcess(
    infoOf: (pid: number) => ProcessInfo | undefined = processInfo,
    self = process.pid,
): number | undefined {
    let pid = infoOf(self)?.parent;
    for (let generation = 0; pid !== undefined && pid > 1 && generation < generations; generation += 1) {
        const info = infoOf(pid);
        if (info?.command === "pulumi") return pid;
        pid = info?.parent;
    }
    return undefined;
}

function processInfo(pid: number): ProcessInfo | undefined {
    try {
        if (process.platform === "linux") {
            // pid (command) state parent …; the command may hold spaces and parentheses.
            const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
            const [, command = "", parent = ""] = /^\d+ \((.*)\) \S (\d+) /s.exec(stat) ?? [];
            return { command, parent: Number(parent) };
        }
        if (process.platform === "win32") return undefined;
        const line = execFileSync("ps", ["-o", "ppid=,comm=", "-p", String(pid)], { encoding: "utf8" });
        const [, parent = "", command = ""] = /^\s*(\d+)\s+(.*)$/m.exec(line) ?? [];
        return { command: basename(command), parent: Number(parent) };
    } catch {
        return undefined;
    }
}
