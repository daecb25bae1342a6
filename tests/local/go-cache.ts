import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

// Imports nothing of the project's: its paths would be settled before a test names its own cache.
/** Go as it is on the PATH, for tests of the builder: the toolchain's own version would be downloaded to each test's cache. */
export const GO_OF_THE_MACHINE = "local";

const shared = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "go-build");

/** Gives a test's empty cache the compile results of earlier tests: Go's own library takes half a minute. */
export function shareCompileResults(cache: string): void {
    mkdirSync(shared, { recursive: true });
    mkdirSync(join(cache, "go"), { recursive: true });
    symlinkSync(shared, join(cache, "go", "build"));
}
