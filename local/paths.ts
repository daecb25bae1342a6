import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The checkout. */
export const projectDir = resolve(import.meta.dirname, "..");

/** What was built or downloaded: safe to delete, keyed by what it was made from. `ORCHEO_CACHE_DIR` moves it. */
export const cacheDir =
    process.env.ORCHEO_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "orcheo");

/** The embedded clusters' data, one folder each. Deleting it deletes their databases. `ORCHEO_STATE_DIR` moves it. */
export const stateRoot = process.env.ORCHEO_STATE_DIR ?? "/var/lib/orcheo-local";

/** Go modules whose files the tests read; `make prune` removes them. */
export const testModulesDir = join(cacheDir, "test-modules");

/** The checkers that `make bench` compares the pack's report with; `make prune` removes them. */
export const checkersDir = join(cacheDir, "checkers");

/** Where the log of one long step is kept. */
export const logFile = (step: string): string => join(cacheDir, "logs", `${step}.log`);

/** The newest `make up` that built the toolchain, and the newest that did not: what `make bench` tells of. */
export const timingFile = (kind: "cold" | "warm"): string => join(cacheDir, "timings", `make-up-${kind}.json`);

/** PEM file of the authorities that this network's TLS needs besides the usual, if any: image builds must trust them. */
export const caBundleFile =
    process.env.ORCHEO_CA_BUNDLE ?? process.env.SSL_CERT_FILE ?? process.env.NODE_EXTRA_CA_CERTS;
