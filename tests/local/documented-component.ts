/** The programs of docs/component.md, written and prepared as that page says. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "../../local/process.ts";
import { block } from "../e2e/docs.ts";
import { copyCheckout } from "./checkout.ts";

const page = "component.md";
const commands = block(page, "pulumi package add");

/** The one file of the program in YAML. */
export const inYaml = (): string => block(page, "name: our-platform\nruntime: yaml", "yaml");

/** The files of the program in Python. */
export const inPython = (): Readonly<Record<string, string>> => ({
    "Pulumi.yaml": block(page, "name: our-platform\nruntime: python", "yaml"),
    "__main__.py": block(page, "import pulumi", "python"),
});

/** The same with the generated package. */
export const inPythonWithTypes = (): Readonly<Record<string, string>> => ({
    ...inPython(),
    "__main__.py": block(page, "import pulumi\nimport pulumi_orcheo", "python"),
});

/** Generates the package and installs it. @param packages  what it needs; returned with it, for PYTHONPATH */
export async function generatedPackage({ folder, env }: Program, packages: string): Promise<string> {
    const target = join(folder, "packages");
    await run("bash", ["-ec", block(page, "pulumi package gen-sdk")], {
        cwd: folder,
        env: {
            ...env,
            PYTHONPATH: packages,
            PIP_TARGET: target,
            // All that it needs, and setuptools, is in `packages`.
            PIP_NO_DEPS: "1",
            PIP_NO_BUILD_ISOLATION: "0",
        },
        timeoutSeconds: 180,
    });
    return [target, packages].join(delimiter);
}

export interface Program {
    readonly folder: string;
    /** With a state of its own. */
    readonly env: NodeJS.ProcessEnv;
}

/**
 * Writes a program into a folder of its own, beside a checkout, and runs the page's commands there: its stack is `dev`.
 *
 * @param environment  of Pulumi with its state in a folder
 */
export async function writtenProgram(
    parent: string,
    files: Readonly<Record<string, string>>,
    environment: (state: string) => NodeJS.ProcessEnv,
    password: string,
): Promise<Program> {
    const place = mkdtempSync(join(parent, "written-"));
    const folder = join(place, "our-platform");
    const state = join(place, "state");
    const env = environment(state);
    mkdirSync(state);
    mkdirSync(folder);
    await copyCheckout(join(place, "orcheo"));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    // Where the package is: in Python, the project file says so.
    const own = "__main__.py" in files ? commands.replace(/^pulumi package add .*/, "") : commands;
    await run("bash", ["-ec", own], { cwd: folder, env, input: password });
    return { folder, env };
}
