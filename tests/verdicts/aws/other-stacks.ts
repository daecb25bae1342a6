/** Stacks of other projects, to which some programs refer. */
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { environment, pulumi } from "../engine.ts";

/**
 * Makes them in a folder of Pulumi's states. A kubeconfig among their outputs becomes that of the current context.
 *
 * @param outputs  by the stack's name, such as `organization/network/prod`
 */
export async function makeStacks(
    folder: string,
    outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Promise<void> {
    const kubeconfig = execFileSync("kubectl", ["config", "view", "--raw", "--flatten"], { encoding: "utf8" });
    for (const [stack, said] of Object.entries(outputs)) {
        const [, project = "", name = ""] = stack.split("/");
        const resource = {
            urn: `urn:pulumi:${name}::${project}::pulumi:pulumi:Stack::${project}-${name}`,
            type: "pulumi:pulumi:Stack",
            custom: false,
            outputs: { ...said, ...("kubeconfig" in said && { kubeconfig }) },
        };
        const [file, cwd] = [join(folder, `${project}.json`), join(folder, project)];
        await mkdir(cwd);
        await writeFile(file, JSON.stringify({ version: 3, deployment: { manifest: {}, resources: [resource] } }));
        await writeFile(join(cwd, "Pulumi.yaml"), JSON.stringify({ name: project, runtime: "nodejs" }));
        await pulumi(cwd, ["stack", "init", name], environment(folder));
        await pulumi(cwd, ["stack", "import", "--stack", name, "--file", file], environment(folder));
    }
}
