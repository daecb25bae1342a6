/** Go's caches: our own, gone when they are of no more use. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";

const root = mkdtempSync(join(tmpdir(), "orcheo-go-"));
vi.stubEnv("ORCHEO_CACHE_DIR", root);
const { areSpent, goDir, goEnvironment, removeGoCaches, removeUnfinishedWork } =
    await import("../../local/toolchain/go-caches.ts");

const DAY = 24 * 3600 * 1000;

beforeEach(() => {
    rmSync(goDir, { recursive: true, force: true });
});
afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});

test("every cache of Go's lies below the project's own", () => {
    expect(goEnvironment()).toEqual({
        GOCACHE: join(root, "go", "build"),
        GOMODCACHE: join(root, "go", "modules"),
        GOTMPDIR: join(root, "go", "work"),
    });
    expect(Object.values(goEnvironment()).filter((dir) => !existsSync(dir))).toEqual([]);
});

test("they are kept while a tool is missing, for a week after the last build", () => {
    expect(areSpent(true)).toBe(false);
    goEnvironment();
    expect([areSpent(false), areSpent(false, Date.now() + 6 * DAY), areSpent(false, Date.now() + 8 * DAY)]).toEqual([
        false,
        false,
        true,
    ]);
    // A build is a use.
    utimesSync(goDir, new Date(0), new Date(0));
    expect(areSpent(false)).toBe(true);
    goEnvironment();
    expect(areSpent(false)).toBe(false);
});

test("they are of no more use when every tool exists", () => {
    goEnvironment();
    expect(areSpent(true)).toBe(true);
});

test("they are removed with modules that nobody may write to", async () => {
    const module = join(goDir, "modules", "example.org@v1.0.0");
    goEnvironment();
    mkdirSync(module);
    writeFileSync(join(module, "go.mod"), "");
    chmodSync(module, 0o555);
    await removeGoCaches();
    expect(existsSync(goDir)).toBe(false);
    await removeGoCaches();
});

test("what a killed build left is removed, compile results stay", () => {
    const { GOCACHE, GOTMPDIR } = goEnvironment();
    mkdirSync(join(GOTMPDIR ?? "", "go-build1"));
    removeUnfinishedWork();
    expect([existsSync(GOTMPDIR ?? ""), existsSync(GOCACHE ?? "")]).toEqual([false, true]);
});
