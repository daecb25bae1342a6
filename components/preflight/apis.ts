/** APIs that the settings need: of the cluster itself by its version, of what is installed beside it by its groups. */
import { isTraefik, signedOnly, usesGateway } from "../config/kinds";
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import type { ClusterApi } from "../kubernetes/cluster-api";
import { listAt, textAt, type ClusterCheck } from "./check";

interface Need {
    /** Setting that needs it. */
    readonly key: string;
    /** `group/version`. */
    readonly api: string;
    readonly remedy: string;
}

/** The first Kubernetes with ValidatingAdmissionPolicy in v1, and with `sleep` as a step before the end of a container. */
const oldest = [1, 30] as const;

export const apisServed: ClusterCheck = {
    finds: "whether the cluster serves the APIs that the settings need",
    async run(stack, cluster) {
        const [version, groups] = await Promise.all([cluster.text("/version"), groupsOf(cluster)]);
        return [...versionProblems(stack, version), ...(groups === undefined ? [] : apiProblems(stack, groups))];
    },
};

/** Versions by group; undefined when the server does not list them. */
async function groupsOf(cluster: ClusterApi): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
    const list = await cluster.get("/apis");
    if (list === undefined) return undefined;
    return new Map(
        listAt(list, "groups").map((group) => [
            textAt(group, "name") ?? "",
            listAt(group, "versions").flatMap((each) => textAt(each, "version") ?? []),
        ]),
    );
}

/** @param version  text of /version; one that cannot be read is not refused */
export function versionProblems({ kubernetes }: Partial<Sections>, version: string): readonly Problem[] {
    const [, major, minor] = /"gitVersion"\s*:\s*"v(\d+)\.(\d+)/.exec(version) ?? [];
    if (kubernetes === undefined || major === undefined || minor === undefined) return [];
    if (Number(major) > oldest[0] || Number(minor) >= oldest[1]) return [];
    const found = `the cluster of ${JSON.stringify(kubernetes.context)} runs Kubernetes ${major}.${minor}`;
    return [{ at: "orcheo:stack.kubernetes.context", found, remedy: `accepted: ${oldest.join(".")} or newer` }];
}

function needsOf({ entrance, secrets, api, monitoring, images }: Partial<Sections>): readonly Need[] {
    const controller = entrance?.controller;
    const kind = "entrance.controller.kind";
    const needs: Need[] = [
        {
            key: "kubernetes.context",
            api: "cert-manager.io/v1",
            remedy: "install cert-manager, which makes the certificates of the servers in the cluster",
        },
    ];
    if (controller !== undefined && usesGateway(controller))
        needs.push({
            key: kind,
            api: "gateway.networking.k8s.io/v1",
            remedy: "install the Gateway API, or use an Ingress",
        });
    if (controller !== undefined && isTraefik(controller))
        needs.push({
            key: kind,
            api: "traefik.io/v1alpha1",
            remedy: 'install Traefik 3 with its CRDs, or name another controller; "standard" serves any Ingress',
        });
    if (controller?.kind === "envoyGateway")
        needs.push({ key: kind, api: "gateway.envoyproxy.io/v1alpha1", remedy: "install Envoy Gateway" });
    if (controller?.kind === "awsGateway")
        needs.push({
            key: kind,
            api: "gateway.k8s.aws/v1beta1",
            remedy: "install the AWS Load Balancer Controller 2.15 or newer with its CRDs for the Gateway API",
        });
    if (monitoring?.kind === "prometheusOperator")
        needs.push({
            key: "monitoring.kind",
            api: "monitoring.coreos.com/v1",
            remedy: 'install the Prometheus operator with its CRDs, or use the kind "annotations" or "none"',
        });
    if (monitoring?.kind === "prometheusOperator" && monitoring.notifications !== undefined)
        needs.push({
            key: "monitoring.notifications",
            api: "monitoring.coreos.com/v1alpha1",
            remedy: "install the CRD AlertmanagerConfig of the Prometheus operator, or leave it out",
        });
    if (secrets?.kind === "externalSecrets")
        needs.push({
            key: "secrets.kind",
            api: "external-secrets.io/v1",
            remedy: 'install External Secrets 0.16 or newer, or use the kind "existing"',
        });
    if (images !== undefined && signedOnly(images) !== undefined)
        needs.push({
            key: "images.admission.kind",
            api: "policy.sigstore.dev/v1beta1",
            remedy: 'install Sigstore\'s policy-controller, which verifies signatures, or use the kind "none"',
        });
    if (api !== undefined && api.scaling.maxReplicas > api.scaling.minReplicas)
        needs.push({
            key: "api.scaling.maxReplicas",
            api: "metrics.k8s.io/v1beta1",
            remedy: `install metrics-server, without which nothing is scaled; or set it to minReplicas, ${api.scaling.minReplicas}`,
        });
    return needs;
}

/** @param groups  versions by group */
export function apiProblems(
    stack: Partial<Sections>,
    groups: ReadonlyMap<string, readonly string[]>,
): readonly Problem[] {
    return needsOf(stack).flatMap(({ key, api, remedy }): Problem[] => {
        const [group = "", version = ""] = api.split("/");
        const served = groups.get(group);
        if (served?.includes(version) === true) return [];
        const found =
            served === undefined
                ? `the cluster does not serve ${api}`
                : `the cluster serves ${group} in ${served.join(", ")} only, and ${version} is needed`;
        return [{ at: `orcheo:stack.${key}`, found, remedy }];
    });
}
