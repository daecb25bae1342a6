/** Settings of the identity provider: paths and lifetimes from the environment, the person and the keys from files of a Secret. */
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JWKS } from "oidc-provider";
import { hashOf } from "./password.ts";

export interface Person {
    readonly username: string;
    readonly name: string;
    readonly email: string;
    readonly passwordHash: string;
}

/** What the Secret holds. */
export interface Secrets {
    readonly person: Person;
    /** Signs tokens. */
    readonly jwks: JWKS;
    /** Sign cookies. */
    readonly cookieKeys: readonly string[];
}

export interface SignInSettings extends Secrets {
    readonly issuer: string;
    readonly port: number;
    readonly clientsDir: string;
    readonly dataFile: string;
    /** Directory of tls.crt and tls.key; without it http on loopback, for trying it out. */
    readonly tlsDir?: string;
    readonly passwordCommand: string;
    readonly accessTokenSeconds: number;
    readonly refreshTokenSeconds: number;
}

export const secretsFile = "secrets.json";

/** New keys, and a person with this password. */
export function newSecrets(password: string, person: Omit<Person, "passwordHash">): Secrets {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const jwk = privateKey.export({ format: "jwk" });
    const kid = createHash("sha256").update(String(jwk.n)).digest("base64url").slice(0, 16);
    return {
        person: { ...person, passwordHash: hashOf(password) },
        jwks: { keys: [{ ...jwk, kty: "RSA", kid, use: "sig", alg: "RS256" }] },
        cookieKeys: [randomBytes(32).toString("base64url")],
    };
}

/** @throws with every problem at once, and no secret */
export function readSettings(env: NodeJS.ProcessEnv): SignInSettings {
    const problems: string[] = [];
    const text = (name: string, example: string): string => {
        const value = env[name] ?? "";
        if (value === "") problems.push(`${name}: is missing; accepted: ${example}`);
        return value;
    };
    const number = (name: string, usual: number): number => {
        const value = Number(env[name] ?? usual);
        if (Number.isInteger(value) && value > 0) return value;
        problems.push(`${name}: found "${env[name] ?? ""}"; accepted: a whole number above 0`);
        return usual;
    };
    const issuer = text("SIGN_IN_ISSUER", "the URL that browsers use, such as https://sign-in.localhost");
    const secretsDir = text("SIGN_IN_SECRETS", `the directory of ${secretsFile}`);
    const clientsDir = text("SIGN_IN_CLIENTS", "the directory of <client id>.json");
    const dataDir = text("SIGN_IN_DATA", "a directory that is kept");
    const tlsDir = env.SIGN_IN_TLS;
    const settings = {
        issuer,
        clientsDir,
        port: number("SIGN_IN_PORT", 8443),
        dataFile: join(dataDir, "provider.sqlite"),
        ...(tlsDir !== undefined && { tlsDir }),
        passwordCommand: text("SIGN_IN_PASSWORD_COMMAND", "the command that prints the password"),
        accessTokenSeconds: number("SIGN_IN_ACCESS_TOKEN_SECONDS", 8 * 3600),
        refreshTokenSeconds: number("SIGN_IN_REFRESH_TOKEN_SECONDS", 14 * 24 * 3600),
    };
    if (problems.length > 0)
        throw new Error(`sign-in: nothing was started\n${problems.map((each) => `  - ${each}`).join("\n")}`);
    return { ...settings, ...(JSON.parse(readFileSync(join(secretsDir, secretsFile), "utf8")) as Secrets) };
}
