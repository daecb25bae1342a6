import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { statOf } from "./process.ts";
import type { Report } from "./report.ts";

/** Tells a living owner from another process that got its number. */
const startOf = (pid: number): string | undefined => statOf(pid)?.[19];

const owner = (file: string): string | undefined => {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
};

const isAlive = (written: string): boolean => {
    const [pid, start] = written.split(" ");
    return pid !== undefined && start !== undefined && startOf(Number(pid)) === start;
};

/** Runs `work` while no other process holds `file`. Waits for a living owner; takes over what a dead one left. */
export async function withLock<T>(file: string, report: Report, work: () => Promise<T>): Promise<T> {
    mkdirSync(dirname(file), { recursive: true });
    const mine = `${process.pid} ${startOf(process.pid) ?? ""}`;
    for (let waited = 0; ; waited++) {
        try {
            writeFileSync(file, mine, { flag: "wx" });
            break;
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        }
        const holder = owner(file);
        if (holder !== undefined && !isAlive(holder)) {
            rmSync(file, { force: true });
            continue;
        }
        if (waited % 30 === 0) report.note(`waiting for process ${holder?.split(" ")[0] ?? "?"}, which holds ${file}`);
        await sleep(1000);
    }
    try {
        return await work();
    } finally {
        rmSync(file, { force: true });
    }
}
