/** Settings of a Compose stack, given to the same plans as Kubernetes; marks stand for what `.env` decides. */
import type { DatabaseOf, CacheOf, Stack } from "../components/config/schema";
import type { Backup } from "../components/config/derived";
import { parseStack } from "../components/stack/read";
import type { File } from "./variables.plan";
import { reference } from "./variables.plan";

/** A value that the schema accepts and nobody has, and the variable that the file has in its place. */
const marks: Readonly<Record<string, (file: File) => string>> = {
    "https://issuer.mark.example/.well-known/openid-configuration": () =>
        "${ORCHEO_SIGN_IN_KEYS_URL:-${ORCHEO_SIGN_IN_ISSUER-}/.well-known/openid-configuration}",
    "https://issuer.mark.example": (file) => reference("ORCHEO_SIGN_IN_ISSUER", file),
    "https://store.mark.example": (file) => reference("ORCHEO_BACKUP_ENDPOINT", file),
    "host.mark.example": (file) => reference("ORCHEO_HOST", file),
    "client-mark": (file) => reference("ORCHEO_SIGN_IN_CLIENT_ID", file),
    "audience-mark": (file) => reference("ORCHEO_SIGN_IN_AUDIENCE", file),
    "bucket-mark": (file) => reference("ORCHEO_BACKUP_BUCKET", file),
    "region-mark": (file) => reference("ORCHEO_BACKUP_REGION", file),
};

/** The text with the variables in place of the marks; `${` of the variables is Compose's. */
export const withVariables = (text: string, file: File): string =>
    Object.entries(marks).reduce((here, [mark, variable]) => here.replaceAll(mark, () => variable(file)), text);

export const clientId = "orcheo-compose";
const signIn = {
    prod: {
        kind: "oidc",
        issuer: "https://issuer.mark.example",
        clientId: "client-mark",
        audience: "audience-mark",
    },
    dev: {
        kind: "oidc",
        issuer: "https://sign-in.localhost",
        clientId,
        audience: clientId,
        scopes: [
            ...["openid", "profile", "email", "workflows:read", "workflows:write", "workflows:execute"],
            ...["vault:read", "vault:write", "chatkit:session", "admin:tokens:read", "admin:tokens:write"],
        ],
        // Its certificate is for this name too; the other leads to this machine.
        jwksUrl: "https://sign-in:8443/jwks",
        authority: { kind: "file", path: "secrets/entrance-tls/ca.crt" },
    },
};

export type ComposeStack = Stack & {
    readonly database: DatabaseOf<"statefulset">;
    readonly cache: CacheOf<"valkey">;
    readonly backup: Backup;
};

/** Everything else has the schema's defaults, as on Kubernetes. */
export function stackOf(file: File): ComposeStack {
    const json = JSON.stringify({
        kubernetes: { context: "compose" },
        registry: { prefix: "docker.io/orcheo" },
        version: "0.0.0-compose",
        host: "host.mark.example",
        auth: { signIn: signIn[file], clientUploads: file === "dev" },
        backup: {
            kind: "s3",
            bucket: "bucket-mark",
            region: "region-mark",
            prefix: "backups/orcheo/",
            endpoint: "https://store.mark.example",
            credentials: { kind: "secret", name: "backup" },
        },
    });
    const { stack, problems } = parseStack({ stack: file, keys: ["orcheo:stack"], json, secret: false });
    if (stack === undefined || problems.length > 0)
        throw new Error(`compose/${file}.yaml: ${JSON.stringify(problems)}`);
    if (stack.database.kind !== "statefulset" || stack.cache.kind !== "valkey" || stack.backup === undefined)
        throw new Error("a Compose stack has its own database, cache and backups");
    return stack as ComposeStack;
}
