/** AWS' own command, and the credentials that pods get, in the account of these tests. */
import { execFile, execFileSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

import { at, text } from "../../../policies/values.ts";
import { awsPackages } from "../../e2e/platform/python.ts";
import { accountEnvironment } from "./account.ts";

const run = promisify(execFile);
export const region = "eu-central-1";
export type Variables = Readonly<Record<string, string | undefined>>;

/** Variables with which AWS' command is on the PATH, as the account's administrator unless the credentials are of somebody else. */
export async function withCli(credentials: Variables = {}): Promise<NodeJS.ProcessEnv> {
    const folder = await awsPackages();
    return {
        ...process.env,
        PYTHONPATH: folder,
        PATH: [join(folder, "bin"), process.env["PATH"] ?? ""].join(delimiter),
        ...accountEnvironment(),
        // Only S3 Control needs it.
        HTTP_PROXY: undefined,
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        ...credentials,
    };
}

export type Command = readonly string[];
export interface Answer {
    readonly ok: boolean;
    /** What it printed, or why it was refused. */
    readonly said: string;
}

/** Some commands, each such as `s3api head-bucket …`. */
export async function aws(credentials: Variables, commands: readonly Command[]): Promise<readonly Answer[]> {
    const script = join(import.meta.dirname, "../../aws/commands.py");
    const asked = run("python3", [script], { env: await withCli(credentials) });
    asked.child.stdin?.end(JSON.stringify(commands));
    const { stdout } = await asked;
    return JSON.parse(stdout) as readonly Answer[];
}

/** The same, as an administrator; @throws what it says, unless it succeeds. */
export async function administer(...words: readonly string[]): Promise<string> {
    const [{ ok, said } = { ok: false, said: "" }] = await aws({}, [words]);
    if (!ok) throw new Error(`aws ${words.join(" ")}: ${said}`);
    return said.trim();
}

export type Credentials = Readonly<Record<"AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "AWS_SESSION_TOKEN", string>>;

/** Of a session of a new role with these permissions. */
export async function credentialsOf(
    account: string,
    role: string,
    statements: readonly object[],
): Promise<Credentials> {
    const policy = (Statement: readonly object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
    const trust = [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "sts:AssumeRole" }];
    await administer("iam", "create-role", "--role-name", role, "--assume-role-policy-document", policy(trust));
    const named = ["--role-name", role, "--policy-name", role];
    await administer("iam", "put-role-policy", ...named, "--policy-document", policy(statements));
    const arn = `arn:aws:iam::${account}:role/${role}`;
    const query = ["--query", "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]", "--output", "text"];
    const given = await administer("sts", "assume-role", "--role-arn", arn, "--role-session-name", role, ...query);
    const [id = "", secret = "", token = ""] = given.split("\t");
    return { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token };
}

/** A role of the account that nobody takes on here. */
export async function makeRole(name: string): Promise<void> {
    const trust = {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "eks.amazonaws.com" }, Action: "sts:AssumeRole" }],
    };
    const document = ["--assume-role-policy-document", JSON.stringify(trust)];
    await administer("iam", "create-role", "--role-name", name, ...document);
}

const kubectl = (...words: readonly string[]): string =>
    execFileSync("kubectl", [...words], { encoding: "utf8" }).trim();

/**
 * The credentials of pods with this service account, as the agent on their node gets them: for a token that the cluster signed.
 *
 * @throws what EKS says against it
 */
export async function ofPods(cluster: string, namespace: string, serviceAccount: string): Promise<Variables> {
    const token = kubectl(
        ...["create", "token", serviceAccount, "--namespace", namespace, "--audience", "pods.eks.amazonaws.com"],
    );
    const asked = ["eks-auth", "assume-role-for-pod-identity", "--cluster-name", cluster, "--token", token];
    const given = await administer(...asked);
    const credentials: unknown = at(JSON.parse(given), "credentials");
    return {
        AWS_ACCESS_KEY_ID: text(at(credentials, "accessKeyId")),
        AWS_SECRET_ACCESS_KEY: text(at(credentials, "secretAccessKey")),
        AWS_SESSION_TOKEN: text(at(credentials, "sessionToken")),
    };
}

/** A namespace with these service accounts, as long as `act` takes. */
export async function withServiceAccounts(
    namespace: string,
    names: readonly string[],
    act: () => Promise<void>,
): Promise<void> {
    kubectl("create", "namespace", namespace);
    try {
        for (const name of names) kubectl("create", "serviceaccount", name, "--namespace", namespace);
        await act();
    } finally {
        kubectl("delete", "namespace", namespace);
    }
}
