/** What an image refuses when its pod starts, the config refuses before anything is deployed: the images are asked themselves. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acceptedNames } from "../../../components/stack/image-rules";
import { parseStack } from "../../../components/stack/read";
import { settingsOf } from "../../harness";

const frontEnd = { kind: "build", canvas: { source: { kind: "directory", path: "x" } } };

function problems(settings: object) {
    const json = JSON.stringify({ ...settingsOf("dev"), images: frontEnd, ...settings });
    return parseStack({ stack: "dev", keys: [], json, secret: false }).problems;
}
const lines = (settings: object) => problems(settings).map(({ at, found, remedy }) => `${at}: ${found}; ${remedy}`);

/** The answer of the backend image's own check. */
function backendImage(program: string, input: unknown): string[] {
    const script = `import json, sys; from pathlib import Path; from orcheo_runtime import environment\nenvironment.DATA = Path(".")\n${program}`;
    const { stdout, stderr } = spawnSync("python3", ["-c", script], {
        cwd: resolve("images/backend"),
        input: JSON.stringify(input),
        encoding: "utf8",
        env: { PATH: process.env["PATH"], PYTHONDONTWRITEBYTECODE: "1" },
    });
    if (stderr !== "") throw new Error(stderr);
    return JSON.parse(stdout) as string[];
}

describe("the backend", () => {
    it.each(["0.33", "0.46"] as const)("of %s reads the names that the config accepts", (release) => {
        const program = `contract, known = environment.load_contract(json.load(sys.stdin))
names = known | environment.OWN | set(contract["copies"]) | set(contract["copies"].values()) | set(contract["ignored"])
print(json.dumps(sorted(names)))`;
        expect([...acceptedNames(release)].sort()).toEqual(backendImage(program, release));
    });

    it("gets its secrets and addresses from the deployment only", () => {
        const program = `own = {*environment.SECRETS.values(), *environment.POSTGRES_PARTS, *environment.REDIS_PARTS, "ORCHEO_RELEASE"}
print(json.dumps(sorted(own - set(environment.RULES["deployment"]))))`;
        expect(backendImage(program, null)).toEqual([]);
    });

    const release: Readonly<Record<string, "0.33" | "0.46">> = { ORCHEO_SMTP_HOST: "0.46" };
    const cases: readonly (readonly [name: string, value: string])[] = [
        ["ORCHEO_LOGLEVEL", "DEBUG"],
        ["ORCHEO_LOG_FORMAT", "xml"],
        ["ORCHEO_LOG_FORMAT", "console"],
        ["ORCHEO_LOG_FORMAT", ""],
        ["ORCHEO_API_DRAIN_SECONDS", "0"],
        ["ORCHEO_API_DRAIN_SECONDS", "3600"],
        ["ORCHEO_API_DRAIN_SECONDS", "soon"],
        ["ORCHEO_WORKER_CONCURRENCY", "1001"],
        ["ORCHEO_VAULT_BACKEND", "file"],
        ["ORCHEO_VAULT_BACKEND", "postgres"],
        ["ORCHEO_GRAPH_STORE_BACKEND", "sqlite"],
        ["ORCHEO_MY_PLUGIN", "1"],
        ["ORCHEO_SMTP_HOST", "mail"],
        ["ORCHEO_SMTP_PASSWORT", "x"],
        ["ORCHEO_CRON_DISPATCH_INTERVAL", "30"],
        ["ORCHEO_POSTGRES_POOL_MAX_SIZE", "5"],
        ["ORCHEO_INPROCESS_EXECUTION", "true"],
        ["OPENAI_BASE_URL", "https://llm.example.com"],
        ["TZ", "Europe/Berlin"],
    ];

    it.each(cases)("refuses, as the config does or not at all: %s=%j", (name, value) => {
        const program = `release, name, value = json.load(sys.stdin)
contract, known = environment.load_contract(release)
environ = {variable: "postgresql://x" if "POSTGRES" in variable else "redis://x" if "REDIS" in variable else "x" for variable in environment.SECRETS.values()}
environ[name] = value
print(json.dumps(environment.unknown_names(environ, contract, known) + environment.apply_contract("beat", environ, contract)))`;
        const which = release[name] ?? "0.33";
        const image = backendImage(program, [which, name, value]);
        for (const settings of [
            { beat: { extraEnv: { [name]: value } } },
            { pods: { beat: { extraEnv: { [name]: value } } } },
        ]) {
            const config = problems({ release: which, ...settings });
            expect(config.length > 0, JSON.stringify([image, config])).toBe(image.length > 0);
        }
    });

    it.each([
        ...[
            "ORCHEO_POSTGRES_DSN",
            "ORCHEO_POSTGRES_HOST",
            "REDIS_URL",
            "ORCHEO_RELEASE",
            "ORCHEO_VAULT_ENCRYPTION_KEY",
        ],
        "REDIS_TLS_CA_FILE",
    ])("gets %s from the stack and from nowhere else, and its value is not shown", (name) => {
        expect(lines({ pods: { all: { extraEnv: { [name]: "s3cret" } } } })).toEqual([
            `orcheo:stack.pods.all.extraEnv.${name}: is set by the stack itself; accepted: database, cache, release, monitoring, tracing and secrets instead`,
        ]);
    });

    it("names the nearest variable, the setting, and once what all pods get", () => {
        expect(lines({ api: { extraEnv: { ORCHEO_LOGLEVEL: "DEBUG" } } })).toEqual([
            "orcheo:stack.api.extraEnv.ORCHEO_LOGLEVEL: is not read by release 0.33; did you mean ORCHEO_LOG_LEVEL? accepted: the names in images/backend/environment-0.33.txt; one that a plugin reads is named in ORCHEO_RUNTIME_ALLOW_UNKNOWN",
        ]);
        expect(problems({ pods: { all: { extraEnv: { ORCHEO_LOGLEVEL: "DEBUG" } } } }).map(({ at }) => at)).toEqual([
            "orcheo:stack.pods.all.extraEnv.ORCHEO_LOGLEVEL",
        ]);
        const allowed = { ORCHEO_MY_PLUGIN: "1", ORCHEO_RUNTIME_ALLOW_UNKNOWN: "ORCHEO_OTHER, ORCHEO_MY_PLUGIN" };
        expect(problems({ worker: { extraEnv: allowed } })).toEqual([]);
    });

    it("is not asked about what the stack sets itself, which wins", () => {
        expect(problems({ api: { extraEnv: { ORCHEO_AUTH_MODE: "optional", ORCHEO_LOG_LEVEL: "verbose" } } })).toEqual(
            [],
        );
    });
});

