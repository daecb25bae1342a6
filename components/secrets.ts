import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { ApplicationKey } from "./backend/contract";
import type { Stack } from "./config/schema";
import { objectLabels } from "./labels";

export interface SecretsArgs {
    readonly namespace: pulumi.Input<string>;
    readonly version: string;
}

/**
 * Random secrets, made once and kept in the stack's encrypted state. What cannot be made again without losing data or
 * access is protected: the vault key (credentials), the Postgres password, the bootstrap token.
 *
 * Each consumer gets a Secret of its own; auto-naming makes a changed value roll the pods that mount it.
 */
export class Secrets extends pulumi.ComponentResource {
    readonly postgresPassword: pulumi.Output<string>;
    readonly valkeyPassword: pulumi.Output<string>;
    /** Orcheo's own, by the name of their file; undefined when they live elsewhere. */
    readonly application?: Readonly<Record<ApplicationKey, pulumi.Output<string>>>;

    constructor(
        name: string,
        { stack }: { readonly stack: Pick<Stack, "secrets"> },
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("orcheo:index:Secrets", name, {}, opts);
        const kept = { parent: this, protect: true };
        const password = { length: 40, special: false };
        const hex = { additionalSecretOutputs: ["hex", "base64"] };
        this.postgresPassword = new random.RandomPassword(`${name}-postgres`, password, kept).result;
        this.valkeyPassword = new random.RandomPassword(`${name}-valkey`, password, { parent: this }).result;
        if (stack.secrets.kind === "pulumi") {
            const bytes = (role: string, options: pulumi.CustomResourceOptions) =>
                new random.RandomBytes(`${name}-${role}`, { length: 32 }, { ...options, ...hex }).hex;
            this.application = {
                // 64 hex digits. Orcheo refuses a key without a letter; the runtime image checks that.
                "vault-encryption-key": bytes("vault", kept),
                "chatkit-token-signing-key": bytes("chatkit", { parent: this }),
                "auth-jwt-secret": bytes("jwt", { parent: this }),
                "auth-bootstrap-service-token": new random.RandomPassword(
                    `${name}-bootstrap`,
                    { length: 48, special: false },
                    kept,
                ).result,
            };
        }
        this.registerOutputs({});
    }
}

/** A Secret with the given files; its name changes with its content. */
export function secretOf(
    name: string,
    files: Readonly<Record<string, pulumi.Input<string>>>,
    { namespace, version }: SecretsArgs,
    opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret {
    const metadata = { namespace, labels: objectLabels(undefined, version) };
    return new k8s.core.v1.Secret(name, { metadata, type: "Opaque", stringData: { ...files } }, opts);
}
