import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { Aws } from "../config/schema.aws";
import type { RecordedEks } from "../kubernetes/recorded.plan";
import { machine } from "../machine";
import type { Secrets } from "../secrets/secrets";
import { BackupPlan } from "./backup-plan";
import { Bucket } from "./bucket";
import { dnsRecord } from "./dns";
import { Eks } from "./eks";
import { PodRole } from "./identities";
import { serviceAccountsOf, type Identity } from "./identities.plan";
import { keyOf } from "./keys";
import { Monitoring } from "./monitoring";
import { networkOf, textOf } from "./network";
import { planBackupPolicy, planDataKey } from "./policies.plan";
import { connect, Prometheus } from "./prometheus";
import { Repositories } from "./repositories";
import { vaultKey } from "./vault";
import type { Network } from "./vpc.plan";

/** What database and cache need of the account. */
export interface Account {
    readonly settings: Aws;
    readonly provider: aws.Provider;
    readonly network: Network;
    /** Security group of the cluster's nodes: the only one that is let in. */
    readonly clusterSecurityGroupId: pulumi.Output<string>;
    readonly dataKeyArn: pulumi.Output<string>;
    readonly topicArn: pulumi.Output<string>;
}

type Annotations = Readonly<Record<string, pulumi.Output<string>>>;

/** The cloud below the cluster; everything is undefined or empty where there is none. */
export interface Cloud {
    readonly account?: Account;
    /** Kubeconfig of the cluster, where the config names none. */
    readonly kubeconfig?: pulumi.Output<string>;
    /** What must be there before images are pushed. */
    readonly repositories: pulumi.Resource[];
    /** ServiceAccount annotations that give pods their AWS identity. */
    readonly annotations: Annotations;
    /** Destination and identity of the backups; undefined without an AWS account. */
    readonly backup?: {
        readonly bucket: pulumi.Output<string>;
        readonly keyArn: pulumi.Output<string>;
        readonly annotations: Annotations;
    };
    readonly outputs: Readonly<Record<string, pulumi.Output<string>>>;
}

export interface CloudArgs {
    readonly stack: Pick<
        Stack,
        "aws" | "backup" | "database" | "host" | "kubernetes" | "makesStorageClass" | "registry"
    >;
    readonly secrets: Secrets;
    /** Rules file of the stack, for the managed Prometheus that evaluates it. */
    readonly rules: string;
}

export async function createCloud(name: string, args: CloudArgs): Promise<Cloud> {
    const settings = args.stack.aws;
    if (settings === undefined) return { repositories: [], annotations: {}, outputs: {} };
    const { eks } = await machine.recorded();
    return new AwsCloud(name, { ...args, settings, deployed: eks });
}

/** @throws where config lets `rds` or `elasticache` pass without an account, which it does not */
export function accountOf({ account }: Cloud): Account {
    if (account === undefined) throw new Error("this kind of database or cache needs the section aws");
    return account;
}

interface AwsCloudArgs extends CloudArgs {
    readonly settings: Aws;
    /** The stack's own EKS cluster as recorded in its state. */
    readonly deployed: RecordedEks | undefined;
}

/** Everything in the AWS account but database and cache, which components/database and components/cache declare. */
class AwsCloud extends pulumi.ComponentResource implements Cloud {
    readonly account: Account;
    readonly kubeconfig?: pulumi.Output<string>;
    readonly repositories: pulumi.Resource[];
    readonly annotations: Annotations;
    readonly backup: Cloud["backup"];
    readonly outputs: Cloud["outputs"];