describe("other images", () => {
    it.each([
        ["canvas", "VITE_ORCHEO_AUTH_ISUER", "x"],
        ["canvas", "CANVAS_CSP_EXTRA_ORIGINS", "https://a.example.com/x"],
        ["canvas", "ORCHEO_RELOAD_SECONDS", "soon"],
        ["postgres", "POSTGRES_DATABASE", "Orcheo"],
        ["postgres", "PGDATA", "/tmp"],
        ["valkey", "VALKEY_TLS", "off"],
        ["valkey", "VALKEY_MAXMEMORY", "much"],
        ["backup", "BACKUP_PART_MIB", "4"],
        ["backup", "BACKUP_ENDPOINT", "http://elsewhere"],
    ])("%s: %s=%s is refused, for its pods and for all", (role, name, value) => {
        for (const pods of [role, "all"])
            expect(problems({ pods: { [pods]: { extraEnv: { [name]: value } } } }).map(({ at }) => at)).toContain(
                `orcheo:stack.pods.${pods}.extraEnv.${name}`,
            );
    });

    it("accept what they read", () => {
        expect(
            problems({
                pods: {
                    backup: { extraEnv: { BACKUP_PART_MIB: "5" } },
                    canvas: { extraEnv: { ORCHEO_RELOAD_SECONDS: "60" } },
                },
            }),
        ).toEqual([]);
    });
});

/** Values of the sign-in, by the keys of auth.signIn and its providerHints; `scopes` is one beside openid. */
type Settings = Readonly<Partial<Record<string, string>>>;

