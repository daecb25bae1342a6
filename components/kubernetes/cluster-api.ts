/** Read access to a cluster's API, for checks before any change and while an update waits. */
import { existsSync, readFileSync } from "node:fs";
import { request as plain, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as secure, type RequestOptions } from "node:https";
import { registerHooks } from "node:module";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";

/** Any object of the API. Fields beside the metadata depend on its kind. */
export interface KubernetesObject {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly metadata: {
        readonly name: string;
        readonly namespace?: string;
        readonly uid?: string;
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
        readonly [field: string]: unknown;
    };
    readonly [field: string]: unknown;
}

/** Each method throws a ClusterError when the server does not answer, or refuses. */
export interface ClusterApi {
    /** The object at an API path such as `/api/v1/namespaces/orcheo`; undefined when the server answers 404. */
    get(path: string): Promise<KubernetesObject | undefined>;
    /** Its metadata only: nothing of a Secret's data is sent. */
    metadata(path: string): Promise<KubernetesObject | undefined>;
    /** The items at a collection path; [] when the kind is not installed (404). */
    list(path: string): Promise<readonly KubernetesObject[]>;
    /** Plain text, such as a pod's log. */
    text(path: string): Promise<string>;
}

/** Which cluster, as the stack's settings name it. */
export interface ClusterContext {
    readonly context: string;
    /** A file, or the text of one, such as the output of another stack; default as for kubectl. */
    readonly kubeconfig?: string;
}

