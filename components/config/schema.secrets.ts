/** Settings of where Orcheo's own secrets come from. Those of the database and the cache belong to these. */
import { z } from "zod";
import { choice, kind, objectName, oneOf, secretKey, whole, words } from "./fields";

const rotation = oneOf([
    z.strictObject({
        kind: kind("onUpdate"),
        generation: words("any text")
            .default("1")
            .describe("Another value restarts, with the next `pulumi up`, the pods that read the secrets."),
    }),
    z.strictObject({ kind: kind("reloader") }),
])
    .prefault({ kind: "onUpdate" })
    .describe(
        "What restarts the pods when a value changes: the next update, or Stakater Reloader, which is installed.",
    );

const key = (file: string) => secretKey().default(file);
const remote = (doc: string) =>
    z
        .strictObject({
            key: words("the name of a secret in the store").describe(`${doc}: name or ARN in the store.`),
            property: words("a key of its JSON").optional().describe("Key, when the value is a JSON object."),
            version: words("a version").optional().describe("Version or stage; default the current one."),
        })
        .describe(`${doc}.`);

const docs = {
    vaultEncryptionKey:
        "Key of the credential vault, 64 hex digits with at least one letter; changing it makes the stored credentials unreadable",
    authBootstrapServiceToken: "Token of the first call",
    authJwtSecret: "Key that signs sessions",
    chatkitTokenSigningKey: "Key that signs ChatKit's tokens",
};

export const secrets = oneOf([
    z.strictObject({ kind: kind("pulumi") }),
    z.strictObject({
        kind: kind("existing"),
        name: objectName().describe("Secret of the namespace that holds all four values."),
        keys: z
            .strictObject({
                vaultEncryptionKey: key("vault-encryption-key").describe(`${docs.vaultEncryptionKey}.`),
                authBootstrapServiceToken: key("auth-bootstrap-service-token").describe(
                    `${docs.authBootstrapServiceToken}.`,
                ),
                authJwtSecret: key("auth-jwt-secret").describe(`${docs.authJwtSecret}.`),
                chatkitTokenSigningKey: key("chatkit-token-signing-key").describe(`${docs.chatkitTokenSigningKey}.`),
            })
            .prefault({})
            .describe("Its keys."),
        rotation,
    }),
    z.strictObject({
        kind: kind("externalSecrets"),
        store: z
            .strictObject({
                scope: choice(["namespace", "cluster"])
                    .default("namespace")
                    .describe("A SecretStore of the namespace, or a ClusterSecretStore."),
                name: objectName().describe("Its name."),
            })
            .describe("Store of the External Secrets Operator, such as one for AWS Secrets Manager."),
        refreshMinutes: whole(1, 10_080).default(60).describe("How often the store is asked, minutes."),
        values: z
            .strictObject({
                vaultEncryptionKey: remote(docs.vaultEncryptionKey),
                authBootstrapServiceToken: remote(docs.authBootstrapServiceToken),
                authJwtSecret: remote(docs.authJwtSecret),
                chatkitTokenSigningKey: remote(docs.chatkitTokenSigningKey),
            })
            .describe("Where each value is."),
        rotation,
    }),
])
    .prefault({ kind: "pulumi" })
    .describe(
        "Orcheo's own secrets: made once and kept in the encrypted state, in a Secret that is there, or in a store that the External Secrets Operator reads.",
    );
