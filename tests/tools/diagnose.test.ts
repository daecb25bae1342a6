/** The archive for a bug report: secrets are planted wherever a stack may show them, and none may come out. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ClusterError, type Cluster, type KubernetesObject } from "../../tools/cluster.ts";
import { writeArchive } from "../../tools/diagnose/archive.ts";
import { collect } from "../../tools/diagnose/collect.ts";
import { redactor } from "../../tools/diagnose/redact.ts";
import { body, secrets as samples } from "../policy/secret-corpus.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const password = ["p/w d", "ü%7!x"].join("");
const key = body(40);
const word = ["kitten", "s"].join("");
const dsn = `postgresql://orcheo:${encodeURIComponent(password)}@postgres:5432/orcheo`;
const pem = `-----BEGIN EC PRIVATE KEY-----\n${body(64)}\n${body(63)}\n-----END EC PRIVATE KEY-----\n`;
const registry = JSON.stringify({
    auths: { "r.example.com": { username: "ci", password: word, auth: base64(`ci:${word}`) } },
});
const data = {
    ...{ "postgres-dsn": dsn, "signing-key": key, "tls.key": pem, ".dockerconfigjson": registry, pin: word },
    ...{ username: "orcheo", host: "postgres", port: "5432" },
};
const planted = [
    password,
    encodeURIComponent(password),
    key,
    word,
    body(64),
    body(63),
    base64(key),
    base64(`ci:${word}`),
];

const clean = redactor(Object.entries(data));

describe("values of Secrets are removed", () => {
    it.each<[string, string]>([
        ["as they are", `the key is ${key}.`],
        ["in a URL", `cannot connect to ${dsn}`],
        ["decoded from a URL", `role "orcheo", word ${password}`],
        ["in base64", `data: ${base64(key)}`],
        ["within base64, as headers have it", `x: ${base64(`orcheo:${key}`)}`],
        ["in base64 of a URL's alphabet", Buffer.from(`${key}???`).toString("base64url")],
        ["in hexadecimal", Buffer.from(key).toString("hex")],
        ["in JSON", JSON.stringify({ message: `"${password}"` })],
        ["in a query", `GET /x?key=${encodeURIComponent(password)}&y=1`],
        ["of a registry's credentials", `pulled as ci with ${word}`],
        ["of a registry's credentials in base64", `"auth":"${base64(`ci:${word}`)}"`],
        ["of a private key, line by line", `line: ${body(64)}`],
        ["of a whole private key", `found ${pem}`],
    ])("%s", (_, text) => {
        const found = clean.text(text);
        for (const each of planted) expect(found).not.toContain(each);
        expect(clean.finds(text)).toBe(true);
        expect(clean.finds(found)).toBe(false);
    });

    it("and harmless words are kept: names of users, hosts and ports, and words that only contain one", () => {
        const text = "user orcheo at postgres:5432 started";
        expect(clean.text(text)).toBe(text);
        expect(redactor([["pin", "cat"]]).text("the cat")).toBe("the cat");
        expect(redactor([["pin", "kitty"]]).text("kitty, kittying")).toBe("***, kittying");
    });
});

describe("without any Secret that is known", () => {
    const blind = redactor([]);

    it.each(
        samples.map(
            ({ where, name, value }) => [`${where} ${name}: ${value}`.slice(0, 70), where, name, value] as const,
        ),
    )("%s", (_, where, name, value) => {
        const found = JSON.stringify(
            where === "args"
                ? blind.object({ args: ["sh", "-c", value] })
                : where === "env"
                  ? blind.object({ env: [{ name, value }] })
                  : blind.object({ data: { [name]: value } }),
        );
        expect(found).toContain("***");
        expect(found).not.toContain(JSON.stringify(value).slice(1, -1));
    });

    it.each([
        `Authorization: Bearer ${body(30)}`,
        `{"message":"login with password=${body(10)}"}`,
        `GET /ws/workflow/x?access_token=${body(30)}`,
        `cookie: session=${body(30)}`,
        `amqp://user:${body(12)}@broker`,
        `-----BEGIN RSA PRIVATE KEY-----\n${body(64)}\n`,
    ])("a line of a log: %s", (line) => {
        const found = blind.text(`before\n${line}\nafter`);
        for (const length of [10, 12, 30, 64]) expect(found).not.toContain(body(length));
        expect(found).toMatch(/^before\n/);
    });
});

const annotated = {
    name: "x",
    annotations: { note: `restored with ${key}`, "kubectl.kubernetes.io/last-applied-configuration": key },
};
const deployment = (name: string): KubernetesObject => ({
    kind: "Deployment",
    metadata: { ...annotated, name, managedFields: [{ key }] },
    spec: {
        template: {
            spec: {
                containers: [
                    {
                        name,
                        image: "r/x@sha256:0123456789abcdef",
                        args: ["--requirepass", word],
                        env: [
                            { name: "ORCHEO_AUTH_MODE", value: "required" },
                            { name: "SMTP_PASSWORD", value: "tiger" },
                            { name: "DATABASE", value: dsn },
                            { name: "ENCODED", value: base64(`x:${key}`) },
                        ],
                    },
                ],
            },
        },
    },
});
const pod: KubernetesObject = {
    kind: "Pod",
    metadata: annotated,
    status: { containerStatuses: [{ name: "api", restartCount: 1 }] },
};
const place = "namespaces/orcheo";

/** A cluster whose every object and log holds secrets. */
function leaky(forbidden = ""): Cluster {
    const lists: Readonly<Record<string, readonly KubernetesObject[]>> = {
        [`/apis/apps/v1/${place}/deployments`]: ["api", "worker", "beat", "canvas"].map(deployment),
        [`/api/v1/${place}/pods`]: [pod],
        [`/api/v1/${place}/configmaps`]: [
            {
                kind: "ConfigMap",
                metadata: annotated,
                data: { "app.ini": `user = x\npassword = "${word}"\n`, url: dsn },
            },
        ],
        [`/api/v1/${place}/events`]: [
            { kind: "Event", metadata: annotated, message: `probe of https://u:${key}@api failed` },
        ],
        [`/api/v1/${place}/secrets`]: [
            {
                kind: "Secret",
                metadata: annotated,
                data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, base64(value)])),
            },
        ],
    };
    return {
        context: "c",
        api: {
            get: () => Promise.resolve(undefined),
            metadata: () => Promise.resolve(undefined),
            list: (path) => {
                const [plain = ""] = path.split("?");
                if (plain.endsWith(forbidden === "" ? "\0" : forbidden))
                    return Promise.reject(new ClusterError("status 403", 403));
                return Promise.resolve(lists[plain] ?? []);
            },
            text: (path) =>
                Promise.resolve(
                    path === "/version"
                        ? '{"gitVersion":"v1.37.2"}'
                        : `started\nconnecting to ${dsn}\n{"message":"${key}"}\nBasic ${base64(`ci:${word}`)}\n${path.includes("previous") ? "the end before" : "now"}\n`,
                ),
        },
        exec: () => Promise.reject(new ClusterError(`refused for ${key}`)),
    };
}
const options = { namespace: "orcheo", requestTimeoutMs: 100, execTimeoutMs: 100 };