describe("the canvas", () => {
    /** Only the check of the settings runs: there is no site. */
    const site = mkdtempSync(join(tmpdir(), "canvas-rules-"));
    function imageAccepts(env: Readonly<Record<string, string>>): boolean {
        const { stderr } = spawnSync("sh", [resolve("images/canvas/entrypoint.sh"), "prepare"], {
            encoding: "utf8",
            env: {
                PATH: "/usr/bin:/bin",
                CANVAS_TEMPLATE: site,
                CANVAS_TARGET: join(site, "target"),
                VITE_ORCHEO_BACKEND_URL: "https://orcheo.localhost",
                ...env,
            },
        });
        expect(stderr).toMatch(/this is not a built canvas|these settings cannot be used/);
        return stderr.includes("this is not a built canvas");
    }
    const usual = { kind: "oidc", issuer: "https://login.example.com", clientId: "orcheo", audience: "orcheo" };
    /** What the program would hand to the image if the config accepted everything. */
    const environment = ({ chatkitDomainKey, ...given }: Settings): Record<string, string> => {
        const signIn: Settings = { ...usual, ...given };
        const { issuer, clientId, audience, scopes, organization, param, google, github } = signIn;
        return Object.fromEntries(
            Object.entries({
                VITE_ORCHEO_AUTH_ISSUER: issuer,
                VITE_ORCHEO_AUTH_CLIENT_ID: clientId,
                VITE_ORCHEO_AUTH_AUDIENCE: audience,
                VITE_ORCHEO_AUTH_SCOPES: scopes && `openid ${scopes}`,
                VITE_ORCHEO_AUTH_ORGANIZATION: organization,
                VITE_ORCHEO_AUTH_PROVIDER_PARAM: param,
                VITE_ORCHEO_AUTH_PROVIDER_GOOGLE: google,
                VITE_ORCHEO_AUTH_PROVIDER_GITHUB: github,
                VITE_ORCHEO_CHATKIT_DOMAIN_KEY: chatkitDomainKey,
            }).filter((entry): entry is [string, string] => entry[1] !== undefined),
        );
    };
    const configured = ({ chatkitDomainKey, scopes, organization, param, google, github, ...given }: Settings) => ({
        canvas: { settings: { ...(chatkitDomainKey !== undefined && { chatkitDomainKey }) } },
        auth: {
            signIn: {
                ...usual,
                ...given,
                ...(scopes !== undefined && { scopes: ["openid", scopes] }),
                providerHints: JSON.parse(JSON.stringify({ organization, param, google, github })) as object,
            },
        },
    });
    const verdicts = (settings: Settings) => ({
        config: problems(configured(settings)).length === 0,
        image: imageAccepts(environment(settings)),
    });

    it.each<Settings>([
        { clientId: "" },
        { issuer: "" },
        { issuer: "http://login.example.com" },
        { issuer: "login.example.com" },
        { issuer: "https://login.example.com/a b" },
        { issuer: "https://*.example.com/" },
        { issuer: "https://login.example.com:port" },
        { issuer: "javascript:alert(1)" },
        { audience: 'a";alert(1);"' },
        { audience: "bücher" },
        { audience: "a\nb" },
        { audience: "https://api.example.com/{tenant}" },
        { scopes: "pro\tfile" },
        { organization: "Org & Co" },
        { param: "two words" },
        { google: "google/oauth2" },
        { github: "gíthub" },
        { chatkitDomainKey: "domain_pk_<x>" },
    ])("%j is refused by both", (settings) => {
        expect(verdicts(settings)).toEqual({ config: false, image: false });
    });

    it.each<Settings>([
        {},
        { issuer: "https://tenant.eu.auth0.com/" },
        { issuer: "https://login.example.com:8443/realms/team" },
        { scopes: "api://0b5e/Workflows.Run" },
        { audience: "https://api.example.com/" },
        { organization: "org_1", param: "connection", google: "google-oauth2", github: "github" },
        { chatkitDomainKey: "domain_pk_1234=~" },
    ])("%j is accepted by both", (settings) => {
        expect(verdicts(settings)).toEqual({ config: true, image: true });
    });

    it.each([
        ...[
            "https://cdn.example.com/fonts",
            "https://*.example.com",
            "*",
            "'self'",
            "http://cdn.example.com",
            "https://cdn.example.com/",
        ],
        ...[
            "cdn.example.com",
            "https://cdn.example.com:x",
            "https://bücher.example.com",
            "https:",
            "https://a.example.com https://b.example.com/x",
        ],
    ])("the origin %s is refused by both", (origin) => {
        expect(problems({ canvas: { contentSecurityOrigins: [origin] } })).toHaveLength(1);
        expect(imageAccepts({ CANVAS_CSP_EXTRA_ORIGINS: origin })).toBe(false);
        expect(problems({ auth: { signIn: { ...usual, endpointOrigins: [origin] } } })).toHaveLength(1);
        expect(imageAccepts({ CANVAS_CSP_CONNECT_ORIGINS: origin })).toBe(false);
    });

    it("the image accepts every text that the config accepts", () => {
        const keys = ["issuer", "clientId", "audience", "scopes", "organization", "param", "chatkitDomainKey"];
        const alphabet = Array.from("aZ09 ._:/@+=,~%?#-&<>\"'\\$`;é\n");
        const tail = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 12 });
        const value = fc.oneof(
            tail,
            tail.map((text) => `https://${text}`),
            tail.map((text) => `https://a.example.com/${text}`),
        );
        fc.assert(
            fc.property(fc.constantFrom(...keys), value, (key, text) => {
                const settings = { [key]: text };
                return problems(configured(settings)).length > 0 || imageAccepts(environment(settings));
            }),
            { numRuns: 150 },
        );
    });
});
