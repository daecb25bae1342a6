import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { Aws } from "../config/schema.aws";
import type { RecordedEks } from "../kubernetes/recorded.plan";
import { clusterAutoscaler } from "./cluster-autoscaler";
import * as plan from "./eks.plan";
import { planPodTrust } from "./identities.plan";
import { logGroup } from "./monitoring";
import { servicePolicy, policyDocument } from "./policies.plan";
import type { Network } from "./vpc.plan";

export interface EksArgs {
    readonly stack: Pick<Stack, "kubernetes" | "makesStorageClass">;
    readonly settings: Aws;
    readonly config: plan.OwnCluster;
    readonly network: Network;
    readonly dataKeyArn: pulumi.Output<string>;
    readonly tags: Readonly<Record<string, string>>;
    /** What the stack's state has of the cluster. */
    readonly deployed?: RecordedEks;
}

/** An EKS cluster of the stack's own: private, encrypted, audited. Protected, and kept on delete. */
export class Eks extends pulumi.ComponentResource {
    readonly clusterName: pulumi.Output<string>;
    readonly securityGroupId: pulumi.Output<string>;
    readonly kubeconfig: pulumi.Output<string>;

    constructor(name: string, args: EksArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AwsEks", name, {}, opts);
        const { stack, settings, config, network, dataKeyArn } = args;
        const child = { parent: this };
        const kept = { ...child, protect: true, retainOnDelete: true };
        const clusterRole = this.role(name, "cluster", clusterTrust(), plan.planClusterPolicies(config), settings);
        const nodeRole = this.role(
            name,
            "nodes",
            servicePolicy("ec2.amazonaws.com"),
            plan.planNodePolicies(config),
            settings,
        );
        const logs = logGroup(`${name}-logs`, `/aws/eks/${settings.name}/cluster`, { settings, dataKeyArn }, child);
        const cluster = new aws.eks.Cluster(
            name,
            {
                name: settings.name,
                version: config.version,
                roleArn: clusterRole.arn,
                vpcConfig: { ...plan.planVpcConfig(config), subnetIds: network.subnetIds },
                accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: false },
                encryptionConfig: { provider: { keyArn: dataKeyArn }, resources: ["secrets"] },
                enabledClusterLogTypes: plan.controlPlaneLogs,
                bootstrapSelfManagedAddons: false,
                upgradePolicy: { supportType: "STANDARD" },
                deletionProtection: true,
                ...plan.planAutoMode(config, nodeRole.arn),
            },
            { ...kept, dependsOn: [logs, ...clusterRole.attached, ...nodeRole.attached] },
        );
        const volumes = stack.makesStorageClass;
        const addons = plan.planAddons(config, volumes);
        const driver =
            plan.volumeDriver.addon in addons
                ? this.role(
                      name,
                      "volumes",
                      policyDocument([planPodTrust({ settings, clusterName: cluster.name, ...plan.volumeDriver })]),
                      [plan.volumeDriver.policyArn],
                      settings,
                  )
                : undefined;
        if (config.nodes.kind === "managed" && config.nodes.autoscaler === "clusterAutoscaler")
            clusterAutoscaler(`${name}-autoscaler`, settings, cluster.name, child);
        this.access(`${name}-watcher`, settings.watcherRoleArns, cluster, ["view", "AmazonEKSAdminViewPolicy"]);
        const administrator = ["admin", "AmazonEKSClusterAdminPolicy"] as const;
        const ready = [
            ...this.access(`${name}-deployer`, settings.deployerRoleArns, cluster, administrator),
            ...this.nodes(name, args, { cluster, nodeRole, addons, driver }),
        ];
        this.clusterName = cluster.name;
        this.securityGroupId = cluster.vpcConfig.clusterSecurityGroupId;
        const { context } = stack.kubernetes;
        // The access entries and the nodes exist before the kubeconfig is used. By URN, which a preview knows of new ones too: with an unknown
        // kubeconfig it would replace the provider, and everything in the cluster with it.
        const isReady = pulumi.all(ready.map(({ urn }) => urn));
        this.kubeconfig = pulumi
            .all([cluster.name, cluster.endpoint, cluster.certificateAuthority.data, isReady])
            .apply(([clusterName, endpoint, authority]) =>
                plan.planKubeconfig({ name: clusterName, endpoint, authority }, { region: settings.region, context }),
            );
        this.registerOutputs({});
    }

    /**
     * Pulumi's roles administer the cluster, and previews read all of it, Secrets too; who made it has no other right to it.
     *
     * @see https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
     */
    private access(
        name: string,
        roleArns: readonly string[],
        cluster: aws.eks.Cluster,
        [suffix, policy]: readonly [string, string],
    ): pulumi.CustomResource[] {
        const child = { parent: this };
        return roleArns.map((principalArn, index) => {
            const access = { clusterName: cluster.name, principalArn };
            const entry = new aws.eks.AccessEntry(`${name}-${index}`, access, child);
            return new aws.eks.AccessPolicyAssociation(
                `${name}-${index}-${suffix}`,
                {
                    ...access,
                    policyArn: `arn:aws:eks::aws:cluster-access-policy/${policy}`,
                    accessScope: { type: "cluster" },
                },
                { ...child, dependsOn: [entry] },
            );
        });
    }

    /** AWS's default for the cluster's Kubernetes version. An add-on without a version would never be upgraded. */
    private usualVersion(addonName: string, { version }: plan.OwnCluster): pulumi.Output<string> {
        return aws.eks.getAddonVersionOutput({ addonName, kubernetesVersion: version }, { parent: this }).version;
    }

    /**
     * Add-ons, and the node group between those that nodes need and those that need nodes. All are made from the cluster's name: an
     * upgrade reaches them after the control plane, in this order.
     */
    private nodes(
        name: string,
        { config, network, tags, deployed }: EksArgs,
        { cluster, nodeRole, addons: planned, driver }: Machinery,
    ): pulumi.CustomResource[] {
        const child = { parent: this };
        const addons = Object.entries(planned);
        const { addon: driverName, serviceAccount } = plan.volumeDriver;
        const addon =
            (dependsOn: pulumi.Resource[]) =>
            ([addonName, configuration]: [string, object]): aws.eks.Addon => {
                const identity = addonName === driverName ? driver : undefined;
                return new aws.eks.Addon(
                    `${name}-${addonName}`,
                    {
                        addonName,
                        addonVersion: config.addonVersions[addonName] ?? this.usualVersion(addonName, config),
                        clusterName: cluster.name,
                        configurationValues: JSON.stringify(configuration),
                        ...(identity !== undefined && {
                            podIdentityAssociations: [{ serviceAccount, roleArn: identity.arn }],
                        }),
                        resolveConflictsOnCreate: "OVERWRITE",
                        resolveConflictsOnUpdate: "PRESERVE",
                    },
                    { ...child, dependsOn: [...dependsOn, ...(identity?.attached ?? [])] },
                );
            };
        const first = addons.filter(([each]) => plan.beforeNodes.includes(each)).map(addon([]));
        const later = addons.filter(([each]) => !plan.beforeNodes.includes(each));
        if (config.nodes.kind === "auto") return later.map(addon([]));
        const { architecture, instanceTypes, minNodes, maxNodes, diskGiB } = config.nodes;
        const resized = plan.resizedGroup(config.nodes, deployed?.nodeGroup);
        const template = new aws.ec2.LaunchTemplate(`${name}-nodes`, plan.planLaunchTemplate(diskGiB, tags), child);
        const group = new aws.eks.NodeGroup(
            `${name}-nodes`,
            {
                clusterName: cluster.name,
                nodeRoleArn: nodeRole.arn,
                version: plan.nodeVersion(config),
                subnetIds: network.subnetIds,
                amiType: plan.amiTypes[architecture],
                instanceTypes,
                launchTemplate: { id: template.id, version: pulumi.interpolate`${template.latestVersion}` },
                scalingConfig: {
                    minSize: minNodes,
                    maxSize: maxNodes,
                    desiredSize: this.nodeCount(config.nodes, resized),
                },
                updateConfig: { maxUnavailable: 1 },
            },
            {
                ...child,
                dependsOn: [...first, ...nodeRole.attached],
                // An autoscaler of the cluster owns the number of nodes.
                ignoreChanges: resized === undefined ? ["scalingConfig.desiredSize"] : [],
            },
        );
        return [group, ...later.map(addon([group]))];
    }

    private nodeCount(
        nodes: Parameters<typeof plan.planNodeCount>[0],
        resized: ReturnType<typeof plan.resizedGroup>,
    ): pulumi.Output<number> {
        if (resized === undefined) return pulumi.output(plan.planNodeCount(nodes));
        const { scalingConfigs } = aws.eks.getNodeGroupOutput(resized, { parent: this });
        return scalingConfigs.apply(([now]) => plan.planNodeCount(nodes, now?.desiredSize));
    }

    private role(
        name: string,
        purpose: string,
        trust: pulumi.Output<string>,
        policies: readonly string[],
        settings: Aws,
    ): Role {
        const child = { parent: this };
        const role = new aws.iam.Role(
            `${name}-${purpose}-role`,
            { namePrefix: `${settings.name}-${purpose}-`, assumeRolePolicy: trust },
            child,
        );
        const attached = policies.map(
            (policyArn) =>
                new aws.iam.RolePolicyAttachment(
                    `${name}-${purpose}-${policyArn.slice(policyArn.lastIndexOf("/") + 1)}`,
                    { role: role.name, policyArn },
                    child,
                ),
        );
        return { arn: role.arn, attached };
    }
}

/** What nodes and add-ons are made from. */
interface Machinery {
    readonly cluster: aws.eks.Cluster;
    readonly nodeRole: Role;
    readonly addons: Readonly<Record<string, object>>;
    /** IAM role of the EBS CSI driver; undefined when no workload needs a volume. */
    readonly driver?: Role;
}

interface Role {
    readonly arn: pulumi.Output<string>;
    readonly attached: readonly pulumi.Resource[];
}

/** Auto Mode tags its sessions. */
function clusterTrust(): pulumi.Output<string> {
    return policyDocument([
        { Effect: "Allow", Principal: { Service: "eks.amazonaws.com" }, Action: ["sts:AssumeRole", "sts:TagSession"] },
    ]);
}
