import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import type { Resources } from "../config/fields";
import { ports } from "../config/ports";
import type { CacheOf } from "../config/schema";
import { objectLabels, selector } from "../kubernetes/labels";
import { planPod, probe, processProbes, type PodSettings } from "../kubernetes/pod.plan";
import { scratchSizes, type ScratchSettings } from "../kubernetes/scratch.plan";
import * as volumes from "../kubernetes/volumes.plan";

export type ValkeySettings = PodSettings & ScratchSettings;

export interface ValkeyInputs {
    readonly namespace: Input<string>;
    readonly image: Input<string>;
    readonly serviceAccountName: Input<string>;
    readonly passwordSecret: Input<string>;
    readonly certificateSecret: Input<string>;
    readonly claimName: Input<string>;
}

export function planValkey(
    stack: ValkeySettings,
    cache: CacheOf<"valkey">,
    inputs: ValkeyInputs,
): types.input.apps.v1.StatefulSet {
    const check = { exec: { command: ["valkey-probe"] } };
    return {
        metadata: { name: "valkey", namespace: inputs.namespace, labels: objectLabels("valkey") },
        spec: {
            serviceName: "valkey",
            replicas: 1,
            selector: { matchLabels: selector("valkey") },
            template: planPod({
                role: "valkey",
                serviceAccountName: inputs.serviceAccountName,
                stack,
                terminationGraceSeconds: 60,
                containers: [
                    {
                        name: "valkey",
                        image: inputs.image,
                        env: { VALKEY_MAXMEMORY: `${cache.memoryMiB}mb` },
                        port: { name: "valkey", number: ports.valkey },
                        resources: cacheResources(cache),
                        mounts: [
                            volumes.claim("data", inputs.claimName, "/data"),
                            volumes.secretFiles([{ secretName: inputs.passwordSecret, keys: ["valkey-password"] }]),
                            volumes.serverCertificate(inputs.certificateSecret),
                            volumes.scratch("tmp", "/tmp", scratchSizes(stack).valkey.tmp),
                        ],
                        probes: {
                            // The append-only file is read before the first answer.
                            startup: probe(check, { everySeconds: 3, failures: 100, timeoutSeconds: 5 }),
                            ...processProbes(check),
                        },
                    },
                ],
            }),
        },
    };
}

export function cacheResources(cache: CacheOf<"valkey">): Resources {
    const { cpuRequestMillis, cpuLimitMillis, memoryMiB } = cache;
    // Rewriting the append-only file forks: pages that change meanwhile exist twice.
    return {
        cpuRequestMillis,
        cpuLimitMillis,
        memoryRequestMiB: memoryMiB,
        memoryLimitMiB: memoryMiB * 2 + 32,
        ephemeralRequestMiB: 32,
    };
}
