/** Outbound connections: proxy settings, and private CAs in addition to the public ones. */
import type { ContainerPlan } from "./pod.plan";
import { trustMiB } from "./scratch.plan";
import * as volumes from "./volumes.plan";

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
