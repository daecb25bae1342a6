/** The embedded cluster's identity provider: its person and keys, its image and objects, and the stacks' clients. */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Toolchain } from "../toolchain/build.ts";
import { orcheoScopes, personScopes } from "./addons/sign-in/clients.ts";
import { newPassword } from "./addons/sign-in/password.ts";
import { newSecrets, secretsFile } from "./addons/sign-in/settings.ts";
import { fillIn, kubectl, retry } from "./cluster.ts";
import { ensureNodeImage } from "./node-image.ts";
import { type ClusterSpec, pathsOf } from "./spec.ts";

const PROGRAM = join(import.meta.dirname, "addons", "sign-in");
export const signInHost = "sign-in.localhost";
const NAMESPACE = "sign-in";
const USERNAME = "admin";

export interface SignIn {
    readonly issuer: string;
    readonly username: string;
    /** The command that prints the password. */
    readonly passwordCommand: string;
}

const filesOf = (spec: ClusterSpec) => ({
    password: join(spec.stateDir, "sign-in", "password"),
    secrets: join(spec.stateDir, "sign-in", secretsFile),
});

export const signInOf = (spec: ClusterSpec): SignIn => ({
    issuer: spec.ports.https === 443 ? `https://${signInHost}` : `https://${signInHost}:${spec.ports.https}`,
    username: USERNAME,
    passwordCommand: `cat ${filesOf(spec).password}`,
});

/** The client of a stack, which is also the audience of its API: a token for one stack is none for another. */
export const clientIdOf = (stack: string): string =>
    `orcheo-${stack.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`.slice(0, 63).replace(/-+$/, "");

/** `orcheo:stack.auth.signIn` of a stack on this cluster. */
export const signInSettings = (spec: ClusterSpec, stack: string) => ({
    kind: "oidc",
    issuer: signInOf(spec).issuer,
    clientId: clientIdOf(stack),
    audience: clientIdOf(stack),
    scopes: [...personScopes, ...orcheoScopes],
    // Pods do not know names below localhost.
    jwksUrl: `https://sign-in.${NAMESPACE}.svc.cluster.local/jwks`,
    authority: { kind: "file", path: pathsOf(spec).ingressCa },
    reach: { kind: "pods", namespace: NAMESPACE, podLabels: { "app.kubernetes.io/name": "sign-in" }, port: 8443 },
});

/** Creates the password and the keys once; they are kept as long as the cluster's data. */
export function ensureSecrets(spec: ClusterSpec): string {
    const { password, secrets } = filesOf(spec);
    mkdirSync(join(spec.stateDir, "sign-in"), { recursive: true, mode: 0o700 });
    if (!existsSync(password) || !existsSync(secrets)) {
        const chosen = newPassword();
        const person = { username: USERNAME, name: "Orcheo Admin", email: "admin@orcheo.localhost" };
        writeFileSync(secrets, JSON.stringify(newSecrets(chosen, person)), { mode: 0o600 });
        writeFileSync(password, `${chosen}\n`, { mode: 0o600 });
    }
    for (const file of [password, secrets]) chmodSync(file, 0o600);
    return readFileSync(secrets, "utf8");
}

/** Starts the provider, and makes a stack its client. */
export async function ensureSignIn(
    spec: ClusterSpec,
    toolchain: Toolchain,
    { stack, origin }: { readonly stack: string; readonly origin: string },
): Promise<void> {
    const secrets = ensureSecrets(spec);
    const { issuer, passwordCommand } = signInOf(spec);
    const image = await ensureNodeImage(spec, toolchain, {
        name: "sign-in",
        program: PROGRAM,
        main: "server.ts",
        packageName: "oidc-provider",
    });
    const values = new Map([
        ["image:sign-in", image],
        // A JSON string is a YAML string.
        ["signInSecrets", JSON.stringify(secrets)],
        ["signInSecretsKey", createHash("sha256").update(secrets).digest("hex").slice(0, 12)],
        ["signInHost", signInHost],
        ["signInIssuer", issuer],
        ["signInPasswordCommand", passwordCommand],
    ]);
    const manifest = fillIn(readFileSync(join(PROGRAM, "manifest.yaml"), "utf8"), values);
    const apply = (text: string, manager: string): Promise<string> =>
        kubectl(
            spec,
            toolchain,
            ["apply", "--server-side", "--force-conflicts", `--field-manager=${manager}`, "-f", "-"],
            text,
        );
    // cert-manager's webhook may still be starting.
    await retry(90, () => apply(manifest, "orcheo-local"));
    const clientId = clientIdOf(stack);
    const client = JSON.stringify({ origin, audience: clientId });
    // A field manager for each stack: none of them takes away another's client.
    const clients = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "clients", namespace: NAMESPACE },
        data: { [`${clientId}.json`]: client },
    };
    await apply(JSON.stringify(clients), clientId);
    await kubectl(spec, toolchain, [
        "rollout",
        "status",
        "deployment/sign-in",
        "--namespace",
        NAMESPACE,
        "--timeout=180s",
    ]);
    // A change of the pod makes the kubelet refresh the mounted file at once instead of within a minute.
    const key = createHash("sha256").update(client).digest("hex").slice(0, 12);
    const annotation = `orcheo/${clientId}=${key}`;
    await kubectl(spec, toolchain, [
        ...["annotate", "pod", "--namespace", NAMESPACE, "--selector", "app.kubernetes.io/name=sign-in"],
        ...["--overwrite", annotation],
    ]);
}
