/**
 * Signs in with a real Keycloak, as the canvas does: downloads it (177 MB, pinned), starts it with a realm and a certificate of a
 * private CA, and checks everything that the deployment relies on. Not part of `make test`; it needs a JVM (17 or newer), openssl and
 * unzip, and takes some minutes:
 *
 *   local/run node tests/keycloak/main.ts
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, createPublicKey, type JsonWebKey, randomBytes, verify } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { orcheoScopes, personScopes } from "../../local/cluster/addons/sign-in/clients.ts";
import { checkersDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import { claimsOf, discover, type Send, signIn, type Tokens, verifiedBy } from "../local/sign-in-client.ts";
import { audience, clientId, realm } from "./realm.ts";

const version = "26.7.3";
const sha256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f";
const archive = `https://repo1.maven.org/maven2/org/keycloak/keycloak-quarkus-dist/${version}/keycloak-quarkus-dist-${version}.zip`;
const port = Number(process.env.KEYCLOAK_PORT ?? 18443);
const startSeconds = 600;
const origin = "https://orcheo.localhost";
const issuer = `https://localhost:${port}/realms/team`;
const person = { username: "ada", password: randomBytes(12).toString("hex") };

async function keycloakDir(): Promise<string> {
    // `make prune` removes it.
    const dir = join(checkersDir, `keycloak-${version}`);
    if (existsSync(dir)) return dir;
    mkdirSync(checkersDir, { recursive: true });
    const answer = await fetch(archive);
    assert.equal(answer.status, 200, archive);
    const content = Buffer.from(await answer.arrayBuffer());
    assert.equal(createHash("sha256").update(content).digest("hex"), sha256, `${archive} is another file`);
    const parts = mkdtempSync(`${dir}.part-`);
    writeFileSync(join(parts, "keycloak.zip"), content);
    await run("unzip", ["-q", join(parts, "keycloak.zip"), "-d", parts], { timeoutSeconds: 300 });
    renameSync(join(parts, `keycloak-${version}`), dir);
    rmSync(parts, { recursive: true });
    return dir;
}

const data = mkdtempSync(join(tmpdir(), "keycloak-test-"));
const [certificate, key] = [join(data, "tls.crt"), join(data, "tls.key")];

const send: Send = verifiedBy(certificate);

async function started(): Promise<void> {
    for (const end = Date.now() + startSeconds * 1000; ;) {
        const status = await send(`${issuer}/.well-known/openid-configuration`).then(
            (answer) => answer.status,
            () => 0,
        );
        if (status === 200) return;
        assert.ok(Date.now() < end, `Keycloak has not started within ${startSeconds} s`);
        await sleep(2000);
    }
}

const settings = {
    issuer,
    clientId,
    redirectUri: `${origin}/auth/callback`,
    scopes: [...personScopes, ...orcheoScopes].join(" "),
    ...person,
    // The canvas sends it; Keycloak takes the audience from its mapper.
    params: { audience },
    send,
};

const checks: Readonly<Record<string, () => Promise<void>>> = {
    "the discovery document is what the preflight accepts": async () => {
        const document = await discover(issuer, send);
        assert.equal(document.issuer, issuer);
        for (const endpoint of [document.authorization_endpoint, document.token_endpoint, document.jwks_uri])
            assert.equal(new URL(endpoint).origin, new URL(issuer).origin);
    },
    "a person signs in; the access token is a JWT for the API, signed by a published key": async () => {
        const { access_token, id_token } = await signIn(settings);
        const claims = claimsOf(access_token);
        assert.equal(claims.iss, issuer);
        assert.ok([claims.aud].flat().includes(audience), JSON.stringify(claims.aud));
        const scopes = String(claims.scope).split(" ");
        assert.deepEqual(
            orcheoScopes.filter((scope) => !scopes.includes(scope)),
            [],
        );
        assert.equal(claimsOf(id_token).name, "Ada Example");
        const [head = "", body = "", signature = ""] = access_token.split(".");
        const { kid, alg } = JSON.parse(Buffer.from(head, "base64url").toString()) as { kid: string; alg: string };
        assert.equal(alg, "RS256");
        const { keys } = JSON.parse((await send((await discover(issuer, send)).jwks_uri)).body) as {
            keys: (JsonWebKey & { kid: string })[];
        };
        const jwk = keys.find((each) => each.kid === kid);
        assert.ok(jwk, `no key ${kid}`);
        const published = createPublicKey({ key: jwk, format: "jwk" });
        assert.ok(verify("sha256", Buffer.from(`${head}.${body}`), published, Buffer.from(signature, "base64url")));
    },
    "a wrong password, another redirect URI and a request without PKCE are refused": async () => {
        await assert.rejects(signIn({ ...settings, password: "wrong" }), /Invalid username or password/);
        const elsewhere = { redirect_uri: "https://evil.example/auth/callback" };
        await assert.rejects(signIn({ ...settings, params: elsewhere }), /redirect_uri/);
        await assert.rejects(
            signIn({ ...settings, params: { code_challenge: "", code_challenge_method: "" } }),
            /no form/,
        );
    },
    "the canvas' origin, and no other, may call the token endpoint": async () => {
        const { token_endpoint } = await discover(issuer, send);
        const allowed = async (from: string) =>
            (
                await send(token_endpoint, {
                    method: "OPTIONS",
                    headers: { origin: from, "access-control-request-method": "POST" },
                })
            ).headers["access-control-allow-origin"];
        assert.equal(await allowed(origin), origin);
        const form = { grant_type: "authorization_code", client_id: clientId, code: "x" };
        const other = await send(token_endpoint, { method: "POST", form, headers: { origin: "https://evil.example" } });
        assert.equal(other.headers["access-control-allow-origin"], undefined);
    },
    "a used or revoked refresh token is refused": async () => {
        const { token_endpoint, revocation_endpoint } = await discover(issuer, send);
        const refresh = async (token = "") => {
            const form = { grant_type: "refresh_token", client_id: clientId, refresh_token: token };
            const { status, body } = await send(token_endpoint, { method: "POST", form });
            return { status, tokens: JSON.parse(body) as Partial<Tokens> };
        };
        const first = (await signIn(settings)).refresh_token;
        const second = await refresh(first);
        assert.equal(second.status, 200);
        assert.equal((await refresh(first)).status, 400);
        const third = (await signIn(settings)).refresh_token ?? "";
        const form = { client_id: clientId, token: third };
        assert.equal((await send(revocation_endpoint, { method: "POST", form })).status, 200);
        assert.equal((await refresh(third)).status, 400);
    },
};

await run("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
]);
// What it imports is below its own folder; the database is in memory of this process.
const home = await keycloakDir();
rmSync(join(home, "data"), { recursive: true, force: true });
mkdirSync(join(home, "data", "import"), { recursive: true });
writeFileSync(join(home, "data", "import", "realm.json"), JSON.stringify(realm(origin, person)), { mode: 0o600 });
const server = spawn(
    join(home, "bin", "kc.sh"),
    [
        ...["start-dev", "--db=dev-mem", "--import-realm", `--https-port=${port}`, "--http-host=127.0.0.1"],
        ...["--http-enabled=false", `--https-certificate-file=${certificate}`, `--https-certificate-key-file=${key}`],
        ...["--hostname-strict=false"],
    ],
    { stdio: ["ignore", "pipe", "pipe"], detached: true },
);
let output = "";
for (const stream of [server.stdout, server.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => (output += part));
try {
    await started();
    for (const [name, check] of Object.entries(checks)) {
        const problem = await check().then(
            () => undefined,
            (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
        );
        process.stdout.write(problem === undefined ? `ok: ${name}\n` : `FAILED: ${name}\n${problem}\n`);
        if (problem !== undefined) process.exitCode = 1;
    }
} catch (error) {
    process.stderr.write(`${output.slice(-4000)}\n`);
    throw error;
} finally {
    if (server.pid !== undefined) process.kill(-server.pid, "SIGTERM");
    rmSync(data, { recursive: true, force: true });
}
