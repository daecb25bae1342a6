/** What Pulumi itself takes for an update with no changes: a program that only declares the same resources, on a copy of the state. */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";

const program = join(import.meta.dirname, "declared");

/**
 * @param state  folder of the stack's backend, which is copied: nothing is written to it
 * @param env  of the stack's own program
 * @returns runs a command of pulumi with that program, which must find nothing to change; and removes the copy
 */
export async function declaredTwin(state: string, env: NodeJS.ProcessEnv) {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-declared-"));
    const file = join(folder, "declared.json");
    cpSync(program, folder, { recursive: true });
    // Paths in the inputs are relative to the program.
    for (const name of ["images", "node_modules", "package.json", "tests"])
        symlinkSync(join(projectDir, name), join(folder, name));
    const exported = await run("pulumi", ["stack", "export", "--show-secrets"], { cwd: projectDir, env });
    writeFileSync(file, exported, { mode: 0o600 });
    cpSync(state, join(folder, "state"), { recursive: true });
    const own = { ...env, DECLARED: file, PULUMI_BACKEND_URL: `file://${join(folder, "state")}` };
    const options = ["--non-interactive", "--expect-no-changes"];
    return {
        pulumi: (command: readonly string[], pack: string): Promise<string> =>
            run("pulumi", [...command, ...options], {
                cwd: folder,
                env: { ...own, PULUMI_OPTION_POLICY_PACK: pack },
            }),
        remove: (): void => {
            rmSync(folder, { recursive: true });
        },
    };
}
