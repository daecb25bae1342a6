/** A pod that may reach DNS only tries to reach more: whether the cluster's network enforces NetworkPolicies. */
import { createHash } from "node:crypto";
import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import type { Resources } from "../config/fields";
import type { Stack } from "../config/schema";
import { releaseLabels } from "../kubernetes/labels";
import { planPod, type PodSettings } from "../kubernetes/pod.plan";

export type ProbeSettings = PodSettings & Pick<Stack, "network" | "version">;

export const probeName = "network-probe";

export const probeResources: Resources = {
    cpuRequestMillis: 10,
    cpuLimitMillis: 200,
    memoryRequestMiB: 16,
    memoryLimitMiB: 64,
    ephemeralRequestMiB: 16,
};

/** Some networks let a new pod reach everything until its policies arrive. */
const attempts = 30;

/**
 * Bash. The allowed lookup shows that the pod's network works at all; only then a failed connection to the API server, which is
 * there for every pod, is due to a policy.
 *
 * @param name  of a Service, asked of the cluster's DNS
 * @param pause  seconds between two attempts
 */
export function probeScript(name: string, times = attempts, pause = 1): string {
    return `set -u
timeout 5 true && timeout 5 bash -c true && timeout 5 getent hosts localhost >/dev/null || { echo "this image has no bash, timeout or getent"; exit 70; }
target="$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT"
connects() { timeout 2 bash -c "exec 3<>/dev/tcp/$KUBERNETES_SERVICE_HOST/$KUBERNETES_SERVICE_PORT" 2>/dev/null; }
resolves() { timeout 5 getent hosts "${name}" >/dev/null; }
for ((n = 1; ; n++)); do
    if resolves; then break; fi
    if ((n >= ${times})); then
        echo "DNS does not answer: the lookup of ${name} failed $n times. Check orcheo:stack.network.dnsNamespace, dnsPort and dnsCidrs."
        exit 78
    fi
    sleep ${pause}
done
failed=0
for ((n = 1; n <= ${times}; n++)); do
    if connects; then failed=0; else failed=$((failed + 1)); fi
    if ((failed == 3)); then
        echo "NetworkPolicies are enforced: this pod, which may reach DNS only, cannot connect to the API server at $target."
        exit 0
    fi
    sleep ${pause}
done
echo "NetworkPolicies are NOT enforced: this pod, which may reach DNS only, connects to the API server at $target. Nothing else was started. \\
Install a network that enforces them, such as Calico, Cilium or kube-router (Amazon VPC CNI: the add-on vpc-cni with enableNetworkPolicy: true)."
exit 78`;
}

export interface ProbeInputs {
    readonly namespace: Input<string>;
    readonly image: Input<string>;
    readonly serviceAccountName: Input<string>;
}

/** @param policies  a change of them runs it again, and so does another version */
export function planProbe(stack: ProbeSettings, policies: object, inputs: ProbeInputs): types.input.batch.v1.Job {
    const { clusterDomain } = stack.kubernetes;
    const digest = createHash("sha256").update(JSON.stringify(policies)).digest("hex").slice(0, 12);
    return {
        metadata: {
            namespace: inputs.namespace,
            labels: releaseLabels(probeName, stack.version),
            // One that failed is replaced by the next update instead of being waited for again.
            annotations: { "pulumi.com/replaceUnready": "true" },
        },
        // No time to live: a Job that vanished would read as drift.
        spec: {
            backoffLimit: 1,
            activeDeadlineSeconds: 240,
            template: planPod({
                role: probeName,
                serviceAccountName: inputs.serviceAccountName,
                stack,
                terminationGraceSeconds: 5,
                restartPolicy: "Never",
                annotations: { "orcheo.dev/probed": `${stack.version} ${digest}` },
                containers: [
                    {
                        name: probeName,
                        image: inputs.image,
                        command: ["bash", "-c", probeScript(`kubernetes.default.svc.${clusterDomain}`)],
                        resources: probeResources,
                        mounts: [],
                    },
                ],
            }),
        },
    };
}
