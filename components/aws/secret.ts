import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface StoredSecretArgs {
    /** Name in Secrets Manager, which External Secrets and people go by. */
    readonly path: string;
    readonly description: string;
    readonly keyArn: pulumi.Input<string>;
    readonly value: pulumi.Input<string>;
}

/** A value in Secrets Manager, recoverable for 30 days after deletion; protected, and retained on delete. */
export function storedSecret(
    name: string,
    { path, description, keyArn, value }: StoredSecretArgs,
    opts: pulumi.CustomResourceOptions,
): aws.secretsmanager.Secret {
    const secret = new aws.secretsmanager.Secret(
        name,
        { name: path, description, kmsKeyId: keyArn, recoveryWindowInDays: 30 },
        { ...opts, protect: true, retainOnDelete: true },
    );
    new aws.secretsmanager.SecretVersion(
        `${name}-value`,
        { secretId: secret.id, secretString: pulumi.secret(value) },
        { ...opts, retainOnDelete: true },
    );
    return secret;
}
