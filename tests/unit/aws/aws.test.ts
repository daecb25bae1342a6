import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import {
    awsPrograms,
    everythingExisting,
    everythingNew,
    otherVault,
    plain,
    stringsIn,
    withSecrets,
    zones,
} from "../../aws-programs";
import {
    caText,
    run as runOnce,
    runBoth,
    secretMark,
    settingsOf,
    type Program,
    type Registered,
    type Run,
} from "../../harness";

const isAws = ({ type }: Registered) => type.startsWith("aws:");
const kind = ({ type }: Registered) => type.slice(type.lastIndexOf(":") + 1);

function only({ resources }: Run, wanted: string, name: string): Registered {
    const [found, ...more] = resources.filter((each) => kind(each) === wanted && each.name === name);
    if (found === undefined || more.length > 0) throw new Error(`not exactly one ${wanted} ${name}`);
    return found;
}

const inputsOf = (run: Run, wanted: string, name: string) => plain(only(run, wanted, name).inputs);
const names = ({ resources }: Run, wanted: string) =>
    resources.filter((each) => kind(each) === wanted).map(({ name }) => name);

function programNamed(start: string): Program {
    const [, program] = awsPrograms.find(([name]) => name.startsWith(start)) ?? [];
    if (program === undefined) throw new Error(`no program ${start}`);
    return program;
}

/** Runs of each program, as preview and as update; the program's modules are loaded anew for each, one by one. */
const done = new Map<unknown, Run>();
async function ran(program: Program): Promise<Run> {
    const run = done.get(program.settings) ?? (await runBoth(program));
    done.set(program.settings, run);
    return run;
}

