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
import { administer, region, withCli } from "./cli.ts";

const run = promisify(execFile);
export const deployerRole = `arn:aws:iam::${account}:role/orcheo-deploy`;

/** `npm run aws-policies` sets it: the role may do everything, and what it does becomes the policies. */
export const recording = process.env["AWS_POLICIES"] === "record";

/** State bucket, key and role as the page has them. */
export async function deployer(): Promise<Runner> {
    const may = recording ? "aws iam attach-role-policy" : "NAME=";
    const steps = ["export AWS_REGION", may, "aws s3api create-bucket"].map((beginning) => block("aws.md", beginning));
    const home = await mkdtemp(join(tmpdir(), "orcheo-deployer-"));
    await run("bash", ["-euo", "pipefail", "-c", steps.join("\n")], { env: { ...(await withCli()), HOME: home } });
    // The page lets version 2 of the command ask for the code; the one of PyPI is version 1.
    const session = await administer(
        ...["sts", "assume-role", "--role-arn", deployerRole, "--role-session-name", "deployer"],
        ...["--serial-number", `arn:aws:iam::${account}:mfa/someone`, "--token-code", "123456"],
    );
    const credentials: unknown = at(JSON.parse(session), "Credentials");
    return {
        env: {
            AWS_ACCESS_KEY_ID: text(at(credentials, "AccessKeyId")),
            AWS_SECRET_ACCESS_KEY: text(at(credentials, "SecretAccessKey")),
            AWS_SESSION_TOKEN: text(at(credentials, "SessionToken")),
            AWS_REGION: region,
            // The state is written at the end of a command and not at each step, which is most of what moto would do.
            PULUMI_EXPERIMENTAL: "true",
            PULUMI_SKIP_CHECKPOINTS: "true",
            PULUMI_BACKEND_URL: `s3://orcheo-state-${account}?region=${region}`,
        },
        secretsProvider: `awskms://alias/orcheo-pulumi?region=${region}`,
    };
}
