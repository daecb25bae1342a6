/** What pods may do in AWS by the policies that the program creates: tests/aws/iam.py evaluates them in front of moto. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "vitest";

import { account } from "../../aws-mocks.ts";
import { administer, aws, ofPods, withServiceAccounts, type Command, type Variables } from "./cli.ts";

async function allowed(pods: Variables, commands: readonly Command[]): Promise<void> {
    for (const [index, { ok, said }] of (await aws(pods, commands)).entries())
        expect(ok, `aws ${commands[index]?.join(" ") ?? ""}: ${said}`).toBe(true);
}

/** Each is refused for want of the permission before it. */
async function refused(pods: Variables, commands: readonly (readonly [string, Command])[]): Promise<void> {
    const answers = await aws(
        pods,
        commands.map(([, command]) => command),
    );
    expect(answers).toHaveLength(commands.length);
    for (const [index, { ok, said }] of answers.entries()) {
        const [action = "", command = []] = commands[index] ?? [];
        expect(ok, `aws ${command.join(" ")}`).toBe(false);
        expect(said, command.join(" ")).toContain(`is not authorized to perform: ${action} on resource`);
    }
}

/**
 * The identities of a stack that has just been created.
 *
 * @param name  `aws.name`
 * @param namespace  the stack's, which does not exist yet
 * @param folder  for files
 */
export async function podsMayDoTheirOwn(name: string, namespace: string, folder: string): Promise<void> {
    const file = join(folder, "dump");
    await writeFile(file, "a dump");
    const bucket = ["--bucket", `${name}-data-${account}`];
    const s3 = (operation: string, ...words: Command): Command => ["s3api", operation, ...bucket, ...words];
    const put = (key: string, ...words: Command): Command => s3("put-object", "--key", key, "--body", file, ...words);
    const read = (secret: string): Command => ["secretsmanager", "get-secret-value", "--secret-id", secret];
    const encryptedWith = (key: string): Command => [
        ...["--server-side-encryption", "aws:kms", "--ssekms-key-id"],
        `alias/${name}-${key}`,
    ];
    const kms = (operation: string, ...words: Command): Command => [
        ...["kms", operation, "--key-id", `alias/${name}-vault`],
        ...words,
    ];
    await administer("secretsmanager", "create-secret", "--name", "another", "--secret-string", "not theirs");
    const blob = await administer(...kms("encrypt", "--plaintext", "dGV4dA=="), "--query", "CiphertextBlob");
    const decrypt = kms("decrypt", "--ciphertext-blob", blob.replaceAll('"', ""));

    await withServiceAccounts(namespace, ["api", "backup", "beat"], async () => {
        const backup = await ofPods(name, namespace, "backup");
        await allowed(backup, [put("backups/one"), put("backups/two", ...encryptedWith("data"))]);
        await refused(backup, [
            ["s3:GetObject", s3("get-object", "--key", "backups/one", join(folder, "read"))],
            ["s3:DeleteObject", s3("delete-object", "--key", "backups/one")],
            ["s3:ListBucket", s3("list-objects-v2")],
            ["s3:ListBucketVersions", s3("list-object-versions")],
            ["s3:PutObject", put("elsewhere/one")],
            ["s3:PutBucketVersioning", s3("put-bucket-versioning", "--versioning-configuration", "Status=Suspended")],
            ["kms:GenerateDataKey", put("backups/one", ...encryptedWith("vault"))],
            ["secretsmanager:GetSecretValue", read(`${name}/vault`)],
        ]);

        const backend = await ofPods(name, namespace, "api");
        const [vault] = await aws(backend, [read(`${name}/vault`)]);
        expect(vault?.said).toContain("vault-encryption-key");
        await refused(backend, [
            ["secretsmanager:GetSecretValue", read("another")],
            ["secretsmanager:ListSecrets", ["secretsmanager", "list-secrets"]],
            [
                "secretsmanager:PutSecretValue",
                ["secretsmanager", "put-secret-value", "--secret-id", `${name}/vault`, "--secret-string", "lost"],
            ],
            // Only Secrets Manager decrypts with it for them.
            ["kms:Decrypt", decrypt],
            ["s3:GetObject", s3("get-object", "--key", "backups/one", join(folder, "read"))],
            ["s3:PutObject", put("backups/three")],
            ["ec2:DescribeVpcs", ["ec2", "describe-vpcs"]],
        ]);

        await expect(ofPods(name, namespace, "beat")).rejects.toThrow("no association for the service account");
        const associations = ["eks", "list-pod-identity-associations", "--cluster-name", name];
        const ofBackup = "associations[?serviceAccount=='backup'].associationId";
        const id = await administer(...associations, "--query", ofBackup, "--output", "text");
        const described = ["eks", "describe-pod-identity-association", "--cluster-name", name, "--association-id", id];
        const role = await administer(...described, "--query", "association.roleArn", "--output", "text");
        const create = ["eks", "create-pod-identity-association", "--cluster-name", name, "--namespace", namespace];
        const beat = ["--service-account", "beat", "--role-arn", role, "--query", "association.associationId"];
        const association = await administer(...create, ...beat, "--output", "text");
        await expect(ofPods(name, namespace, "beat")).rejects.toThrow("the role's trust policy does not allow");
        await administer(
            ...["eks", "delete-pod-identity-association", "--cluster-name", name],
            ...["--association-id", association],
        );
    });
}
