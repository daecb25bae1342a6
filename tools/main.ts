/** `npm run status` and `npm run diagnose`: the state of a stack in any cluster, by a kubeconfig and its namespace. */
import { connect, isClusterError } from "./cluster.ts";
import { writeArchive } from "./diagnose/archive.ts";
import { collect } from "./diagnose/collect.ts";
import { readOptions, usage, UsageError, type Options } from "./options.ts";
import { readStack } from "./status/read.ts";
import { screen } from "./status/screen.ts";
import { statusOf } from "./status/status.plan.ts";

const requestTimeoutMs = 4000;
/** An hour of logs takes longer. */
const logTimeoutMs = 20_000;
/** A busy node needs some seconds to start a Python. */
const execTimeoutMs = 15_000;
const exitCodes = { healthy: 0, unhealthy: 1, unknown: 2 } as const;

async function status(options: Options): Promise<number> {
    const cluster = await connect(options, requestTimeoutMs);
    const reading = await readStack(cluster, { ...options, requestTimeoutMs, execTimeoutMs });
    const found = statusOf(reading);
    process.stdout.write(options.json ? `${JSON.stringify(found, undefined, 2)}\n` : screen(found, reading.now));
    return found.healthy ? exitCodes.healthy : exitCodes.unhealthy;
}

async function diagnose(options: Options): Promise<number> {
    const cluster = await connect(options, logTimeoutMs);
    const files = await collect(cluster, { ...options, requestTimeoutMs, execTimeoutMs });
    const time = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
    const output = options.output ?? `orcheo-diagnose-${time}.tar.gz`;
    writeArchive(output, files);
    process.stdout.write(`${output}: ${files.length} files, secrets removed. Read it once before you publish it.\n`);
    return exitCodes.healthy;
}

try {
    const options = readOptions(process.argv.slice(2));
    process.exitCode = await (options.command === "status" ? status(options) : diagnose(options));
} catch (error) {
    if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${usage}`);
    else if (isClusterError(error)) process.stderr.write(`cannot tell: ${error.message}\n`);
    else throw error;
    process.exitCode = exitCodes.unknown;
}
