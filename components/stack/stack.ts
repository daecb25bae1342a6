/** The stack's settings, read and checked against their environment; all problems are reported at once. */
import * as pulumi from "@pulumi/pulumi";
import { ownCluster } from "../config/kinds";
import { ConfigError, fileOf, sentence, type Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import { machine, type Probes } from "../machine";
import { checkCluster, preflight, settingsSupport, upgradeProblems } from "../preflight/preflight";
import { parseStack } from "./read";

/**
 * @param further  other problems to report
 * @throws pulumi.RunError (shown without a stack trace) with every problem of the config and its environment; no
 * resource is registered before
 */
export async function readStack(further: readonly Problem[] = [], probes: Probes = machine): Promise<Stack> {
    const config = new pulumi.Config("orcheo");
    const name = pulumi.getStack();
    const json = config.get("stack");
    const keys = Object.keys(pulumi.runtime.allConfig());
    const secretKeys = keys.filter(isSecret);
    const secret = secretKeys.includes("orcheo:stack");
    const { stack, sections, problems } = parseStack({ stack: name, keys, json, secret, secretKeys });
    // Lets the engine read the state while the environment is checked; whoever awaits it later also gets its error.
    void probes.recorded().catch(() => undefined);
    const around = await preflight(sections, probes, !pulumi.runtime.isDryRun());
    // Without a usable context there is no cluster to ask.
    const usable = !around.some(({ at }) => at.startsWith("orcheo:stack.kubernetes."));
    const cluster = usable ? await checkCluster(sections, probes, !pulumi.runtime.isDryRun()) : undefined;
    const upgrade = ownCluster(sections.aws) === undefined ? {} : ((await probes.recorded()).eks ?? {});
    const support = settingsSupport(sections, probes.today(), secret).map(
        (each) => `${fileOf(name)}: ${sentence(each)}`,
    );
    for (const warning of [...support, ...(cluster?.warnings ?? [])]) void pulumi.log.warn(warning);
    const all = [
        ...further,
        ...problems,
        ...around,
        ...upgradeProblems(sections, upgrade),
        ...(cluster?.problems ?? []),
    ];
    if (stack === undefined || all.length > 0) throw new pulumi.RunError(new ConfigError(fileOf(name), all).message);
    return stack;
}

/** Whether a configuration key is marked secret, as the engine hands the keys to the program. */
function isSecret(key: string): boolean {
    return (process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "").includes(JSON.stringify(key));
}

/** `orcheo:stack` as it is written; undefined when it holds a secret. */
export function givenSettings(): unknown {
    if (isSecret("orcheo:stack")) return undefined;
    return new pulumi.Config("orcheo").requireObject("stack");
}

/** The password that pods pull with; the settings are refused when it is missing or not a secret. */
export function registryPassword({ registry }: Pick<Stack, "registry">): pulumi.Output<string> | undefined {
    return registry.pull.kind === "credentials"
        ? new pulumi.Config("orcheo").requireSecret("registryPassword")
        : undefined;
}
