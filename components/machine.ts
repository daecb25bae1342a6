/** Input and output of the machine that runs Pulumi: files, kubeconfigs, the registry, image builders. Tests replace it. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { get } from "node:https";
import { isIP } from "node:net";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { getCACertificates } from "node:tls";
import { getOrganization, getProject, getStack, runtime } from "@pulumi/pulumi";
import { parse } from "yaml";
import { connectCluster, type ClusterApi, type ClusterContext } from "./kubernetes/cluster-api";
import { recordedOf, type Recorded } from "./kubernetes/recorded.plan";

/** Access to the cluster. */
export interface ClusterProbe {
    /** @throws ClusterError when the kubeconfig does not lead to one */
    cluster(where: ClusterContext): Promise<ClusterApi>;
    /** The stack's state when this run began. */
    recorded(): Promise<Recorded>;
    /** An ISO date such as 2026-11-27. */
    today(): string;
}

export interface Probes extends ClusterProbe {
    /** Contexts of the kubeconfig, and where it was read; undefined when there is none. */
    contexts(kubeconfig: string | undefined): { readonly where: string; readonly names: readonly string[] | undefined };
    /** Undefined when the registry answers, else why not. */
    registry(baseUrl: string): Promise<string | undefined>;
    /** The JSON at an https:// URL, or why there is none. `ca`: PEM of private CAs, beside the public ones. */
    json(url: string, ca: string | undefined): Promise<{ readonly value: unknown } | { readonly failed: string }>;
    isFile(path: string): boolean;
    isDirectory(path: string): boolean;
    /** The text of a file that is there. */
    read(path: string): string;
    /** Short commit of the working directory, with a `+` when files differ from it; undefined without one. */
    commit(): string | undefined;
    /** Names of buildx builders; undefined when buildx keeps no list. */
    builders(): readonly string[] | undefined;
}

const registryTimeoutMs = 5000;
const discoveryTimeoutMs = 10_000;

export const machine: Probes = {
    contexts,
    registry,
    json,
    isFile,
    isDirectory,
    read,
    commit,
    builders,
    cluster: connectCluster,
    recorded,
    today: () => new Date().toISOString().slice(0, 10),
};

function isFile(path: string): boolean {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isDirectory(path: string): boolean {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function read(path: string): string {
    return readFileSync(path, "utf8");
}

/** As kubectl finds it: the setting, else every file of $KUBECONFIG, else ~/.kube/config. */
function contexts(kubeconfig: string | undefined) {
    const listed = (process.env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
    const fallback = listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
    const paths = kubeconfig === undefined ? fallback : [kubeconfig];
    const where = paths.join(", ");
    const present = paths.filter(isFile);
    if (present.length === 0) return { where, names: undefined };
    return { where, names: present.flatMap((path) => contextNames(parse(readFileSync(path, "utf8")))) };
}

function contextNames(kubeconfig: unknown): string[] {
    if (typeof kubeconfig !== "object" || kubeconfig === null || !("contexts" in kubeconfig)) return [];
    const entries: unknown = kubeconfig.contexts;
    if (!Array.isArray(entries)) return [];
    return entries.flatMap((entry: unknown) =>
        typeof entry === "object" && entry !== null && "name" in entry && typeof entry.name === "string"
            ? [entry.name]
            : [],
    );
}

/** Any answer of the registry protocol will do, a demand for credentials too. */
async function registry(baseUrl: string): Promise<string | undefined> {
    try {
        const answer = await fetch(baseUrl, { signal: AbortSignal.timeout(registryTimeoutMs), redirect: "manual" });
        await answer.body?.cancel();
        return answer.status < 500 ? undefined : `status ${answer.status}`;
    } catch (error) {
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
        return cause instanceof Error ? cause.message || cause.name : String(cause);
    }
}

function commit(): string | undefined {
    const git = (...args: string[]): string =>
        execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    try {
        return `${git("rev-parse", "--short=12", "HEAD")}${git("status", "--porcelain") === "" ? "" : "+"}`;
    } catch {
        return undefined;
    }
}

/** Names below `localhost` are this machine's (RFC 6761), which not every resolver knows. */
const addressOf = (hostname: string): string => (hostname.endsWith(".localhost") ? "127.0.0.1" : hostname);

function json(url: string, ca: string | undefined): ReturnType<Probes["json"]> {
    const { hostname, host, port, pathname, search } = new URL(url);
    return new Promise((settle) => {
        const asked = get({
            host: addressOf(hostname),
            servername: isIP(hostname) === 0 ? hostname : "",
            port: port || 443,
            path: `${pathname}${search}`,
            headers: { host, accept: "application/json" },
            signal: AbortSignal.timeout(discoveryTimeoutMs),
            ...(ca !== undefined && { ca: [...getCACertificates("default"), ca] }),
        });
        asked.on("error", (error) => {
            settle({
                failed: error.name === "AbortError" ? `no answer in ${discoveryTimeoutMs / 1000} s` : error.message,
            });
        });
        asked.on("response", (answer) => {
            let body = "";
            answer.setEncoding("utf8");
            answer.on("data", (part: string) => {
                // A discovery document has a few kilobytes.
                if (body.length < 1_000_000) body += part;
            });
            answer.on("error", (error) => {
                settle({ failed: error.message });
            });
            answer.on("end", () => {
                settle(
                    answer.statusCode === 200 ? parsed(body) : { failed: `status ${answer.statusCode ?? "unknown"}` },
                );
            });
        });
    });
}

function parsed(body: string): { readonly value: unknown } | { readonly failed: string } {
    try {
        return { value: JSON.parse(body) as unknown };
    } catch {
        return { failed: "no JSON" };
    }
}

function builders(): readonly string[] | undefined {
    const home =
        process.env["BUILDX_CONFIG"] ?? join(process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "buildx");
    const instances = join(home, "instances");
    return existsSync(instances) ? [...readdirSync(instances), "default"] : undefined;
}

let state: Promise<Recorded> | undefined;

/** Once per run: later it would include changes of this run. */
function recorded(): Promise<Recorded> {
    const ask = async (stackName: string): Promise<Recorded> => {
        const answer = (await runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName })) as {
            outputs: Record<string, unknown>;
        };
        return recordedOf(answer.outputs);
    };
    // State in a bucket of older making knows no projects.
    state ??= ask(`${getOrganization()}/${getProject()}/${getStack()}`).catch(() => ask(getStack()));
    return state;
}
