import { spawn } from "node:child_process";
import {
    closeSync,
    fstatSync,
    ftruncateSync,
    mkdirSync,
    openSync,
    readFileSync,
    rmSync,
    statSync,
    writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Report } from "./report.ts";

/**
 * Runs `work` while holding the lock `file`; if another process holds it, reports which one and waits. It is a kernel lock
 * (flock), released whenever its holder exits, so there are no stale locks to detect.
 */
export async function withLock<T>(file: string, report: Pick<Report, "note">, work: () => Promise<T>): Promise<T> {
    mkdirSync(dirname(file), { recursive: true });
    let fd = await locked(file, report);
    // The previous holder removed the file after we opened it: nobody else would contend for the file that we locked.
    while (!isStill(file, fd)) {
        closeSync(fd);
        fd = await locked(file, report);
    }
    return holding(file, fd, work);
}

/** Runs `work` under the lock unless another process holds it: for work that can be left to the next run. */
export async function withLockIfFree(file: string, work: () => Promise<void>): Promise<void> {
    mkdirSync(dirname(file), { recursive: true });
    const fd = openSync(file, "a+");
    if ((await flock(fd, ["--nonblock"])) && isStill(file, fd)) await holding(file, fd, work);
    else closeSync(fd);
}

async function holding<T>(file: string, fd: number, work: () => Promise<T>): Promise<T> {
    try {
        ftruncateSync(fd);
        writeSync(fd, String(process.pid));
        return await work();
    } finally {
        rmSync(file, { force: true });
        closeSync(fd);
    }
}

async function locked(file: string, report: Pick<Report, "note">): Promise<number> {
    const fd = openSync(file, "a+");
    try {
        if (!(await flock(fd, ["--nonblock"]))) {
            report.note(`waiting for process ${readFileSync(fd, "utf8") || "?"}, which holds ${file}`);
            await flock(fd, []);
        }
        return fd;
    } catch (error) {
        closeSync(fd);
        throw error;
    }
}

const isStill = (file: string, fd: number): boolean =>
    statSync(file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;

/** Node has no flock(2). The lock belongs to the open file description, which the child process shares with us. */
const flock = (fd: number, options: readonly string[]): Promise<boolean> =>
    new Promise((done, fail) => {
        const child = spawn("flock", [...options, "3"], { stdio: ["ignore", "ignore", "inherit", fd] });
        child.once("error", fail);
        child.once("close", (code, signal) => {
            if (code === 0 || code === 1) done(code === 0);
            else fail(new Error(`flock (package util-linux) ended with ${signal ?? `exit code ${code ?? "?"}`}`));
        });
    });
