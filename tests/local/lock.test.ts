/** The lock between real processes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { withLock, withLockIfFree } from "../../local/lock.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-lock-"));
const lock = join(root, "lock");
const counter = join(root, "counter");
const module = join(import.meta.dirname, "../../local/lock.ts");

afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});

const processThat = (program: string) => {
    const source = `
        import { readFileSync, writeFileSync } from "node:fs";
        import { setTimeout as sleep } from "node:timers/promises";
        const { withLock } = await import(${JSON.stringify(module)});
        const hold = (work) => withLock(${JSON.stringify(lock)}, { note() {} }, work);
        ${program}`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", source], { stdio: "inherit" });
    return { child, ended: once(child, "exit") };
};

test("of many processes one at a time is in, also while others are killed inside", async () => {
    writeFileSync(counter, "0");
    const rounds = 40;
    const workers = Array.from({ length: 3 }, () =>
        processThat(`
            for (let round = 0; round < ${rounds}; round++) await hold(async () => {
                const seen = Number(readFileSync(${JSON.stringify(counter)}, "utf8"));
                await sleep(1);
                writeFileSync(${JSON.stringify(counter)}, String(seen + 1));
            });`),
    );
    const victims = Array.from({ length: 6 }, () =>
        processThat(`await hold(async () => process.kill(process.pid, "SIGKILL"));`),
    );
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual(workers.map(() => [0, null]));
    expect(await Promise.all(victims.map(({ ended }) => ended))).toEqual(victims.map(() => [null, "SIGKILL"]));
    expect(Number(readFileSync(counter, "utf8"))).toBe(workers.length * rounds);
});

test("a living holder is waited for and named, its end is enough to go on", async () => {
    const { child, ended } = processThat(`await hold(() => sleep(60_000));`);
    await vi.waitFor(
        () => {
            expect(readFileSync(lock, "utf8")).toBe(String(child.pid));
        },
        { timeout: 20_000 },
    );
    const notes: string[] = [];
    let entered = false;
    const waiting = withLock(lock, { note: (text) => void notes.push(text) }, () => {
        entered = true;
        return Promise.resolve("done");
    });
    await vi.waitFor(
        () => {
            expect(notes).toEqual([`waiting for process ${child.pid ?? 0}, which holds ${lock}`]);
        },
        { timeout: 20_000 },
    );
    expect(entered).toBe(false);

    child.kill("SIGKILL");
    await ended;
    await expect(waiting).resolves.toBe("done");
    expect(existsSync(lock)).toBe(false);
});

test("a lock is left when the work fails", async () => {
    const failing = withLock(lock, { note: () => undefined }, () => Promise.reject(new Error("the work failed")));
    await expect(failing).rejects.toThrow("the work failed");
    expect(existsSync(lock)).toBe(false);
});

test("work that can wait for the next run is left out while another process holds the lock", async () => {
    const done: string[] = [];
    const work = (name: string) => () => Promise.resolve(void done.push(name));
    const { child, ended } = processThat(`await hold(() => sleep(60_000));`);
    await vi.waitFor(
        () => {
            expect(readFileSync(lock, "utf8")).toBe(String(child.pid));
        },
        { timeout: 20_000 },
    );
    await withLockIfFree(lock, work("while it is held"));
    expect(readFileSync(lock, "utf8")).toBe(String(child.pid));
    child.kill("SIGKILL");
    await ended;
    await withLockIfFree(lock, work("afterwards"));
    expect(done).toEqual(["afterwards"]);
    expect(existsSync(lock)).toBe(false);
});
