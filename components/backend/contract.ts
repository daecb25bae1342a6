/** What the backend image (images/backend) asks of its pods. */
import { applicationKeys } from "../secrets/secrets.plan";

export type BackendRole = "init" | "api" | "worker" | "beat";

/** Files below /run/secrets/orcheo that the image reads at start. */
export const secretKeys = ["postgres-dsn", "redis-url", ...applicationKeys] as const;
export type SecretKey = (typeof secretKeys)[number];

/** Beat only dispatches: it needs no vault and signs nothing. */
export const keysOf: Readonly<Record<BackendRole, readonly SecretKey[]>> = {
    init: secretKeys,
    api: secretKeys,
    worker: ["postgres-dsn", "redis-url", "vault-encryption-key", "chatkit-token-signing-key"],
    beat: ["postgres-dsn", "redis-url"],
};

/** Those of a role's keys that are Orcheo's own. */
export const applicationKeysOf = (role: BackendRole) => applicationKeys.filter((key) => keysOf[role].includes(key));
