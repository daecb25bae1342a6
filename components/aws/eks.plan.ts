/** The decisions of the stack's own cluster. */
import { isDeepStrictEqual } from "node:util";
import type * as aws from "@pulumi/aws";
import { isRecord } from "../config/values";
import type { Aws } from "../config/schema.aws";

export type OwnCluster = Extract<Aws["cluster"], { kind: "new" }>;

const managed = (policy: string) => `arn:aws:iam::aws:policy/${policy}`;

/** @see https://docs.aws.amazon.com/eks/latest/userguide/automode-get-started-cli.html */
export function planClusterPolicies({ nodes }: OwnCluster): readonly string[] {
    const auto = [
        "AmazonEKSComputePolicy",
        "AmazonEKSBlockStoragePolicy",
        "AmazonEKSLoadBalancingPolicy",
        "AmazonEKSNetworkingPolicy",
    ];
    return ["AmazonEKSClusterPolicy", ...(nodes.kind === "auto" ? auto : [])].map(managed);
}

/** Nodes pull images and join; whatever pods do in AWS they do under identities of their own. */
export function planNodePolicies({ nodes }: OwnCluster): readonly string[] {
    return (
        nodes.kind === "auto"
            ? ["AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly"]
            : ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy"]
    ).map(managed);
}

export const controlPlaneLogs = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

export function planVpcConfig({ publicCidrs }: OwnCluster): Partial<aws.types.input.eks.ClusterVpcConfig> {
    return {
        endpointPrivateAccess: true,
        endpointPublicAccess: publicCidrs.length > 0,
        ...(publicCidrs.length > 0 && { publicAccessCidrs: publicCidrs }),
    };
}

/** Auto Mode runs nodes, storage and load balancing itself, or none of the three. */
export function planAutoMode(
    { nodes }: OwnCluster,
    nodeRoleArn: aws.types.input.eks.ClusterComputeConfig["nodeRoleArn"],
): Partial<aws.eks.ClusterArgs> {
    if (nodes.kind !== "auto") return {};
    return {
        computeConfig: { enabled: true, nodePools: ["general-purpose", "system"], nodeRoleArn },
        kubernetesNetworkConfig: { elasticLoadBalancing: { enabled: true } },
        storageConfig: { blockStorage: { enabled: true } },
    };
}

/**
 * Add-ons by name, with their configuration. Without the CNI's switch NetworkPolicies are accepted and not enforced.
 *
 * @param volumes  whether pods ask for volumes of EBS
 * @see https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
 */
export function planAddons({ nodes }: OwnCluster, volumes: boolean): Readonly<Record<string, object>> {
    const metrics = { "metrics-server": {} };
    if (nodes.kind === "auto") return metrics;
    return {
        "vpc-cni": { enableNetworkPolicy: "true" },
        "kube-proxy": {},
        coredns: {},
        "eks-pod-identity-agent": {},
        ...(volumes && { [volumeDriver.addon]: {} }),
        ...metrics,
    };
}

type ManagedNodes = Extract<OwnCluster["nodes"], { kind: "managed" }>;

/**
 * The node group to ask how many nodes it runs. EKS takes their number with any change of the limits, and a new group begins with it: that of
 * the stack's state may be outside the new limits, or from before an autoscaler changed it.
 *
 * @param deployed  the node group in the stack's state
 * @returns undefined when no number is sent: it is the autoscaler's then
 */
export function resizedGroup(
    { architecture, instanceTypes, minNodes, maxNodes }: ManagedNodes,
    deployed: Readonly<Record<string, unknown>> | undefined,
): { readonly clusterName: string; readonly nodeGroupName: string } | undefined {
    const { clusterName, nodeGroupName, amiType, instanceTypes: types, scalingConfig } = deployed ?? {};
    if (typeof clusterName !== "string" || typeof nodeGroupName !== "string" || !isRecord(scalingConfig))
        return undefined;
    const [before, wanted] = [
        [amiType, types, scalingConfig["minSize"], scalingConfig["maxSize"]],
        [amiTypes[architecture], instanceTypes, minNodes, maxNodes],
    ];
    return isDeepStrictEqual(before, wanted) ? undefined : { clusterName, nodeGroupName };
}

/** As many nodes as run now, within the limits. @param running  undefined for a new group */
export const planNodeCount = ({ minNodes, maxNodes }: ManagedNodes, running = minNodes): number =>
    Math.min(Math.max(running, minNodes), maxNodes);

/** Nodes run the control plane's version unless the settings hold them back. */
export const nodeVersion = ({ version, nodes }: OwnCluster): string =>
    (nodes.kind === "managed" ? nodes.version : undefined) ?? version;

/** The EBS CSI driver and its permissions. Auto Mode includes its own. */
export const volumeDriver = {
    addon: "aws-ebs-csi-driver",
    namespace: "kube-system",
    serviceAccount: "ebs-csi-controller-sa",
    policyArn: managed("service-role/AmazonEBSCSIDriverPolicy"),
} as const;

/** Add-ons that nodes need before they are ready; the others need nodes. */
export const beforeNodes: readonly string[] = ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"];

type LaunchTemplate = aws.ec2.LaunchTemplateArgs;

/** Pods cannot ask for the node's credentials: tokens only, and none beyond the first hop. The disk is encrypted. */
export function planLaunchTemplate(diskGiB: number, tags: Readonly<Record<string, string>>): LaunchTemplate {
    return {
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        blockDeviceMappings: [
            {
                deviceName: "/dev/xvda",
                ebs: { volumeSize: diskGiB, volumeType: "gp3", encrypted: "true", deleteOnTermination: "true" },
            },
        ],
        // The provider's default tags apply to the template, not to the instances launched from it.
        tagSpecifications: ["instance", "volume"].map((resourceType) => ({ resourceType, tags: { ...tags } })),
    };
}

export const amiTypes = { amd64: "AL2023_x86_64_STANDARD", arm64: "AL2023_ARM_64_STANDARD" } as const;

/** A kubeconfig without credentials: its user requests a token from AWS. */
export function planKubeconfig(
    cluster: { name: string; endpoint: string; authority: string },
    { region, context }: { region: string; context: string },
): string {
    return JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": context,
        clusters: [
            { name: context, cluster: { server: cluster.endpoint, "certificate-authority-data": cluster.authority } },
        ],
        contexts: [{ name: context, context: { cluster: context, user: context } }],
        users: [
            {
                name: context,
                user: {
                    exec: {
                        apiVersion: "client.authentication.k8s.io/v1beta1",
                        command: "aws",
                        args: ["eks", "get-token", "--region", region, "--cluster-name", cluster.name],
                        interactiveMode: "Never",
                    },
                },
            },
        ],
    });
}
