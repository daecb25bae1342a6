/** Who may do what by the stack's own policy documents, each statement as a sentence: nothing may be added unseen. */
import { output } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { planTrust, serviceAccountsOf } from "../../../components/aws/identities.plan";
import {
    planAutoscalerPolicy,
    planBackendPolicy,
    planBackupPolicy,
    planBucketPolicy,
    planCopiesKey,
    planDataKey,
    planTopicPolicy,
    planVaultKey,
    planWriterPolicy,
    servicePolicy,
} from "../../../components/aws/policies.plan";
import type { Aws } from "../../../components/config/schema.aws";
import { parseStack } from "../../../components/stack/read";
import { everythingExisting, measured, otherVault } from "../../aws-programs";
import { settingsOf } from "../../harness";

function awsOf(settings: object): Aws {
    const { stack, problems } = parseStack({ stack: "prod", keys: [], json: JSON.stringify(settings), secret: true });
    if (stack?.aws === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack.aws;
}
const aws = awsOf(settingsOf("prod"));

const known = (value: unknown): Promise<unknown> =>
    new Promise((done) => {
        output(value as object).apply(done);
    });

/** Such as `Allow {"AWS":"root"}: kms:* on * if {…}`. */
async function sentences(statements: unknown): Promise<readonly string[]> {
    const all = (await known(statements)) as Record<string, unknown>[];
    return all.map(({ Effect, Principal, Action, Resource, Condition, ...rest }) => {
        expect(Object.keys(rest).filter((key) => key !== "Sid")).toEqual([]);
        const who = Principal === undefined ? "" : ` ${JSON.stringify(Principal)}`;
        const listed = (one: unknown): string => ([one].flat() as string[]).join(" ");
        const what = `${String(Effect)}${who}: ${listed(Action)}`;
        const where = Resource === undefined ? "" : ` on ${listed(Resource)}`;
        return `${what}${where}${Condition === undefined ? "" : ` if ${JSON.stringify(Condition)}`}`;
    });
}

const region = "eu-central-1";
const account = "111122223333";
const root = `{"AWS":"arn:aws:iam::${account}:root"}`;
const via = `{"StringEquals":{"kms:ViaService":"secretsmanager.${region}.amazonaws.com","kms:CallerAccount":"${account}"}}`;
const ours = `{"StringEquals":{"aws:SourceAccount":"${account}"}}`;
const alarms = '{"Service":["cloudwatch.amazonaws.com","budgets.amazonaws.com"]}';

describe("a policy document", () => {
    it("of the data key: IAM of the account, its logs and its alarms", async () => {
        const logs = `{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:${region}:${account}:log-group:*"}}`;
        expect(await sentences(planDataKey(aws))).toEqual([
            `Allow ${root}: kms:* on *`,
            `Allow {"Service":"logs.${region}.amazonaws.com"}: kms:Decrypt kms:GenerateDataKey* kms:Encrypt kms:ReEncrypt* kms:DescribeKey on * if ${logs}`,
            `Allow ${alarms}: kms:Decrypt kms:GenerateDataKey* on * if ${ours}`,
        ]);
    });

    it("of the data key, with copies in another account: AWS Backup of that account alone", async () => {
        const copies = [{ kind: "vault", arn: otherVault }];
        const shared = awsOf({
            ...settingsOf("prod"),
            aws: { ...(settingsOf("prod")["aws"] as object), backupPlan: { copies } },
        });
        const own = await sentences(planDataKey(aws));
        const who = '{"AWS":["arn:aws:iam::444455556666:root"]}';
        const service = `"ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"]}`;
        expect((await sentences(planDataKey(shared))).slice(own.length)).toEqual([
            `Allow ${who}: kms:Decrypt kms:DescribeKey kms:GenerateDataKey* kms:ReEncrypt* on * if {${service}}`,
            `Allow ${who}: kms:CreateGrant on * if {${service},"Bool":{"kms:GrantIsForAWSResource":"true"}}`,
        ]);
        expect(await sentences(planCopiesKey(shared))).toEqual([`Allow ${root}: kms:* on *`]);
    });

    it("of the vault's key: written by the deployer and read by the backend, through Secrets Manager alone", async () => {
        const [administer, ...rest] = await sentences(planVaultKey(aws, "backend-role"));
        expect(rest).toEqual([
            `Allow {"AWS":["arn:aws:iam::${account}:role/orcheo-deploy"]}: kms:GenerateDataKey kms:Decrypt on * if ${via}`,
            `Allow {"AWS":"backend-role"}: kms:Decrypt on * if ${via}`,
        ]);
        expect(administer).toMatch(/^Allow \{"AWS":"arn:aws:iam::111122223333:root"\}: [\w:* ]+ on \*$/);
    });

    it("of the vault's key: previews read it too, and write nothing", async () => {
        const watch = `arn:aws:iam::${account}:role/orcheo-watch`;
        const watched = awsOf({
            ...settingsOf("prod"),
            aws: { ...(settingsOf("prod")["aws"] as object), watcherRoleArns: [watch] },
        });
        const naming = (await sentences(planVaultKey(watched, "backend-role"))).filter((each) => each.includes(watch));
        expect(naming).toEqual([`Allow {"AWS":["backend-role","${watch}"]}: kms:Decrypt on * if ${via}`]);
    });

    it.each([
        ...["Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "ReEncryptFrom"],
        ...["ReEncryptTo", "Sign", "DeriveSharedSecret", "CreateGrant"],
    ])("of the vault's key lets no administrator use it, nor give itself the use: kms:%s", (action) => {
        const [{ Action } = { Action: [] }] = planVaultKey(aws, "r");
        const names = [Action].flat() as string[];
        const granted = names.map((each) => new RegExp(`^${each.replaceAll("*", ".*")}$`));
        expect(granted.filter((each) => each.test(`kms:${action}`))).toEqual([]);
        expect(granted.some((each) => each.test("kms:PutKeyPolicy"))).toBe(true);
    });

    it("of the backend: the vault's key and nothing else", async () => {
        expect(await sentences(planBackendPolicy(aws, { secretArn: "secret", keyArn: "key" }))).toEqual([
            "Allow: secretsmanager:GetSecretValue on secret",
            `Allow: kms:Decrypt on key if ${via}`,
        ]);
    });

    it("of the backup: it adds dumps, and reads and deletes none", async () => {
        expect(await sentences(planBackupPolicy({ arn: "bucket", keyArn: "key" }, region))).toEqual([
            "Allow: s3:PutObject s3:AbortMultipartUpload s3:ListMultipartUploadParts on bucket/backups/*",
            `Allow: kms:GenerateDataKey kms:Decrypt on key if {"StringEquals":{"kms:ViaService":"s3.${region}.amazonaws.com"}}`,
        ]);
    });

    it("of the cluster autoscaler: it sees all groups of nodes, and scales those of the cluster", async () => {
        const [sees, ...rest] = await sentences(planAutoscalerPolicy(aws));
        expect(sees).toMatch(/^Allow:( (autoscaling|ec2):(Describe|Get)\w+)+ on \*$/);
        expect(rest).toEqual([
            `Allow: eks:DescribeNodegroup on arn:aws:eks:${region}:${account}:nodegroup/orcheo-prod/*`,
            `Allow: autoscaling:SetDesiredCapacity autoscaling:TerminateInstanceInAutoScalingGroup on ` +
                `arn:aws:autoscaling:${region}:${account}:autoScalingGroup:*:autoScalingGroupName/eks-* if ` +
                `{"StringEquals":{"aws:ResourceTag/k8s.io/cluster-autoscaler/orcheo-prod":"owned"}}`,
        ]);
    });

    it("of the bucket: nobody without TLS 1.2", async () => {
        expect(await sentences(planBucketPolicy("bucket"))).toEqual([
            'Deny "*": s3:* on bucket bucket/* if {"Bool":{"aws:SecureTransport":"false"}}',
            'Deny "*": s3:* on bucket bucket/* if {"NumericLessThan":{"s3:TlsVersion":"1.2"}}',
        ]);
    });

    it("of the alarms' topic: this account's alarms and budgets", async () => {
        expect(await sentences(planTopicPolicy("topic", account))).toEqual([
            `Allow ${alarms}: sns:Publish on topic if ${ours}`,
        ]);
    });

    it("with a managed Prometheus: its workspace to the topic, the account through it to the data key, its writer to it alone", async () => {
        const withMetrics = await sentences(planDataKey(awsOf(measured)));
        const via = `{"StringEquals":{"kms:ViaService":"aps.${region}.amazonaws.com","kms:CallerAccount":"${account}"}}`;
        const { length } = await sentences(planDataKey(aws));
        expect(withMetrics.slice(length - 1)).toEqual([
            `Allow {"Service":["cloudwatch.amazonaws.com","budgets.amazonaws.com","aps.amazonaws.com"]}: kms:Decrypt kms:GenerateDataKey* on * if ${ours}`,
            `Allow {"AWS":"*"}: kms:DescribeKey kms:CreateGrant kms:GenerateDataKey kms:Decrypt on * if ${via}`,
        ]);
        const workspace = `{"StringEquals":{"aws:SourceAccount":"${account}"},"ArnEquals":{"aws:SourceArn":"workspace"}}`;
        expect(await sentences(planTopicPolicy("topic", account, "workspace"))).toEqual([
            `Allow ${alarms}: sns:Publish on topic if ${ours}`,
            `Allow {"Service":"aps.amazonaws.com"}: sns:Publish sns:GetTopicAttributes on topic if ${workspace}`,
        ]);
        expect(await sentences(planWriterPolicy("workspace"))).toEqual(["Allow: aps:RemoteWrite on workspace"]);
    });

    it("of a service's role: that service, for this account where it says so", async () => {
        const documents = [servicePolicy("rds.amazonaws.com", account), servicePolicy("rds.amazonaws.com")];
        const assume = 'Allow {"Service":"rds.amazonaws.com"}: sts:AssumeRole';
        const statements = documents.map(async (each) => {
            const { Version, Statement } = JSON.parse(String(await known(each))) as Record<string, unknown>;
            expect(Version).toBe("2012-10-17");
            return sentences(Statement);
        });
        expect(await Promise.all(statements)).toEqual([[`${assume} if ${ours}`], [assume]]);
    });

    it("of a pod's role: named accounts of one namespace of one cluster", async () => {
        const inputs = { settings: aws, clusterName: "orcheo-prod", namespace: "orcheo" };
        const tags = (accounts: string) =>
            `{"StringEquals":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:${region}:${account}:cluster/orcheo-prod","aws:RequestTag/kubernetes-namespace":"orcheo","aws:RequestTag/kubernetes-service-account":${accounts}}}`;
        const agent = 'Allow {"Service":"pods.eks.amazonaws.com"}: sts:AssumeRole sts:TagSession if';
        const trusts = Object.values(serviceAccountsOf).map((serviceAccount) =>
            planTrust({ ...inputs, serviceAccount }),
        );
        expect(await sentences(trusts)).toEqual([
            `${agent} ${tags('["api","init","worker"]')}`,
            `${agent} ${tags('["backup"]')}`,
        ]);
        const provider = `oidc.eks.${region}.amazonaws.com/id/0123`;
        const irsa = { ...inputs, settings: awsOf(everythingExisting) };
        expect(await sentences([planTrust({ ...irsa, serviceAccount: serviceAccountsOf.backup })])).toEqual([
            `Allow {"Federated":"arn:aws:iam::${account}:oidc-provider/${provider}"}: sts:AssumeRoleWithWebIdentity if ` +
                `{"StringEquals":{"${provider}:aud":"sts.amazonaws.com","${provider}:sub":["system:serviceaccount:orcheo:backup"]}}`,
        ]);
    });
});
