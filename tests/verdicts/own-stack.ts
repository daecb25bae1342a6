/**
 * Stacks of this project's own program in Pulumi's engine, with the real AWS provider against the account of aws/account.ts, or
 * with the one of stand-in/.
 */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";

import { parse } from "yaml";

import { logFile } from "../../local/paths.ts";
import { at, fields, list, text } from "../../policies/values.ts";
import { accountEnvironment } from "./aws/account.ts";
import { environment, ours, previewIn, pulumi, type EngineRun } from "./engine.ts";

/** Images by digest: nothing is built, the engine is asked and not BuildKit. */
export const published = Object.fromEntries(
    ["backend", "canvas", "postgres", "valkey", "backup"].map((name): [string, string] => [
        name,
        `registry.example.com/orcheo/${name}@sha256:${"a".repeat(64)}`,
    ]),
);

/** A CA certificate that is valid for another year at least. */
const anyCa = rootCertificates.find(
    (pem) => Date.parse(new X509Certificate(pem).validTo) > Date.now() + 365 * 86_400_000,
);

/** What an update would do to one resource. */
export interface Step {
    /** Such as `same`, `create`, `update`, `replace`, `delete`. */
    readonly op: string;
    readonly urn: string;
    /** The properties that it would change, such as `scalingConfig.maxSize`. */
    readonly changes: readonly string[];
    /** Whether it is protected in the state that the update begins with, or will be in the next. */
    readonly was: { readonly protected: boolean };
    readonly will: { readonly protected: boolean };
}

/** A resource in a state. */
export interface Held {
    readonly name: string;
    readonly type: string;
    readonly id: string;
    readonly protected: boolean;
}

/** A stack of this project's own program. */
export interface OwnStack {
    /** Of the stack's files, which are gone after the test. */
    readonly folder: string;
    /** Other settings from the next command on; `own` ones in place of those that the tests set. */
    configure(settings: Readonly<Record<string, unknown>>, own?: Readonly<Record<string, unknown>>): Promise<void>;
    /** A command of Pulumi's; @returns its standard output; @throws what it printed, unless it succeeds. */
    run(...args: readonly string[]): Promise<string>;
    /** What is in its state. */
    resources(): Promise<readonly Held[]>;
    /** A preview with the pack, and with these flags. */
    evaluated(...flags: readonly string[]): Promise<EngineRun>;
    /** What an update with these flags would do to each resource that is there or would be; @throws what the engine says against it. */
    steps(...flags: readonly string[]): Promise<readonly Step[]>;
}

/** One that lasts until it is ended. */
export interface RunningStack extends OwnStack {
    /** The same stack, run with other variables, and in another checkout of this project. */
    by(env: Runner["env"], project?: string): RunningStack;
    /** Forgets the stack. What it made stays. */
    end(): Promise<void>;
}

/**
 * Gives `act` a new stack with these settings. It goes to the current context's cluster, or to one that the program makes;
 * images are published ones, and AWS is the account of aws/account.ts. The resources that it makes are the caller's to remove.
 *
 * @param name  dev or prod
 * @param provider  of AWS
 */
export async function withOwnStack<Result>(
    name: string,
    settings: Readonly<Record<string, unknown>>,
    act: (stack: OwnStack) => Promise<Result>,
    provider: "real" | "stand-in" = "real",
): Promise<Result> {
    const stack = await startOwnStack(name, settings, provider);
    try {
        return await act(stack);
    } finally {
        await stack.end();
    }
}

/** Where the state is and who runs Pulumi, if not in a folder of this machine and the account's administrator. */
export interface Runner {
    readonly env: Readonly<Record<string, string | undefined>>;
    /** Of KMS; a passphrase otherwise. */
    readonly secretsProvider?: string;
}

