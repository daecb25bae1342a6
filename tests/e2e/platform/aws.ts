/** AWS as moto has it, and the AWS CLI. */
import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./harness.ts";
import { awsPackages } from "./python.ts";

export interface Aws {
    /** Variables with which the AWS CLI, and whatever uses an SDK, talks to this server; its CLI is first on the PATH. */
    readonly env: NodeJS.ProcessEnv;
    readonly server: ChildProcess;
}

/** An AWS of this machine's own on a port of 127.0.0.1. */
export async function startAws(port: number, region: string, log: string, env: NodeJS.ProcessEnv): Promise<Aws> {
    const packages = await awsPackages();
    const own = { ...env, PYTHONPATH: packages, PATH: `${join(packages, "bin")}:${env.PATH ?? ""}` };
    const file = openSync(log, "w");
    const server = spawn("python3", ["-m", "moto.server", "--host", "127.0.0.1", "--port", String(port)], {
        env: own,
        stdio: ["ignore", file, file],
    });
    const url = `http://127.0.0.1:${port}`;
    const answers = (): Promise<boolean> =>
        fetch(`${url}/moto-api/data.json`).then(
            ({ ok }) => ok,
            () => false,
        );
    if (!(await eventually(60, answers, (up) => up || server.exitCode !== null)))
        throw new Error(`moto does not answer; its log: ${log}`);
    const credentials = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
    const regions = { AWS_REGION: region, AWS_DEFAULT_REGION: region };
    return { env: { ...own, ...credentials, ...regions, AWS_ENDPOINT_URL: url }, server };
}
