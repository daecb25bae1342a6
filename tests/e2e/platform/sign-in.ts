/** A person signs in with what `make up` prints, and the API refuses every token that is not meant for it. */
import { createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { clientIdOf, signInOf, signInSettings } from "../../../local/cluster/sign-in.ts";
import { run } from "../../../local/process.ts";
import {
    Browser,
    claimsOf,
    openForm,
    signIn,
    type SignIn,
    verifiedBy,
    verifierAndChallenge,
} from "../../local/sign-in-client.ts";
import { endurance } from "../endurance.ts";
import { actorsOf, answerOf, ask, createWorkflow, dispatch, ended, type Entrance, socketStatus } from "../orcheo.ts";
import { artifacts, attempt, caller, env, eventually, kube, spec, STACK } from "./harness.ts";

/** One request to a host of this machine, verified with the cluster's CA. */
const send = verifiedBy(clusterInfo(spec).caFile, "127.0.0.1");

const issuer = signInOf(spec).issuer;
const clientId = clientIdOf(STACK);
/** The person of this cluster in front of a stack's canvas. */
async function personAt(origin: string, username: string, passwordCommand: string): Promise<SignIn> {
    const password = (await run("bash", ["-c", passwordCommand], { env })).trim();
    const scopes = signInSettings(spec, STACK).scopes.join(" ");
    return { issuer, clientId, redirectUri: `${origin}/auth/callback`, scopes, username, password, send };
}

async function scaleProvider(replicas: number): Promise<void> {
    const scale = ["--namespace", "sign-in", "scale", "deployment/sign-in", `--replicas=${replicas}`];
    expect((await attempt("kubectl", scale)).code).toBe(0);
}

/** Waits for an answer through the entrance, which learns of a ready pod up to two seconds later. */
async function providerServes(): Promise<void> {
    const rollout = ["--namespace", "sign-in", "rollout", "status", "deployment/sign-in", "--timeout=120s"];
    expect((await attempt("kubectl", rollout)).code).toBe(0);
    const answers = () =>
        send(`${issuer}/.well-known/openid-configuration`).then(
            ({ status }) => status,
            () => 0,
        );
    expect(await eventually(30, answers, (status) => status === 200)).toBe(200);
}

/** Fills in what `make up` printed last. */
async function person(): Promise<SignIn> {
    const printed = readFileSync(join(artifacts, "make-up.log"), "utf8");
    const username = /as the user (\S+); its password is printed by/.exec(printed)?.[1] ?? "nobody is named";
    const command = /^ +(cat \S+\/sign-in\/password)$/m.exec(printed)?.[1] ?? "false";
    const filledIn = await personAt(caller().origin, username, command);
    expect(printed, "the password is in no log").not.toContain(filledIn.password);
    return filledIn;
}

const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token as the provider signs them, with other claims or another key. */
function minted(claims: Record<string, unknown>, key?: KeyObject, kid?: string): string {
    const { jwks } = JSON.parse(readFileSync(join(spec.stateDir, "sign-in", "secrets.json"), "utf8")) as {
        jwks: { keys: [JsonWebKey & { kid: string }] };
    };
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: issuer, aud: clientId, sub: "admin", iat: now, exp: now + 600, scope: "workflows:read" };
    const text = `${json({ alg: "RS256", kid: kid ?? jwks.keys[0].kid })}.${json({ ...usual, ...claims })}`;
    const own = createPrivateKey({ key: jwks.keys[0], format: "jwk" });
    return `${text}.${sign("sha256", Buffer.from(text), key ?? own).toString("base64url")}`;
}

/** @returns the statuses that answer valid tokens */
export async function refusesOtherTokens(entrance: Entrance): Promise<readonly number[]> {
    const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const now = Math.floor(Date.now() / 1000);
    const status = async (token: string | undefined): Promise<number> =>
        (await ask({ ...entrance, token }, "GET", "/api/workflows")).status;
    expect({
        "no token": await status(undefined),
        "another issuer": await status(minted({ iss: "https://id.example.com" })),
        "another issuer's key": await status(minted({}, stranger, "stranger")),
        forged: await status(minted({}, stranger)),
        "another audience": await status(minted({ aud: "orcheo-prod" })),
        expired: await status(minted({ exp: now - 120 })),
        "from the future": await status(minted({ iat: now + 120, nbf: now + 120 })),
        unsigned: await status(`${json({ alg: "none" })}.${json({ iss: issuer, aud: clientId })}.`),
    }).toEqual({
        "no token": 401,
        "another issuer": 401,
        "another issuer's key": 401,
        forged: 401,
        "another audience": 401,
        expired: 401,
        "from the future": 401,
        unsigned: 401,
    });
    return [await status(minted({})), await status(minted({ iat: now + 15, nbf: now + 15 }))];
}

