/** Where Orcheo's own secrets come from, and what happens when they change. */
import type { Input } from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { ExternalSecret } from "../kubernetes/custom-object";
import { objectLabels } from "../kubernetes/labels";

/** Orcheo's own secrets, which may live outside the stack. */
export const applicationKeys = [
    "vault-encryption-key",
    "auth-bootstrap-service-token",
    "auth-jwt-secret",
    "chatkit-token-signing-key",
] as const;
export type ApplicationKey = (typeof applicationKeys)[number];

type Settings = Stack["secrets"];
type External = Extract<Settings, { kind: "externalSecrets" }>;
type Elsewhere = Exclude<Settings, { kind: "pulumi" }>;
type Field = keyof External["values"];

/** Settings and the files that the image reads. */
const files: Readonly<Record<Field, ApplicationKey>> = {
    vaultEncryptionKey: "vault-encryption-key",
    authBootstrapServiceToken: "auth-bootstrap-service-token",
    authJwtSecret: "auth-jwt-secret",
    chatkitTokenSigningKey: "chatkit-token-signing-key",
};
const fields: readonly Field[] = [
    "vaultEncryptionKey",
    "authBootstrapServiceToken",
    "authJwtSecret",
    "chatkitTokenSigningKey",
];

/** The External Secrets Operator writes it; its readers get this name. */
export const externalName = "orcheo-application";

/** The key of each file in the Secret that is not the stack's own. */
export function keyNames(secrets: Elsewhere): Readonly<Record<ApplicationKey, string>> {
    const key = (field: Field) => (secrets.kind === "existing" ? secrets.keys[field] : files[field]);
    return {
        "vault-encryption-key": key("vaultEncryptionKey"),
        "auth-bootstrap-service-token": key("authBootstrapServiceToken"),
        "auth-jwt-secret": key("authJwtSecret"),
        "chatkit-token-signing-key": key("chatkitTokenSigningKey"),
    };
}

/** As Go writes it. The operator rewrites anything else, and then owns the field: the next update would be refused. */
function interval(minutes: number): string {
    const hours = Math.floor(minutes / 60);
    return `${hours > 0 ? `${hours}h` : ""}${minutes % 60}m0s`;
}

/** @see https://external-secrets.io/latest/api/externalsecret/ */
export function planExternalSecret(secrets: External, namespace: Input<string>): ExternalSecret {
    const labels = objectLabels();
    return {
        apiVersion: "external-secrets.io/v1",
        kind: "ExternalSecret",
        // The pods that mount it are declared once it is there.
        metadata: { name: externalName, namespace, labels, annotations: { "pulumi.com/waitFor": "condition=Ready" } },
        spec: {
            refreshInterval: interval(secrets.refreshMinutes),
            secretStoreRef: {
                kind: secrets.store.scope === "cluster" ? "ClusterSecretStore" : "SecretStore",
                name: secrets.store.name,
            },
            // Values deleted from the store by mistake remain in the cluster.
            target: { name: externalName, creationPolicy: "Owner", deletionPolicy: "Retain" },
            data: fields.map((field) => ({ secretKey: files[field], remoteRef: { ...secrets.values[field] } })),
        },
    };
}

/** Annotations of the Deployment and of its pods that bring about a restart. See docs/decisions/secret-rotation.md. */
export function planRotation(secrets: Settings): {
    readonly deployment: Readonly<Record<string, string>>;
    readonly pods: Readonly<Record<string, string>>;
} {
    if (secrets.kind === "pulumi") return { deployment: {}, pods: {} };
    const name = secrets.kind === "existing" ? secrets.name : externalName;
    return secrets.rotation.kind === "reloader"
        ? { deployment: { "secret.reloader.stakater.com/reload": name }, pods: {} }
        : { deployment: {}, pods: { "orcheo/secrets-generation": secrets.rotation.generation } };
}