describe.each(awsPrograms)("prod on AWS: %s", (_, program) => {
    let run: Run;
    beforeAll(async () => {
        run = await ran(program);
    }, 60_000);

    it("every child has a parent, and nothing is known under two names", () => {
        expect(run.resources.filter(({ type, options }) => !type.startsWith("orcheo:") && !options.parented)).toEqual(
            [],
        );
        const urns = run.resources.map(({ options }) => options.urn);
        expect(new Set(urns).size).toBe(urns.length);
    });

    it("every argument is one that the SDK declares, those that come by a spread too", () => {
        const undeclared = run.resources
            .filter(({ type }) => type.startsWith("aws:"))
            .flatMap(({ type, name, inputs }) => {
                const [, path = "", args = ""] = type.split(":");
                const source = readFileSync(`node_modules/@pulumi/aws/${path}.d.ts`, "utf8");
                const [, body = ""] =
                    new RegExp(`^export interface ${args}Args \\{\n(.*?)^\\}`, "ms").exec(source) ?? [];
                const declared = new Set(Array.from(body.matchAll(/^ {4}(\w+)\??: /gm), ([, key]) => key));
                expect(declared.size, type).toBeGreaterThan(0);
                return Object.keys(inputs)
                    .filter((key) => !declared.has(key))
                    .map((key) => `${name}: ${key}`);
            });
        expect(undeclared).toEqual([]);
    });

    it("uses one account, whose credentials are required, and sets the tags", () => {
        const provider = only(run, "aws", "aws");
        expect(plain(provider.inputs)).toMatchObject({
            region: "eu-central-1",
            allowedAccountIds: '["111122223333"]',
            defaultTags:
                '{"tags":{"Project":"orcheo","Environment":"production","Stack":"orcheo-prod","ManagedBy":"pulumi"}}',
        });
        for (const each of run.resources.filter(isAws)) expect(each.provider).toMatch(/::aws::aws-id$/);
    });

    it("shows a secret nowhere, to nobody", () => {
        for (const { type, name, inputs } of run.resources)
            expect(JSON.stringify(withSecrets(inputs, () => "[secret]")), `${type} ${name}`).not.toContain(secretMark);
        expect(JSON.stringify(run.outputs)).not.toContain(secretMark);
        expect(JSON.stringify(withSecrets(only(run, "Secret", "backend-secret").inputs, () => "[secret]"))).toContain(
            "[secret]",
        );
    });

    it("refers only to what it makes, what the config names, and what AWS provides", () => {
        const config = stringsIn(program.settings ?? settingsOf("prod"));
        const made = run.resources.flatMap(({ state, id, name }) => [
            ...stringsIn(withSecrets(state, () => "")),
            ...(id === undefined ? [] : [id, name]),
        ]);
        const other = ["vpc-0a1b2c3d4e5f60718", "sg-0a1b2c3d4e5f60718"];
        const known = new Set([...config, ...made, ...other]);
        const patterns = [
            /^arn:aws:iam::aws:policy\/[A-Za-z0-9/_-]+$/,
            /^arn:aws:eks::aws:cluster-access-policy\/AmazonEKSClusterAdminPolicy$/,
            /^arn:aws:iam::111122223333:root$/,
            /^arn:aws:logs:eu-central-1:111122223333:log-group:\*$/,
            /^arn:aws:eks:eu-central-1:111122223333:cluster\/(orcheo-prod|shared)$/,
            /^arn:aws:eks:eu-central-1:111122223333:nodegroup\/orcheo-prod\/\*$/,
            /^arn:aws:autoscaling:eu-central-1:111122223333:autoScalingGroup:\*:autoScalingGroupName\/eks-\*$/,
            /^arn:aws:s3:::[a-z0-9-]+\/(backups\/)?\*$/,
            /^arn:aws:iam::444455556666:(root|role\/aws-service-role\/backup\.amazonaws\.com\/AWSServiceRoleForBackup)$/,
        ];
        for (const each of run.resources.filter(isAws)) {
            const references = stringsIn(plain(each.inputs)).filter((value) =>
                /^(arn:|sg-|subnet-|vpc-)|-id$/.test(value),
            );
            for (const reference of references)
                expect(
                    known.has(reference) || patterns.some((pattern) => pattern.test(reference)),
                    `${each.name}: ${reference}`,
                ).toBe(true);
        }
    });

    it("opens database and cache to the pods, and nothing else of the private network", () => {
        const policy = JSON.stringify(inputsOf(run, "NetworkPolicy", "network-backend-out"));
        const base = program.settings === everythingNew ? "10.30" : "10.20";
        const cidrs =
            program.settings === everythingExisting
                ? ["10.20.0.0/16"]
                : [0, 16, 32].map((third) => `${base}.${third}.0/20`);
        for (const port of [5432, 6379])
            expect(policy).toContain(
                `{"ports":[{"port":${port},"protocol":"TCP"}],"to":${JSON.stringify(cidrs.map((cidr) => ({ ipBlock: { cidr } })))}}`,
            );
        expect(policy.includes("169.254.170.23/32")).toBe(program.settings !== everythingExisting);
        expect(policy).not.toContain('"component":"postgres"');
    });

    it("database and cache admit only the cluster's security group", () => {
        const groups = names(run, "SecurityGroup");
        for (const group of groups) expect(inputsOf(run, "SecurityGroup", group)).not.toHaveProperty("egress");
        const rules = run.resources.filter((each) => kind(each) === "SecurityGroupIngressRule");
        expect(rules).toHaveLength(groups.length);
        for (const { inputs } of rules) {
            expect(inputs["referencedSecurityGroupId"]).toMatch(/^sg-/);
            expect(inputs).not.toHaveProperty("cidrIpv4");
            expect(inputs["fromPort"]).toBe(inputs["toPort"]);
        }
    });

    it("verifies the database with the RDS CA bundle and the cache with the public CAs", () => {
        const files = plain(inputsOf(run, "Secret", "backend-secret")["stringData"] as Record<string, unknown>);
        expect(files["postgres-dsn"]).toMatch(
            /^postgresql:\/\/orcheo_a:random5ecret-postgres-password-a@orcheo-prod-database\.[a-z0-9.-]+:5432\/orcheo\?sslmode=verify-full&sslrootcert=\/etc\/orcheo\/database-ca\/ca\.crt$/,
        );
        expect(files["redis-url"]).toMatch(
            /^rediss:\/\/orcheo:random5ecret-valkey-password-a@master\.orcheo-prod-cache\.[a-z0-9.]+:6379\/0\?ssl_cert_reqs=required&ssl_ca_certs=\/etc\/ssl\/certs\/ca-certificates\.crt$/,
        );
        expect(inputsOf(run, "ConfigMap", "postgres-authority")["data"]).toEqual({
            "ca.crt": caText,
        });
    });
});

