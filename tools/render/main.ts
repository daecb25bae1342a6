/**
 * `npm run render -- --stack NAME --output FOLDER`: the manifests of a stack, for Argo CD or Flux. Runs the program with a state of its own
 * that is deleted afterwards; no cluster is asked for anything.
 */
import { execFileSync } from "node:child_process";
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse, stringify } from "yaml";
import { fileOf, manifestsOf, missingSecrets, type Manifest, type Rendered } from "./manifests.plan.ts";

const project = join(import.meta.dirname, "../..");
const usage = `usage: npm run render -- --stack NAME --output FOLDER [options]
  --config-file FILE  default: Pulumi.<NAME>.yaml
  --secrets FILE      writes the Secrets, with new values that fit together, to seal them or to apply them once; never commit it
`;
/** Every Pulumi command in the folder that has only this run's files. */
const pulumi = (folder: string, ...args: readonly string[]): void => {
    const own = Object.entries(process.env).filter(([name]) => !/^PULUMI_(OPTION_|STACK$)/.test(name));
    const env = {
        ...Object.fromEntries(own),
        PULUMI_BACKEND_URL: `file://${folder}`,
        RENDER_DIRECTORY: join(folder, "out"),
    };
    const passphrase = process.env["PULUMI_CONFIG_PASSPHRASE_FILE"] === undefined && { PULUMI_CONFIG_PASSPHRASE: "" };
    try {
        execFileSync("pulumi", [...args, "--non-interactive"], {
            cwd: folder,
            env: { ...passphrase, ...env },
            encoding: "utf8",
            stdio: ["ignore", "pipe", "pipe"],
            maxBuffer: 1 << 28,
        });
    } catch (error) {
        const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
        throw new Error(`pulumi ${args[0] ?? ""} failed:\n${errorsOf(`${stdout}\n${stderr}`)}`, { cause: error });
    }
};

/** What Pulumi printed of errors, without the warnings of its provider that the files it writes hold secrets. */
function errorsOf(printed: string): string {
    const lines = printed.split("\n").filter((line) => !/warning:|secret value in plaintext/.test(line));
    const from = lines.findIndex((line) => line.startsWith("Diagnostics:"));
    return lines
        .slice(from < 0 ? 0 : from)
        .join("\n")
        .trim();
}

/** @param configFile  of the stack, whose secrets Pulumi decrypts as ever */
export function render(stack: string, configFile: string): Rendered {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-render-"));
    try {
        const out = join(folder, "out");
        mkdirSync(out);
        const pulumiYaml = parse(readFileSync(join(project, "Pulumi.yaml"), "utf8")) as {
            runtime: { options: { tsconfig: string } };
        };
        const { options } = pulumiYaml.runtime;
        options.tsconfig = join(project, options.tsconfig);
        const own = { ...pulumiYaml, main: join(project, "tools/render/program/index.js") };
        writeFileSync(join(folder, "Pulumi.yaml"), stringify(own));
        copyFileSync(configFile, join(folder, `Pulumi.${stack}.yaml`));
        pulumi(folder, "stack", "init", stack);
        pulumi(folder, "up", "--stack", stack, "--yes", "--skip-preview", "--suppress-outputs");
        const files = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
        return manifestsOf(files.map((file) => parse(readFileSync(join(out, file), "utf8")) as Manifest));
    } finally {
        rmSync(folder, { recursive: true });
    }
}

function write(folder: string, { objects, secrets }: Rendered): void {
    mkdirSync(folder, { recursive: true });
    // Objects that are gone; nothing else that somebody keeps there.
    for (const file of readdirSync(folder)) if (/^[a-z0-9.]+-.+\.yaml$/.test(file)) rmSync(join(folder, file));
    for (const object of objects) writeFileSync(join(folder, fileOf(object)), stringify(object));
    const kustomization = {
        apiVersion: "kustomize.config.k8s.io/v1beta1",
        kind: "Kustomization",
        resources: objects.map(fileOf),
    };
    writeFileSync(join(folder, "kustomization.yaml"), stringify(kustomization));
    writeFileSync(join(folder, "SECRETS.md"), missingSecrets(secrets));
}

function main(): void {
    const text = { type: "string" } as const;
    const options = { stack: text, output: text, secrets: text, "config-file": text };
    const { values } = parseArgs({ options });
    const { stack, output } = values;
    if (stack === undefined || output === undefined) throw new Error(usage);
    const configFile = resolve(values["config-file"] ?? join(project, `Pulumi.${stack}.yaml`));
    if (!existsSync(configFile)) throw new Error(`--config-file: found "${configFile}"; accepted: an existing file`);
    const rendered = render(stack, configFile);
    write(output, rendered);
    if (values.secrets !== undefined)
        writeFileSync(values.secrets, rendered.secrets.map((each) => `---\n${stringify(each)}`).join(""), {
            mode: 0o600,
        });
    process.stdout.write(
        `${output}: ${rendered.objects.length} objects, without ${rendered.secrets.length} Secrets (SECRETS.md)\n`,
    );
}

if (import.meta.main) {
    try {
        main();
    } catch (error) {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = 1;
    }
}