/** The same, for several tests. */
export async function startOwnStack(
    name: string,
    settings: Readonly<Record<string, unknown>>,
    provider: "real" | "stand-in" = "real",
    runner?: Runner,
): Promise<RunningStack> {
    const project = join(import.meta.dirname, "../..");
    const folder = await mkdtemp(join(tmpdir(), "orcheo-own-stack-"));
    // The first has the command `aws`; Pulumi takes a provider of the PATH before any that is installed.
    const own = provider === "real" ? ["aws"] : ["aws", "stand-in"];
    const path = [...own.map((each) => join(import.meta.dirname, each)), process.env["PATH"] ?? ""].join(":");
    const account = provider === "real" ? accountEnvironment() : {};
    const env = { ...environment(folder), PATH: path, ...account, ...runner?.env };
    const context = execFileSync("kubectl", ["config", "current-context"], { encoding: "utf8" }).trim();
    const authority = join(folder, "authority.pem");
    await writeFile(authority, `${anyCa ?? ""}\n`);
    const configure: OwnStack["configure"] = async (given, own) => {
        const database = fields(given["database"]);
        const stack = {
            ...given,
            kubernetes: { ...fields(given["kubernetes"]), context },
            images: { kind: "published", ...published },
            ...(database["kind"] === "rds" ? { database: { ...database, caBundleFile: authority } } : {}),
            ...own,
        };
        // How secrets are encrypted: that of KMS is with the config.
        const made = await readFile(join(folder, `Pulumi.${name}.yaml`), "utf8").catch(() => "");
        const { secretsprovider, encryptedkey } = fields(parse(made));
        const file = { secretsprovider, encryptedkey, config: { "orcheo:stack": stack } };
        await writeFile(join(folder, "stack.yaml"), JSON.stringify(file));
    };
    const flags = ["--stack", name, "--config-file", join(folder, "stack.yaml")];
    await copyFile(join(project, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    const encrypted = runner?.secretsProvider === undefined ? [] : ["--secrets-provider", runner.secretsProvider];
    const { code: failed, output: said } = await pulumi(folder, ["stack", "init", name, ...encrypted], env);
    if (failed !== 0) throw new Error(`pulumi stack init failed:\n${said}`);
    await configure(settings);
    const end = (): Promise<void> => rm(folder, { recursive: true, force: true });
    const by = (more: Runner["env"], checkout = project): RunningStack => {
        const runs = runsOf(checkout, folder, flags, { ...env, ...more });
        return { folder, configure, ...runs, by, end };
    };
    return by({});
}

/** Of a long output its end, and where the whole of it is. */
async function endOf(output: string): Promise<string> {
    if (output.length <= 6000) return output;
    const log = logFile(`own-stack-${process.pid}-${Date.now()}`);
    await writeFile(log, output);
    return `…${output.slice(-6000)}\nFull output: ${log}`;
}

/** What somebody with these variables can have Pulumi do. */
function runsOf(
    project: string,
    folder: string,
    flags: readonly string[],
    env: NodeJS.ProcessEnv,
): Pick<OwnStack, "run" | "resources" | "evaluated" | "steps"> {
    const command = async (...args: readonly string[]): Promise<string> => {
        const configured = ["preview", "up", "refresh", "destroy"].includes(args[0] ?? "");
        const all = [...args, ...(configured ? flags : flags.slice(0, 2)), "--non-interactive"];
        const { code, output, stdout } = await pulumi(project, all, env);
        if (code !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${await endOf(output)}`);
        return stdout;
    };
    const evaluated = (...more: readonly string[]): Promise<EngineRun> =>
        previewIn(project, [...flags, "--policy-pack", ours, ...more], env, join(folder, "events.json"));
    const steps = async (...more: readonly string[]): Promise<readonly Step[]> => {
        const json = ["preview", "--json", "--show-sames", "--non-interactive", ...flags, ...more];
        const { code, stdout, output } = await pulumi(project, json, env);
        const told: unknown = JSON.parse(stdout === "" ? "{}" : stdout);
        const errors = list(at(told, "diagnostics")).filter((each) => at(each, "severity") === "error");
        const said = errors.map((each) => text(at(each, "message")) ?? "").join("\n");
        if (code !== 0) throw new Error(`pulumi preview failed:\n${said === "" ? await endOf(output) : said}`);
        return list(at(told, "steps")).map((step) => ({
            op: text(at(step, "op")) ?? "",
            urn: text(at(step, "urn")) ?? "",
            changes: Object.keys(fields(at(step, "detailedDiff"))),
            was: { protected: at(step, "oldState", "protect") === true },
            will: { protected: at(step, "newState", "protect") === true },
        }));
    };
    const resources: OwnStack["resources"] = async () => {
        const state: unknown = JSON.parse(await command("stack", "export"));
        return list(at(state, "deployment", "resources")).map((each) => ({
            name: (text(at(each, "urn")) ?? "").split("::").at(-1) ?? "",
            type: text(at(each, "type")) ?? "",
            id: text(at(each, "id")) ?? "",
            protected: at(each, "protect") === true,
        }));
    };
    return { run: command, resources, evaluated, steps };
}