/** On release 0.46, whose people work in workspaces. @throws when the sign-in, or anything after it, is refused */
export async function personOfNewerRelease(entrance: Entrance): Promise<void> {
    const { username, passwordCommand } = signInOf(spec);
    const { access_token } = await signIn(await personAt(entrance.origin, username, passwordCommand));
    const session = { ...entrance, token: access_token };
    const own = await ask(session, "POST", "/api/workspaces", { slug: "person", name: "A person" });
    expect(own.status, JSON.stringify(own.body)).toBe(201);
    await runsTheMainJob(session, "0.46");
}

/** A workflow that a worker executes, and that is followed over the WebSocket. */
async function runsTheMainJob(session: Entrance, release: string): Promise<void> {
    const workflow = await createWorkflow(session, release, "by-a-person");
    const run_ = await ended(session, await dispatch(session, workflow));
    expect(answerOf(run_)).toBe(42);
    expect(actorsOf(run_)).toContain("worker");
    expect(await socketStatus(session, workflow.id)).toBe(101);
    expect(await socketStatus({ ...session, token: undefined }, workflow.id)).not.toBe(101);
}

export function signsIn(): void {
    let session: Entrance;

    test("with the printed user and password, and runs a workflow that answers over the WebSocket", async () => {
        const tokens = await signIn(await person());
        expect(claimsOf(tokens.id_token)).toMatchObject({ name: "Orcheo Admin" });
        session = { ...caller(), token: tokens.access_token };
        await runsTheMainJob(session, "0.33");
    });

    test("not with a wrong password", async () => {
        const settings = await person();
        const browser = new Browser(send);
        const { url } = await openForm(settings, browser, verifierAndChallenge().challenge);
        const form = { username: settings.username, password: `${settings.password}x` };
        const refused = await browser.ask(url, { method: "POST", form });
        expect([refused.status, refused.location]).toEqual([401, undefined]);
        expect(refused.body).toContain("The user name or the password is wrong.");
    });

    test("and only a valid token of this issuer for this API is taken; clocks may differ by 30 s", async () => {
        expect(await refusesOtherTokens(caller())).toEqual([200, 200]);
    });

    test("also after the provider was restarted, whose keys and earlier tokens stay", async () => {
        // Of pods that were deleted, the status may still say for a moment that they are ready.
        const restart = ["--namespace", "sign-in", "rollout", "restart", "deployment/sign-in"];
        expect((await attempt("kubectl", restart)).code).toBe(0);
        await providerServes();
        const earlier = await ask(session, "GET", "/api/workflows");
        expect(earlier.status, JSON.stringify(earlier.body)).toBe(200);
        const { access_token } = await signIn(await person());
        const later = await ask({ ...caller(), token: access_token }, "GET", "/api/workflows");
        expect(later.status, JSON.stringify(later.body)).toBe(200);
    });

    if (endurance) {
        test("also while the provider is away and a new pod of the API starts: it serves once it has the keys", async () => {
            const names = ["get", "pods", "--selector=app.kubernetes.io/component=api", "--output=name"];
            const [oldest = ""] = (await kube(...names, "--sort-by=.metadata.creationTimestamp")).split("\n");
            await scaleProvider(0);
            await kube("delete", oldest, "--wait=false");
            const answers: number[] = [];
            const until = async (milliseconds: number): Promise<void> => {
                for (const end = Date.now() + milliseconds; Date.now() < end;)
                    answers.push((await ask(session, "GET", "/api/workflows")).status);
            };
            // A new process takes some ten seconds to start, and is waited for half a minute longer.
            await until(25_000);
            await scaleProvider(1);
            await until(40_000);
            await kube("rollout", "status", "deployment/api", "--timeout=60s");
            await until(5_000);
            await providerServes();
            expect([...new Set(answers)]).toEqual([200]);
        });

        test("also by API processes that have seen no token yet while the provider is away", async () => {
            await kube("rollout", "restart", "deployment/api");
            await kube("rollout", "status", "deployment/api", "--timeout=180s");
            await scaleProvider(0);
            const gone = ["wait", "--namespace", "sign-in", "--for=delete", "pod", "--selector"];
            await attempt("kubectl", [...gone, "app.kubernetes.io/name=sign-in", "--timeout=60s"]);
            const answers: number[] = [];
            for (let request = 0; request < 8; request++)
                answers.push((await ask(session, "GET", "/api/workflows")).status);
            await scaleProvider(1);
            await providerServes();
            expect(answers).toEqual(answers.map(() => 200));
        });
    }
}