describe("existence of resources", () => {
    let fresh: Run;
    let existing: Run;
    beforeAll(async () => {
        fresh = await ran({ stack: "prod", settings: everythingNew });
        existing = await ran({ stack: "prod", settings: everythingExisting });
    }, 60_000);

    it("existing resources are used, and no others are created", () => {
        for (const absent of ["Key", "Bucket", "Repository", "SecurityGroup", "RolePolicy", "PodIdentityAssociation"])
            expect(names(existing, absent), absent).toEqual([]);
        expect(names(existing, "Role").sort()).toEqual(["aws-backup-role", "postgres-observer"]);
        expect(inputsOf(existing, "Instance", "postgres")).toMatchObject({
            kmsKeyId: "arn:aws:kms:eu-central-1:111122223333:key/data",
            vpcSecurityGroupIds: ["sg-00000000000000001"],
        });
        expect(inputsOf(existing, "kubernetes", "cluster")).toEqual({
            context: "orcheo-prod",
            kubeconfig: "apiVersion: v1",
        });
        expect(inputsOf(existing, "ServiceAccount", "api-account")).toMatchObject({
            metadata: { annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/backend" } },
        });
        expect(JSON.stringify(inputsOf(existing, "ServiceAccount", "beat-account"))).not.toContain("eks.amazonaws.com");
    });

    it("the stack's own cluster is private except for the named addresses, encrypted and audited", () => {
        expect(inputsOf(fresh, "Cluster", "aws-eks")).toMatchObject({
            vpcConfig: {
                endpointPrivateAccess: true,
                endpointPublicAccess: true,
                publicAccessCidrs: ["198.51.100.7/32"],
            },
            encryptionConfig: { resources: ["secrets"] },
            enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
            deletionProtection: true,
            accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: false },
        });
        expect(inputsOf(fresh, "LaunchTemplate", "aws-eks-nodes")).toMatchObject({
            metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
            blockDeviceMappings: [{ ebs: { encrypted: "true" } }],
        });
        expect(inputsOf(fresh, "NodeGroup", "aws-eks-nodes")).toMatchObject({ amiType: "AL2023_ARM_64_STANDARD" });
        // An autoscaler owns their number.
        expect(only(fresh, "NodeGroup", "aws-eks-nodes").options.ignored).toEqual(["scalingConfig.desiredSize"]);
        expect(inputsOf(fresh, "Addon", "aws-eks-vpc-cni")["configurationValues"]).toBe(
            '{"enableNetworkPolicy":"true"}',
        );
        expect(inputsOf(fresh, "Addon", "aws-eks-kube-proxy")["addonVersion"]).toBe("v1.37.0-eksbuild.1");
        const kubeconfig = inputsOf(fresh, "kubernetes", "cluster")["kubeconfig"];
        expect(kubeconfig).toContain('"eks","get-token","--region","eu-central-1","--cluster-name","orcheo-prod"');
    });

    it("the nodes' version is the cluster's or their own, and an add-on's may be pinned", async () => {
        expect(inputsOf(fresh, "NodeGroup", "aws-eks-nodes")["version"]).toBe("1.37");
        const { aws } = everythingNew as { aws: { cluster: { nodes: object } } };
        const behind = { ...aws.cluster.nodes, version: "1.36" };
        const cluster = { ...aws.cluster, nodes: behind, addonVersions: { "kube-proxy": "v1.36.2-eksbuild.3" } };
        const run = await ran({ stack: "prod", settings: { ...everythingNew, aws: { ...aws, cluster } } });
        expect(inputsOf(run, "Cluster", "aws-eks")["version"]).toBe("1.37");
        expect(inputsOf(run, "NodeGroup", "aws-eks-nodes")["version"]).toBe("1.36");
        const addon = (name: string) => inputsOf(run, "Addon", `aws-eks-${name}`)["addonVersion"];
        expect([addon("kube-proxy"), addon("coredns")]).toEqual(["v1.36.2-eksbuild.3", "v1.37.0-eksbuild.1"]);
    }, 60_000);

    it("a cluster autoscaler has an identity where the settings ask for it", async () => {
        const association = inputsOf(fresh, "PodIdentityAssociation", "aws-eks-autoscaler");
        expect(association).toEqual({
            clusterName: "orcheo-prod",
            namespace: "kube-system",
            serviceAccount: "cluster-autoscaler",
            roleArn: only(fresh, "Role", "aws-eks-autoscaler-role").state["arn"],
        });
        const trust = String(inputsOf(fresh, "Role", "aws-eks-autoscaler-role")["assumeRolePolicy"]);
        expect(trust).toContain('"aws:RequestTag/kubernetes-service-account":"cluster-autoscaler"');
        expect(names(await ran(programNamed("Auto Mode")), "Role")).not.toContain("aws-eks-autoscaler-role");
    }, 60_000);

    it("nodes wait for the add-ons that they need, and the other add-ons for nodes", () => {
        const after = (kindOf: string, name: string) => only(fresh, kindOf, name).options.after;
        expect(after("NodeGroup", "aws-eks-nodes").filter((each) => each === "Addon")).toHaveLength(3);
        for (const first of ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"])
            expect(after("Addon", `aws-eks-${first}`), first).toEqual([]);
        for (const later of ["coredns", "metrics-server"])
            expect(after("Addon", `aws-eks-${later}`), later).toEqual(["NodeGroup"]);
    });

    it("the stack's own cluster creates encrypted volumes if pods request one, and only then", async () => {
        expect(names(fresh, "StorageClass")).toEqual([]);
        expect(names(fresh, "Addon")).not.toContain("aws-eks-aws-ebs-csi-driver");
        const cache = { kind: "valkey" };
        const managed = await ran({ stack: "prod", settings: { ...everythingNew, cache } });
        expect(inputsOf(managed, "Addon", "aws-eks-aws-ebs-csi-driver")["podIdentityAssociations"]).toEqual([
            {
                serviceAccount: "ebs-csi-controller-sa",
                roleArn: "arn:aws:iam::111122223333:role/orcheo-prod-volumes-20260101",
            },
        ]);
        const trust = String(inputsOf(managed, "Role", "aws-eks-volumes-role")["assumeRolePolicy"]);
        expect(trust).toContain('"aws:RequestTag/kubernetes-service-account":"ebs-csi-controller-sa"');
        const encrypted = { parameters: { type: "gp3", encrypted: "true" }, reclaimPolicy: "Retain" };
        expect(inputsOf(managed, "StorageClass", "cluster-storage")).toMatchObject({
            ...encrypted,
            provisioner: "ebs.csi.aws.com",
        });
        expect(inputsOf(managed, "PersistentVolumeClaim", "valkey-data")["spec"]).toMatchObject({
            storageClassName: "orcheo-gp3",
        });
        const auto = programNamed("Auto Mode").settings as object;
        const itself = await ran({ stack: "prod", settings: { ...auto, cache } });
        expect(inputsOf(itself, "StorageClass", "cluster-storage")["provisioner"]).toBe("ebs.csi.eks.amazonaws.com");
        expect(names(itself, "Addon")).not.toContain("aws-eks-aws-ebs-csi-driver");
        const theirs = { kind: "valkey", storageClass: "theirs" };
        const run = await ran({ stack: "prod", settings: { ...everythingNew, cache: theirs } });
        expect(names(run, "StorageClass")).toEqual([]);
    }, 60_000);

    it("AWS Backup includes database and bucket, whatever the account has opted in to, and missing data raises an alarm", () => {
        expect(inputsOf(fresh, "Selection", "aws-backup-selection")).toMatchObject({
            resources: ["arn:aws:rds:*:*:db:*", "arn:aws:rds:*:*:cluster:*", "arn:aws:s3:::*"],
            conditions: [{ stringEquals: [{ key: "aws:ResourceTag/Backup", value: "orcheo-prod" }] }],
        });
        expect(inputsOf(fresh, "Cluster", "postgres")["tags"]).toMatchObject({ Backup: "orcheo-prod" });
        expect(inputsOf(fresh, "Bucket", "aws-bucket")["tags"]).toMatchObject({ Backup: "orcheo-prod" });
        expect(inputsOf(fresh, "MetricAlarm", "orcheo-prod-backup-missing")).toMatchObject({
            metricName: "NumberOfBackupJobsCompleted",
            period: 86_400,
            evaluationPeriods: 2,
            treatMissingData: "breaching",
        });
    });

    it("recovery points are copied to a vault in another region, under a key of that region, and to another account's", async () => {
        const run = await ran(programNamed("copies of backups"));
        expect(inputsOf(run, "Key", "aws-backup-eu-west-1-key")).toMatchObject({
            region: "eu-west-1",
            enableKeyRotation: true,
        });
        expect(inputsOf(run, "Vault", "aws-backup-eu-west-1-vault")).toEqual({
            region: "eu-west-1",
            name: "orcheo-prod",
            kmsKeyArn: only(run, "Key", "aws-backup-eu-west-1-key").state["arn"],
        });
        for (const kept of [
            only(run, "Vault", "aws-backup-eu-west-1-vault"),
            only(run, "Key", "aws-backup-eu-west-1-key"),
        ])
            expect(kept.options).toMatchObject({ protect: true, retainOnDelete: true });
        const own = "arn:aws:backup:eu-west-1:111122223333:backup-vault:orcheo-prod";
        const rules = inputsOf(run, "Plan", "aws-backup-plan")["rules"] as {
            copyActions: unknown;
            lifecycle: unknown;
        }[];
        expect(rules).toHaveLength(2);
        for (const { copyActions, lifecycle } of rules)
            expect(copyActions).toEqual(
                [own, otherVault].map((destinationVaultArn) => ({ destinationVaultArn, lifecycle })),
            );
        // Nothing else is where the copies are.
        const elsewhere = run.resources.filter((each) => isAws(each) && "region" in each.inputs);
        expect(elsewhere.map(({ name }) => name).sort()).toEqual(
            ["key", "key-alias", "vault"].map((each) => `aws-backup-eu-west-1-${each}`),
        );
        const [, rule] = inputsOf(fresh, "Plan", "aws-backup-plan")["rules"] as object[];
        expect(rule).not.toHaveProperty("copyActions");
    }, 60_000);

    it("blue/green updates of an instance have logical replication, and others none", async () => {
        const parameters = (run: Run) => {
            const { parameters: all } = inputsOf(run, "ParameterGroup", "postgres-parameters");
            return (all as { name: string }[]).filter(({ name }) => name === "rds.logical_replication");
        };
        const run = await ran(programNamed("copies of backups, blue/green updates"));
        expect(parameters(run)).toEqual([
            { name: "rds.logical_replication", value: "1", applyMethod: "pending-reboot" },
        ]);
        expect(inputsOf(run, "Instance", "postgres")["blueGreenUpdate"]).toEqual({ enabled: true });
        expect(parameters(await ran({ stack: "prod", settings: settingsOf("prod") }))).toEqual([]);
    }, 60_000);

    it("the stack's own network has a public subnet for gateways in each zone, and nodes in private subnets", () => {
        const zoneOf = (name: string) => inputsOf(fresh, "Subnet", name)["availabilityZone"];
        const subnets = names(fresh, "Subnet");
        expect(subnets.map(zoneOf).sort()).toEqual([...zones, ...zones].sort());
        const cidrs = subnets.map((name) => inputsOf(fresh, "Subnet", name)["cidrBlock"]);
        expect(new Set(cidrs).size).toBe(6);
        expect(names(fresh, "NatGateway")).toHaveLength(3);
        for (const [type, name, key] of [
            ["Cluster", "aws-eks", "vpcConfig"],
            ["NodeGroup", "aws-eks-nodes", "subnetIds"],
            ["SubnetGroup", "postgres-subnets", "subnetIds"],
            ["SubnetGroup", "valkey-subnets", "subnetIds"],
        ] as const) {
            const used = stringsIn(inputsOf(fresh, type, name)[key]).filter((each) => each.startsWith("aws-network"));
            expect(used, name).toEqual(zones.map((zone) => `aws-network-private-${zone}-id`));
        }
        const routed = zones.map((zone) => inputsOf(fresh, "RouteTable", `aws-network-private-${zone}`)["routes"]);
        expect(routed).toEqual(
            zones.map((zone) => [{ cidrBlock: "0.0.0.0/0", natGatewayId: `aws-network-nat-${zone}-id` }]),
        );
    });

    it("Auto Mode runs nodes itself, and enforces network policies because the stack enables them", async () => {
        const run = await ran(programNamed("Auto Mode"));
        expect(names(run, "NodeGroup")).toEqual([]);
        expect(inputsOf(run, "Cluster", "aws-eks")).toMatchObject({
            computeConfig: { enabled: true },
            storageConfig: { blockStorage: { enabled: true } },
            kubernetesNetworkConfig: { elasticLoadBalancing: { enabled: true } },
        });
        expect(inputsOf(run, "ConfigMap", "network-enforcement")["data"]).toEqual({
            "enable-network-policy-controller": "true",
        });
        expect(names(fresh, "ConfigMap")).not.toContain("network-enforcement");
        // Each node answers DNS itself at the address of the Service: no pod does.
        const out = (of: typeof run) => JSON.stringify(inputsOf(of, "NetworkPolicy", "network-backend-out"));
        expect(out(run)).toContain('{"ipBlock":{"cidr":"172.20.0.10/32"}}');
        expect(out(fresh)).not.toContain("172.20.0.10");
    }, 60_000);

    it("a managed Prometheus has the stack's rules, tells the alarms' topic of their alerts, and is written to by one service account", async () => {
        const program = programNamed("a managed Prometheus");
        const run = await ran(program);
        const workspace = only(run, "Workspace", "aws-prometheus");
        expect(plain(workspace.inputs)).toEqual({
            alias: "orcheo-prod",
            kmsKeyArn: only(run, "Key", "aws-data-key").state["arn"],
            loggingConfiguration: {
                logGroupArn: `${String(only(run, "LogGroup", "aws-prometheus-logs").state["arn"])}:*`,
            },
        });
        for (const kept of [workspace, only(run, "LogGroup", "aws-prometheus-logs")])
            expect(kept.options).toMatchObject({ protect: true, retainOnDelete: true });
        expect(inputsOf(run, "WorkspaceConfiguration", "aws-prometheus-retention")).toEqual({
            workspaceId: workspace.id,
            retentionPeriodInDays: 150,
        });
        const { "rules.yaml": rules } = inputsOf(run, "ConfigMap", "monitoring-rules")["data"] as Record<
            string,
            string
        >;
        expect(inputsOf(run, "RuleGroupNamespace", "aws-prometheus-rules")).toEqual({
            workspaceId: workspace.id,
            name: "orcheo-prod",
            data: rules,
        });
        expect(rules).toContain("OrcheoApiDown");

        const topic = String(only(run, "Topic", "aws-monitoring-topic").state["arn"]);
        const alerts = only(run, "AlertManagerDefinition", "aws-prometheus-alerts");
        expect(plain(alerts.inputs)).toMatchObject({ definition: expect.stringContaining(topic) as string });
        expect(alerts.options.after).toContain("TopicPolicy");
        expect(inputsOf(run, "TopicPolicy", "aws-monitoring-topic-policy")["policy"]).toContain(
            `"aws:SourceArn":"${String(workspace.state["arn"])}"`,
        );

        const role = only(run, "Role", "aws-prometheus-writer");
        expect(inputsOf(run, "PodIdentityAssociation", "aws-prometheus-writer-opentelemetry-collector")).toMatchObject({
            namespace: "monitoring",
            serviceAccount: "opentelemetry-collector",
            roleArn: role.state["arn"],
        });
        expect(run.outputs).toMatchObject({
            prometheusRemoteWriteUrl: `https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-aws-prometheus/api/v1/remote_write`,
            prometheusWriterRoleArn: role.state["arn"],
        });
        expect(names(fresh, "Workspace")).toEqual([]);
        expect(String(inputsOf(fresh, "TopicPolicy", "aws-monitoring-topic-policy")["policy"])).not.toContain("aps.");
    }, 60_000);

    it("the vault's key is read by the backend alone, and backups are written below one prefix", () => {
        const { Statement } = JSON.parse(String(inputsOf(fresh, "Key", "aws-vault-key")["policy"])) as {
            Statement: { Sid: string; Principal: { AWS: unknown }; Action: string | string[] }[];
        };
        const decrypts = Statement.filter(({ Action }) =>
            [Action].flat().some((each) => /^kms:(\*|Decrypt)/.test(each)),
        );
        expect(decrypts.map(({ Principal }) => Principal.AWS)).toEqual([
            ["arn:aws:iam::111122223333:role/orcheo-deploy"],
            "arn:aws:iam::111122223333:role/orcheo-prod-backend-20260101",
        ]);
        const backup = String(inputsOf(fresh, "RolePolicy", "aws-backup-job-policy")["policy"]);
        expect(backup).toContain('"Resource":"arn:aws:s3:::orcheo-prod-data-111122223333/backups/*"');
        expect(backup).not.toMatch(/s3:(Get|Delete|List(?!MultipartUploadParts))/);
    });

    it("resources that cannot be recreated are protected and retained", () => {
        const kept = fresh.resources.filter(isAws).filter(({ options }) => options.protect);
        expect(kept.map(({ name }) => name).sort()).toEqual(
            [
                ...["aws-backup-vault", "aws-bucket", "aws-data-key", "aws-eks", "aws-vault", "aws-vault-key"],
                ...["backend", "backup", "canvas", "postgres", "valkey"].map((image) => `aws-images-${image}`),
                ...["postgres", "postgres-stored", "valkey", "valkey-stored", "aws-network"],
                ...zones.flatMap((zone) => [`aws-network-private-${zone}`, `aws-network-public-${zone}`]),
                ...["aws-eks-logs", "aws-network-flow", "postgres-log-postgresql", "postgres-log-upgrade"],
                ...["valkey-engine-log", "valkey-slow-log"],
            ].sort(),
        );
        expect(kept.filter(({ options }) => !options.retainOnDelete)).toEqual([]);
    });

    it("whatever a destroy leaves stays in the state, so that the next update does not create what is there", () => {
        const left = fresh.resources.filter(isAws).filter(({ options }) => options.retainOnDelete && !options.protect);
        // A further version of a secret is none that is there.
        expect([...new Set(left.map(({ type }) => type))]).toEqual(["aws:secretsmanager/secretVersion:SecretVersion"]);
    });
});

describe("a rotation", () => {
    async function generation(passwordGeneration: number): Promise<Run> {
        const settings = settingsOf("prod");
        const rotated = (section: string) => ({ ...(settings[section] as object), passwordGeneration });
        return runOnce(
            { stack: "prod", settings: { ...settings, database: rotated("database"), cache: rotated("cache") } },
            false,
        );
    }
    const keepers = (run: Run, server: string) =>
        names(run, "RandomPassword")
            .filter((name) => name.startsWith(`${server}-password`))
            .map((name) => [name, inputsOf(run, "RandomPassword", name)["keepers"]]);

    it("changes only the unused slot, and running pods keep a valid password", async () => {
        const [first, second, third] = [await generation(1), await generation(2), await generation(3)];
        for (const server of ["postgres", "valkey"]) {
            const [a, b] = [`${server}-password-a`, `${server}-password-b`];
            expect(keepers(first, server)).toEqual([[a, { generation: "1" }]]);
            expect(Object.fromEntries(keepers(second, server))).toEqual({
                [a]: { generation: "1" },
                [b]: { generation: "2" },
            });
            expect(Object.fromEntries(keepers(third, server))).toEqual({
                [a]: { generation: "3" },
                [b]: { generation: "2" },
            });
        }
        const dsn = (run: Run) =>
            plain(inputsOf(run, "Secret", "backend-secret")["stringData"] as Record<string, unknown>)["postgres-dsn"];
        expect([dsn(first), dsn(second), dsn(third)].map((each) => /orcheo_[ab]/.exec(String(each))?.[0])).toEqual([
            "orcheo_a",
            "orcheo_b",
            "orcheo_a",
        ]);
        expect(inputsOf(second, "User", "valkey-user")["passwords"]).toEqual([
            `${secretMark}-valkey-password-b`,
            `${secretMark}-valkey-password-a`,
        ]);
        const sql = plain(inputsOf(second, "Secret", "postgres-users-secret")["stringData"] as Record<string, unknown>);
        expect(sql["users.sql"]).toContain(`ALTER ROLE orcheo_a LOGIN PASSWORD '${secretMark}-postgres-password-a';`);
        expect(inputsOf(second, "Instance", "postgres")).toEqual(inputsOf(first, "Instance", "postgres"));
    });
});
