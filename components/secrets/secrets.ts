import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Stack } from "../config/schema";
import type { ApplicationKey } from "./secrets.plan";

/**
 * Random secrets, made once and kept in the stack's encrypted state. What cannot be made again without losing data or
 * access is protected: the vault key (credentials), the Postgres password, the bootstrap token.
 *
 * Each consumer gets its own Secret; auto-naming makes a changed value roll the pods that mount it.
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
