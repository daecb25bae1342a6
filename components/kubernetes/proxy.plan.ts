/** Proxy settings of processes that call servers outside the cluster. */
import { exceptionOf } from "../config/proxy-exceptions";
import type { Stack } from "../config/schema";

export type ProxySettings = Pick<Stack, "outbound" | "kubernetes">;

/** Never through the proxy: the pod itself and whatever the cluster's DNS answers for. */
function direct({ kubernetes }: ProxySettings): string[] {
    const services = ["api", "canvas", "postgres", "valkey"];
    const { namespace } = kubernetes;
    return [
        "localhost",
        "127.0.0.1",
        "::1",
        ...services,
        ...services.map((name) => `${name}.${namespace}`),
        ".svc",
        `.${kubernetes.clusterDomain}`,
    ];
}

/** The accepted settings, in the form that every client understands. */
function exceptions(entry: string): readonly string[] {
    const read = exceptionOf(entry);
    if ("remedy" in read) throw new Error(`outbound.proxy.direct was not checked: ${entry}`);
    return read.entries;
}

/** Both spellings: curl and Python's urllib read the lower one, others the upper. */
export function proxyEnvironment(stack: ProxySettings): Record<string, string> {
    const { proxy } = stack.outbound;
    if (proxy === undefined) return {};
    const env = {
        ...(proxy.httpUrl !== undefined && { HTTP_PROXY: proxy.httpUrl }),
        ...(proxy.httpsUrl !== undefined && { HTTPS_PROXY: proxy.httpsUrl }),
        NO_PROXY: [...new Set([...direct(stack), ...proxy.direct.flatMap(exceptions)])].join(","),
    };
    const lower = Object.entries(env).map(([name, value]) => [name.toLowerCase(), value] as const);
    return { ...env, ...Object.fromEntries(lower) };
}