/** Where the objects of a kind are. The plural is the usual English one, as for every kind that the program uses. */
export function collectionPath(apiVersion: string, kind: string, namespace?: string): string {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const lower = kind.toLowerCase();
    const plural = /[^aeiou]y$/.test(lower)
        ? lower.replace(/y$/, "ies")
        : `${lower}${/(s|x|z|ch|sh)$/.test(lower) ? "es" : "s"}`;
    return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

/** @param namespace  undefined for kinds outside any namespace, `Namespace` included */
export function objectPath(apiVersion: string, kind: string, name: string, namespace?: string): string {
    return `${collectionPath(apiVersion, kind, namespace)}/${encodeURIComponent(name)}`;
}

/** The server's refusal, or why it cannot be reached. */
export class ClusterError extends Error {
    /** Undefined when no answer came. */
    readonly status?: number;

    constructor(message: string, status?: number) {
        super(message);
        this.name = "ClusterError";
        this.status = status;
    }
}

/** By name: tests load this module more than once. */
export const isClusterError = (error: unknown): error is ClusterError =>
    error instanceof Error && error.name === "ClusterError";

const defaultTimeoutMs = 15_000;
/** As many requests at a time; more would only wait in the server's queue. */
const parallel = 12;

export async function connectCluster(where: ClusterContext): Promise<ClusterApi> {
    return clusterApi(await loadKubeConfig(where));
}

/** @param timeoutMs  of each request */
export function clusterApi(config: KubeConfig, timeoutMs = defaultTimeoutMs): ClusterApi {
    const server = config.getCurrentCluster()?.server ?? "";
    const turn = limited(parallel);
    const ask = (path: string, accept: string) => turn(() => answered({ config, server, timeoutMs }, path, accept));

    const json = async (path: string, accept = "application/json"): Promise<unknown> => {
        const { status, body } = await ask(path, accept);
        if (status === 404) return undefined;
        if (status >= 300) throw refusal(status, path, body);
        return JSON.parse(body) as unknown;
    };
    const only = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
    return {
        get: async (path) => (await json(path)) as KubernetesObject | undefined,
        metadata: async (path) => (await json(path, only)) as KubernetesObject | undefined,
        list: async (path) => {
            const items: KubernetesObject[] = [];
            for (let next = ""; ;) {
                const page = (await json(paged(path, next))) as Page | undefined;
                if (page === undefined) return items;
                // Items of a list omit the apiVersion and kind of the list.
                const kind = page.kind.replace(/List$/, "");
                items.push(...page.items.map((item) => ({ apiVersion: page.apiVersion, kind, ...item })));
                next = page.metadata?.continue ?? "";
                if (next === "") return items;
            }
        },
        text: async (path) => {
            const { status, body } = await ask(path, "*/*");
            if (status >= 300) throw refusal(status, path, body);
            return body;
        },
    };
}

interface Page {
    readonly apiVersion: string;
    readonly kind: string;
    readonly items: readonly KubernetesObject[];
    readonly metadata?: { readonly continue?: string };
}

function paged(path: string, next: string): string {
    const query = `limit=500${next === "" ? "" : `&continue=${encodeURIComponent(next)}`}`;
    return `${path}${path.includes("?") ? "&" : "?"}${query}`;
}

function refusal(status: number, path: string, body: string): ClusterError {
    let said = body.slice(0, 200);
    try {
        said = (JSON.parse(body) as { message?: string }).message ?? said;
    } catch {
        // No Status object: a proxy's page, say.
    }
    return new ClusterError(`status ${status} of ${path}: ${said}`, status);
}

/**
 * Without the package's generated APIs, of which every client is asked for here: their 840 files cost half a second of processor time in each
 * preview. Its config.js takes two classes from their index, both from files of their own.
 */
async function kubeConfigClass(): Promise<typeof KubeConfig> {
    const hooks = registerHooks({
        load: (url, context, next) =>
            url.endsWith("/@kubernetes/client-node/dist/gen/index.js")
                ? {
                      format: "module",
                      shortCircuit: true,
                      source: 'export * from "./configuration.js"; export * from "./servers.js";',
                  }
                : next(url, context),
    });
    try {
        return (await import("@kubernetes/client-node/dist/config.js")).KubeConfig;
    } finally {
        hooks.deregister();
    }
}

/**
 * Like kubectl: if several files define a name, the first one wins; missing files are skipped.
 *
 * @param where.context  default: the current one
 */
export async function loadKubeConfig({ context, kubeconfig }: Partial<ClusterContext>): Promise<KubeConfig> {
    const KubeConfig = await kubeConfigClass();
    const read = (load: (config: KubeConfig) => void): KubeConfig => {
        const config = new KubeConfig();
        try {
            load(config);
        } catch (error) {
            throw new ClusterError(`the kubeconfig cannot be read: ${messageOf(error)}`);
        }
        return config;
    };
    const parts =
        kubeconfig?.includes("\n") === true || kubeconfig?.trimStart().startsWith("{") === true
            ? [
                  read((config) => {
                      config.loadFromString(kubeconfig);
                  }),
              ]
            : kubeconfigFiles(kubeconfig).map((file) =>
                  read((config) => {
                      config.loadFromFile(file);
                  }),
              );
    const all = {
        clusters: parts.flatMap((each) => each.clusters),
        users: parts.flatMap((each) => each.users),
        contexts: parts.flatMap((each) => each.contexts),
        currentContext: context ?? parts.map((each) => each.currentContext).find((name) => name !== "") ?? "",
    };
    const config = read((merged) => {
        merged.loadFromOptions(all);
    });
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new ClusterError(`the kubeconfig has no cluster for the context ${all.currentContext}`);
    // Verification is TLS' business: `kubectl proxy` has none.
    if (cluster.server.startsWith("http:")) Object.assign(cluster, { skipTLSVerify: true });
    const exec = config.getCurrentUser()?.exec as { apiVersion?: string; env?: object[] | null } | undefined;
    // Some credential plugins refuse to run without it.
    if (exec !== undefined) exec.env = [...(exec.env ?? []), execInfo(exec.apiVersion)];
    return config;
}

const execInfo = (apiVersion = "client.authentication.k8s.io/v1") => ({
    name: "KUBERNETES_EXEC_INFO",
    value: JSON.stringify({ kind: "ExecCredential", apiVersion, spec: { interactive: false } }),
});

/** The setting, else every file of $KUBECONFIG, else ~/.kube/config. */
export function kubeconfigFiles(kubeconfig: string | undefined): readonly string[] {
    if (kubeconfig !== undefined) return [kubeconfig];
    const listed = (process.env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
    const all = listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
    return all.filter((path) => existsSync(path) && readFileSync(path).length > 0);
}

interface Answer {
    readonly status: number;
    readonly body: string;
}

interface Asked {
    readonly config: KubeConfig;
    readonly server: string;
    readonly timeoutMs: number;
}

async function answered({ config, server, timeoutMs }: Asked, path: string, accept: string): Promise<Answer> {
    const work = async (): Promise<Answer> => {
        const options: RequestOptions = {};
        await config.applyToHTTPSOptions(options);
        // One handshake for many requests; idle connections do not keep the process.
        Object.assign(options.agent ?? {}, { keepAlive: true });
        const headers = { ...(options.headers as OutgoingHttpHeaders | undefined), accept };
        return send(new URL(`${server.replace(/\/+$/, "")}${path}`), { ...options, headers, timeout: timeoutMs });
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, fail) => {
        timer = setTimeout(() => {
            fail(new Error(`no answer within ${timeoutMs / 1000} s`));
        }, timeoutMs);
    });
    try {
        return await Promise.race([work(), late]);
    } catch (error) {
        throw new ClusterError(`${server || "the cluster"} cannot be asked: ${messageOf(error)}`);
    } finally {
        clearTimeout(timer);
    }
}

function send(url: URL, options: RequestOptions): Promise<Answer> {
    return new Promise((done, fail) => {
        const ask = url.protocol === "http:" ? plain : secure;
        const sent = ask(url, options, (response: IncomingMessage) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("error", fail);
            response.on("end", () => {
                done({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
            });
        });
        sent.on("timeout", () => sent.destroy(new Error(`no answer within ${(options.timeout ?? 0) / 1000} s`)));
        sent.on("error", fail);
        sent.end();
    });
}

/** Of several causes (both addresses of a name refuse), the first. */
function messageOf(error: unknown): string {
    if (error instanceof AggregateError) return messageOf(error.errors[0]);
    return error instanceof Error ? error.message || error.name : String(error);
}

function limited(most: number): <T>(work: () => Promise<T>) => Promise<T> {
    let running = 0;
    const waiting: (() => void)[] = [];
    return async (work) => {
        if (running >= most) await new Promise<void>((go) => waiting.push(go));
        running += 1;
        try {
            return await work();
        } finally {
            running -= 1;
            waiting.shift()?.();
        }
    };
}