    constructor(name: string, { stack, secrets, rules, settings, deployed }: AwsCloudArgs) {
        super("orcheo:index:Aws", name);
        const tags = planTags(settings);
        const provider = new aws.Provider(
            name,
            { region: settings.region, allowedAccountIds: [settings.accountId], defaultTags: { tags } },
            { parent: this },
        );
        const child = { parent: this, provider };
        const dataKeyArn = keyOf(
            `${name}-data-key`,
            {
                existing: settings.keys.dataKeyArn,
                alias: `${settings.name}-data`,
                description: "Orcheo: database, cache, bucket, images, logs",
                policy: planDataKey(settings),
            },
            child,
        );
        const shared = { stack, settings, dataKeyArn };
        const network = networkOf(`${name}-network`, shared, child);
        const config = settings.prometheus;
        const prometheus = config && new Prometheus(`${name}-prometheus`, { ...shared, config, rules }, child);
        const monitoring = new Monitoring(
            `${name}-monitoring`,
            { ...shared, workspaceArn: prometheus?.workspaceArn },
            child,
        );
        const { topicArn } = monitoring;
        const cluster = this.cluster(name, { ...shared, network, tags, deployed }, child);
        this.kubeconfig = cluster.kubeconfig;
        this.repositories = settings.registry ? [new Repositories(`${name}-images`, shared, child)] : [];
        new BackupPlan(`${name}-backup`, { ...shared, topicArn }, child);
        const bucket = new Bucket(`${name}-bucket`, shared, child);

        const { clusterName } = cluster;
        const { namespace } = stack.kubernetes;
        const podRole = (role: string, purpose: Identity): PodRole =>
            new PodRole(
                role,
                {
                    ...{ settings, clusterName, namespace, purpose },
                    ...{ serviceAccounts: serviceAccountsOf[purpose], existing: settings.roles[purpose] },
                },
                child,
            );
        const backend = podRole(`${name}-backend`, "backend");
        const backup = podRole(`${name}-backup-job`, "backup");
        backup.allow(`${name}-backup-job-policy`, planBackupPolicy(bucket, settings.region), child);
        // A vault key that lives elsewhere is not copied.
        const value = secrets.application?.["vault-encryption-key"];
        const vault = value && vaultKey(`${name}-vault`, { settings, backend, value }, child);
        dnsRecord(`${name}-record`, stack.host, settings.dns, child);
        const forWriter =
            prometheus &&
            connect(`${name}-prometheus`, prometheus, { settings, config, clusterName, namespace, monitoring }, child);

        const clusterSecurityGroupId = cluster.securityGroupId;
        this.account = { settings, provider, network, clusterSecurityGroupId, dataKeyArn, topicArn };
        const annotationsOf = ({ roleArn }: PodRole): Annotations =>
            settings.identities.kind === "irsa" ? { "eks.amazonaws.com/role-arn": roleArn } : {};
        this.annotations = annotationsOf(backend);
        this.backup = { bucket: bucket.name, keyArn: bucket.keyArn, annotations: annotationsOf(backup) };
        this.outputs = {
            bucket: bucket.name,
            backupRoleArn: backup.roleArn,
            backendRoleArn: backend.roleArn,
            ...(vault !== undefined && { vaultSecretArn: vault.arn }),
            ...forWriter,
        };
        this.registerOutputs({});
    }

    private cluster(
        name: string,
        args: Omit<ConstructorParameters<typeof Eks>[1], "config">,
        child: pulumi.ComponentResourceOptions,
    ): Pick<Eks, "clusterName" | "securityGroupId"> & { readonly kubeconfig?: pulumi.Output<string> } {
        const config = args.settings.cluster;
        switch (config.kind) {
            case "new":
                return new Eks(`${name}-eks`, { ...args, config }, child);
            case "existing":
                return {
                    clusterName: pulumi.output(config.name),
                    securityGroupId: pulumi.output(config.securityGroupId),
                };
            case "stackReference": {
                const other = new pulumi.StackReference(
                    `${name}-cluster-stack`,
                    { name: config.stack },
                    { parent: this },
                );
                return {
                    clusterName: textOf(other, config.nameOutput),
                    securityGroupId: textOf(other, config.securityGroupIdOutput),
                    ...(config.kubeconfigOutput !== undefined && {
                        kubeconfig: textOf(other, config.kubeconfigOutput),
                    }),
                };
            }
        }
    }
}

function planTags({ name, environment, tags }: Aws): Record<string, string> {
    return { ...tags, Project: "orcheo", Environment: environment, Stack: name, ManagedBy: "pulumi" };
}
