import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import type { PodRole } from "./identities";
import { keyOf } from "./keys";
import { planBackendPolicy, planVaultKey } from "./policies.plan";
import { storedSecret } from "./secret";

export interface VaultKeyArgs {
    readonly settings: Aws;
    readonly backend: PodRole;
    /** What Orcheo encrypts credentials with. */
    readonly value: pulumi.Output<string>;
}

/** The key of Orcheo's vault in Secrets Manager, under its own KMS key that only the backend reads with. */
export function vaultKey(
    name: string,
    { settings, backend, value }: VaultKeyArgs,
    opts: pulumi.CustomResourceOptions,
): aws.secretsmanager.Secret {
    const keyArn = keyOf(
        `${name}-key`,
        {
            existing: settings.keys.vaultKeyArn,
            alias: `${settings.name}-vault`,
            description: "Orcheo: the key of the vault, for the backend alone",
            policy: planVaultKey(settings, backend.roleArn),
        },
        opts,
    );
    const secret = storedSecret(
        name,
        {
            path: `${settings.name}/vault`,
            description: "Encrypts the credentials in Orcheo's vault",
            keyArn,
            value: pulumi.jsonStringify({ "vault-encryption-key": value }),
        },
        opts,
    );
    const access = planBackendPolicy(settings, { secretArn: secret.arn, keyArn });
    backend.allow(`${name}-access`, access, opts);
    return secret;
}