describe("the archive", () => {
    it("holds objects, events, logs, versions and the status, and none of what was planted", async () => {
        const files = await collect(leaky(), options);
        const all = files.map(({ path, text }) => `${path}\n${text}`).join("\n");
        for (const each of [...planted, "tiger", ...planted.map(base64)]) expect(all).not.toContain(each);
        const texts = new Map(files.map(({ path, text }) => [path, text]));
        expect(texts.get("logs/x/api.log")).toMatch(/^started\nconnecting to \*\*\*\n[^]*\nnow\n$/);
        expect(texts.get("logs/x/api.previous.log")).toContain("the end before");
        expect(texts.get("objects/deployments.json")).toContain('"value": "required"');
        expect(texts.get("objects/events.json")).toContain("probe of https://u:***@api failed");
        expect(JSON.parse(texts.get("objects/secrets.json") ?? "")).toEqual([{ name: "x", keys: Object.keys(data) }]);
        expect(texts.get("status.txt")).toContain("Orcheo in the namespace orcheo of c");
        expect(texts.get("versions.json")).toContain('"kubernetes": "v1.37.2"');
    });

    it("without permission to read Secrets goes by names and formats, and says so", async () => {
        const files = await collect(leaky("/secrets"), options);
        const about = files.find(({ path }) => path === "README.txt")?.text;
        expect(about).toContain("Secrets could not be read: secrets were removed by their names and formats only");
        const all = files.map(({ text }) => text).join("\n");
        for (const each of ["tiger", encodeURIComponent(password), base64(`ci:${word}`)])
            expect(all).not.toContain(each);
    });

    it("is one compressed file that only its owner reads", () => {
        const dir = mkdtempSync(join(tmpdir(), "orcheo-archive-"));
        try {
            const output = join(dir, "report.tar.gz");
            writeArchive(output, [{ path: "logs/a/b.log", text: "hello" }]);
            expect(statSync(output).mode & 0o777).toBe(0o600);
            expect(spawnSync("tar", ["-xzf", output, "-C", dir]).status).toBe(0);
            expect(readFileSync(join(dir, "report/logs/a/b.log"), "utf8")).toBe("hello");
            expect(readdirSync(dir).sort()).toEqual(["report", "report.tar.gz"]);
        } finally {
            rmSync(dir, { recursive: true });
        }
    });
});
