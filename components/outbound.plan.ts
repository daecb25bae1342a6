/** The way out of what calls others: proxy settings, and private authorities beside the public ones. */
import { exceptionOf } from "./config/proxy-exceptions";
import type { Stack } from "./config/schema";
import { trustMiB } from "./scratch.plan";
import * as volumes from "./volumes";
import type { ContainerPlan } from "./workload.plan";

type Settings = Pick<Stack, "outbound" | "kubernetes">;

/** Never through the proxy: the pod itself and whatever the cluster's DNS answers for. */
function direct({ kubernetes }: Settings): string[] {
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

/** What the schema accepted, in the form that every client reads. */
function exceptions(entry: string): readonly string[] {
    const read = exceptionOf(entry);
    if ("remedy" in read) throw new Error(`outbound.proxy.direct was not checked: ${entry}`);
    return read.entries;
}

/** Both spellings: curl and Python's urllib read the lower one, others the upper. */
export function proxyEnvironment(stack: Settings): Record<string, string> {
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

const systemRoots = "/etc/ssl/certs/ca-certificates.crt";
const trustDir = "/etc/orcheo/trust";
const bundle = `${trustDir}/ca-bundle.crt`;
const privateDir = "/etc/orcheo/private-ca";
export const privateCaKey = "private-ca.crt";

/** Where a container finds the bundle, in the words of Python's ssl and httpx, requests, curl, botocore and Node. */
export const trustEnvironment = {
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
    AWS_CA_BUNDLE: bundle,
    NODE_EXTRA_CA_CERTS: bundle,
};

export const trustMount = volumes.scratch("trust", trustDir, trustMiB);

/**
 * Joins the image's own roots and the private ones before the process starts. httpx and requests take one file for
 * all they trust, and the image's own cannot be written to.
 */
export function planTrust(image: ContainerPlan["image"], configMap: ContainerPlan["image"]): ContainerPlan {
    return {
        name: "trust",
        image,
        command: ["sh", "-c", `cat ${systemRoots} ${privateDir}/${privateCaKey} > ${bundle}`],
        resources: {
            cpuRequestMillis: 10,
            cpuLimitMillis: 200,
            memoryRequestMiB: 16,
            memoryLimitMiB: 32,
            ephemeralRequestMiB: 8,
        },
        mounts: [trustMount, volumes.configFiles("private-ca", configMap, privateDir)],
    };
}
