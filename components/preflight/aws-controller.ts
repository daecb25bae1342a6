/** Whether the AWS Load Balancer Controller knows the fields of the Gateway's configuration: an older one ignores them. */
import type { Problem } from "../config/problems";
import { collectionPath, type KubernetesObject } from "../kubernetes/cluster-api";
import { listAt, textAt, type ClusterCheck } from "./check";

const name = "aws-load-balancer-controller";
/** The release whose custom resources components/kubernetes/aws-gateway.types.ts describes. */
const oldest = { major: 2, minor: 15 };

export const awsController: ClusterCheck = {
    finds: "whether the AWS Load Balancer Controller is recent enough for a Gateway",
    async run({ entrance }, cluster) {
        if (entrance?.controller.kind !== "awsGateway") return [];
        const selector = encodeURIComponent(`app.kubernetes.io/name=${name}`);
        return versionProblems(
            await cluster.list(`${collectionPath("apps/v1", "Deployment")}?labelSelector=${selector}`),
        );
    },
};

/** @param deployments  those of the controller; a version that none of them names is not checked */
export function versionProblems(deployments: readonly KubernetesObject[]): readonly Problem[] {
    return deployments.flatMap((deployment) => {
        const version = versionOf(deployment);
        const [major = 0, minor = 0] = version?.split(".").map(Number) ?? [];
        const recent = major > oldest.major || (major === oldest.major && minor >= oldest.minor);
        if (version === undefined || recent) return [];
        const { namespace = "", name: own } = deployment.metadata;
        const found = `the AWS Load Balancer Controller in the cluster (${namespace}/${own}) is version ${version}`;
        const remedy = `upgrade it to ${oldest.major}.${oldest.minor} or later, or use kind "awsLoadBalancer"`;
        return [{ at: "orcheo:stack.entrance.controller.kind", found, remedy }];
    });
}

/** Major and minor version, by the image's tag or by the chart's label. */
function versionOf(deployment: KubernetesObject): string | undefined {
    const containers = listAt(deployment, "spec", "template", "spec", "containers");
    const tags = containers
        .map((container) => textAt(container, "image") ?? "")
        .filter((image) => image.includes(name))
        .map((image) => image.split("@")[0]?.split("/").at(-1)?.split(":")[1]);
    const given = [...tags, deployment.metadata.labels?.["app.kubernetes.io/version"]];
    return given.map((text) => /^v?(\d+\.\d+)(\.|$)/.exec(text ?? "")?.[1]).find((text) => text !== undefined);
}
