import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The checkout. */
export const projectDir = resolve(import.meta.dirname, "..");

/** Build results and downloads, keyed by their inputs and safe to delete. `ORCHEO_CACHE_DIR` moves it. */
export const cacheDir =
    process.env.ORCHEO_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "orcheo");

/** The embedded clusters' data, one folder each. Deleting it deletes their databases. `ORCHEO_STATE_DIR` moves it. */
export const stateRoot = process.env.ORCHEO_STATE_DIR ?? "/var/lib/orcheo-local";

/** Go modules whose files the tests read; `make prune` removes them. */
export const testModulesDir = join(cacheDir, "test-modules");

/** The checkers that `make bench` compares the pack's report with; `make prune` removes them. */
export const checkersDir = join(cacheDir, "checkers");

/** Log file of one long-running step. */
export const logFile = (step: string): string => join(cacheDir, "logs", `${step}.log`);

/** Timings of the latest `make up` that built the toolchain, that downloaded it, and that had it, for `make bench`. */
export const timingFile = (kind: "cold" | "downloaded" | "warm"): string =>
    join(cacheDir, "timings", `make-up-${kind}.json`);

/** PEM file with the additional CAs of this network, if any: image builds must trust them. */
export const caBundleFile =
    process.env.ORCHEO_CA_BUNDLE ?? process.env.SSL_CERT_FILE ?? process.env.NODE_EXTRA_CA_CERTS;
