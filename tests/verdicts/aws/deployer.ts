/** Who runs Pulumi: the role of docs/aws.md with its policies, made by the commands of that page. */
import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { at, text } from "../../../policies/values.ts";
import { account } from "../../aws-mocks.ts";
import { block } from "../../e2e/docs.ts";
import type { Runner } from "../own-stack.ts";
import { administer, region, withCli, type Variables } from "./cli.ts";

const runFile = promisify(execFile);
/** The stack of the page, which is examples/prod-small.yaml. */
const first = "orcheo-small";

const ownRole = (name: string, who: "deploy" | "watch"): string =>
    `arn:aws:iam::${account}:role/${name === first ? "orcheo" : name}-${who}`;
/** The role that deploys the stack of this `aws.name`. */
export const roleOf = (name: string): string => ownRole(name, "deploy");
/** The role that looks for drift in it. */
export const watcherRoleOf = (name: string): string => ownRole(name, "watch");

/** `npm run aws-policies` sets it: the role may do everything, and what it does becomes the policies. */
export const recording = process.env["AWS_POLICIES"] === "record";

interface Circumstances {
    /** What stack and role are called instead of the documentation's names. */
    readonly names?: Readonly<Record<string, string>>;
    readonly input?: string;
    /** The administrator, unless somebody else. */
    readonly who?: Variables;
    readonly folder?: string;
}

/** Commands of the documentation. @returns what they print */
export async function run(
    commands: readonly string[],
    { names = {}, input = "", who = {}, folder }: Circumstances = {},
): Promise<string> {
    const own = Object.entries(names).reduce(
        (all, [theirs, ours]) => all.replaceAll(theirs, ours),
        commands.join("\n"),
    );
    const home = await mkdtemp(join(tmpdir(), "orcheo-deployer-"));
    const env = { HOME: home, ACCOUNT: account };
    // Without a terminal: whoever asks for a code reads it from the standard input.
    const words = ["setsid", "--wait", "bash", "-euo", "pipefail", "-c", own];
    const ran = runFile(join(import.meta.dirname, "with-hosts"), words, {
        env: { ...(await withCli(who)), ...env },
        cwd: folder,
    });
    ran.child.stdin?.end(input);
    return (await ran).stdout;
}

const everything = (): string => block("aws.md", "aws iam attach-role-policy");

/** What the pages call stack and roles, and what they are called for the stack of this `aws.name`. */
const namesOf = (name: string): Readonly<Record<string, string>> =>
    name === first
        ? {}
        : {
              "orcheo-deploy": `${name}-deploy`,
              "orcheo-watch": `${name}-watch`,
              [`NAME=${first}`]: `NAME=${name}`,
          };

/** Makes the role of the page, and @returns the variables of its session. */
async function made(name: string, ...more: readonly string[]): Promise<Runner["env"]> {
    const steps = [
        `aws configure set aws_access_key_id administrator && aws configure set aws_secret_access_key secret`,
        block("aws.md", "export AWS_REGION"),
        recording ? everything() : block("aws.md", "NAME="),
        ...more,
        // As `aws configure export-credentials` does, which only version 2 of the command has; the one of PyPI is version 1.
        `python3 '${join(import.meta.dirname, "../../aws/export_credentials.py")}' orcheo`,
    ];
    return sessionOf((await run(steps, { names: namesOf(name), input: "123456\n" })).trim().split("\n").at(-1) ?? "");
}

/** @param said  credentials of AWS, in JSON */
function sessionOf(said: string): Runner["env"] {
    const credentials: unknown = JSON.parse(said);
    return {
        AWS_ACCESS_KEY_ID: text(at(credentials, "AccessKeyId")),
        AWS_SECRET_ACCESS_KEY: text(at(credentials, "SecretAccessKey")),
        AWS_SESSION_TOKEN: text(at(credentials, "SessionToken")),
        AWS_REGION: region,
        // The state is written at the end of a command and not at each step, which is most of what moto would do.
        PULUMI_EXPERIMENTAL: "true",
        PULUMI_SKIP_CHECKPOINTS: "true",
    };
}

/** State bucket, key and role as the page has them. */
export async function deployer(): Promise<Runner> {
    return {
        env: {
            ...(await made(first, block("aws.md", "aws s3api create-bucket"))),
            PULUMI_BACKEND_URL: `s3://orcheo-state-${account}?region=${region}`,
        },
        secretsProvider: `awskms://alias/orcheo-pulumi?region=${region}`,
    };
}

/** The same role for another stack, whose state is in its folder. */
export const deployerOf = async (name: string): Promise<Runner> => ({ env: await made(name) });

/** The session of who looks for drift in this stack, whose role docs/drift-and-previews.md makes. moto does not check GitHub's token. */
export async function watcherOf(name: string): Promise<Runner["env"]> {
    const page = block("drift-and-previews.md", "aws iam create-open-id-connect-provider");
    // An account has one provider for all stacks.
    const role = name === first ? page : page.slice(page.indexOf("aws iam create-role"));
    const may = recording
        ? everything().replaceAll("orcheo-deploy", "orcheo-watch")
        : block("drift-and-previews.md", "NAME=");
    await run([role, may], { names: namesOf(name) });
    const who = ["--role-arn", watcherRoleOf(name), "--role-session-name", "drift", "--web-identity-token", "token"];
    return sessionOf(await administer("sts", "assume-role-with-web-identity", ...who, "--query", "Credentials"));
}
