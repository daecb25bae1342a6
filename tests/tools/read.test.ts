/** Reading a stack: through a small server that stands for the Kubernetes API, and a real TLS server for the URL. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../tools/status/answer.ts";
import { readOptions, UsageError } from "../../tools/options.ts";

const root = join(import.meta.dirname, "../..");
let dir: string;
let server: Server;
/** Path without its query -> items, or a status. */
let served: Readonly<Record<string, readonly object[] | number>>;
let kubeconfig: string;

beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "orcheo-status-"));
    server = createServer((request, response) => {
        const [path = ""] = (request.url ?? "").split("?");
        const found = path === "/version" ? undefined : (served[path] ?? 404);
        if (found === -1) return;
        if (typeof found === "number") {
            response.writeHead(found, { "content-type": "application/json" });
            response.end(JSON.stringify({ kind: "Status", message: `it is ${found}` }));
            return;
        }
        const body =
            found === undefined ? { gitVersion: "v1.37.2" } : { kind: "XList", apiVersion: "v1", items: found };
        response.end(JSON.stringify(body));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    kubeconfig = join(dir, "config");
    const clusters = [{ name: "c", cluster: { server: `http://127.0.0.1:${port}` } }];
    const contexts = [{ name: "here", context: { cluster: "c", user: "u" } }];
    writeFileSync(
        kubeconfig,
        JSON.stringify({ clusters, contexts, users: [{ name: "u", user: {} }], "current-context": "here" }),
    );
});
afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
});

function run(
    ...args: readonly string[]
): Promise<{ code: number | null; output: string; errors: string; seconds: number }> {
    const began = Date.now();
    const flags = ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", join(root, "tools/main.ts")];
    const child = spawn(process.execPath, [...flags, ...args], { env: { PATH: process.env["PATH"] } });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    return new Promise((done) => {
        child.once("close", (code) => {
            done({ code, output, errors, seconds: (Date.now() - began) / 1000 });
        });
    });
}

interface Recorded {
    readonly workloads: readonly { readonly kind: string }[];
    readonly [key: string]: readonly object[];
}
const recorded = () =>
    JSON.parse(readFileSync(join(root, "tests/fixtures/stack-reading.json"), "utf8")) as unknown as Recorded;

/** The recorded stack, without a public URL that a test could meet by chance. */
function stack(): Record<string, readonly object[] | number> {
    const { workloads, pods = [], jobs = [], certificates = [], claims = [], nodes = [] } = recorded();
    const text = JSON.stringify(workloads).replaceAll("https://orcheo.localhost", "https://127.0.0.1:9");
    const all = JSON.parse(text) as Recorded["workloads"];
    return {
        "/apis/apps/v1/namespaces/orcheo/deployments": all.filter(({ kind }) => kind === "Deployment"),
        "/apis/apps/v1/namespaces/orcheo/statefulsets": all.filter(({ kind }) => kind === "StatefulSet"),
        "/api/v1/namespaces/orcheo/pods": pods,
        "/apis/batch/v1/namespaces/orcheo/jobs": jobs,
        "/apis/cert-manager.io/v1/namespaces/orcheo/certificates": certificates,
        "/api/v1/namespaces/orcheo/persistentvolumeclaims": claims,
        "/api/v1/nodes": nodes,
    };
}

describe("the command", () => {
    it("reads a stack by a kubeconfig and a namespace; a URL that does not answer ends it with 1", async () => {
        served = stack();
        const { code, output, errors } = await run("status", "--kubeconfig", kubeconfig, "--json");
        expect(errors).toBe("");
        const status = JSON.parse(output) as { problems: string[]; notRead: string[]; versions: object };
        expect(status.problems).toEqual([
            expect.stringContaining("/api/system/health answers not: "),
            expect.stringContaining("/ answers not: "),
        ]);
        // This server runs no commands.
        expect(status.notRead).toEqual([expect.stringContaining("runs: ")]);
        expect(status.versions).toEqual({ kubernetes: "v1.37.2", deployment: "0.1.0" });
        expect(code).toBe(1);
    });

    it("names what its role may not read, and goes on", async () => {
        served = { ...stack(), "/api/v1/nodes": 403 };
        const { output } = await run("status", "--kubeconfig", kubeconfig);
        expect(output).toContain("  not known: nodes: status 403 of /api/v1/nodes");
    });

    it.each<[string, () => Record<string, readonly object[] | number>, RegExp]>([
        ["a namespace without Orcheo", () => ({}), /the namespace "orcheo" of "here" holds no Orcheo: name another/],
        [
            "a role that may not read pods",
            () => ({ ...stack(), "/api/v1/namespaces/orcheo/pods": 403 }),
            /cannot tell: status 403/,
        ],
        [
            "a server that is silent",
            () => ({ ...stack(), "/api/v1/namespaces/orcheo/pods": -1 }),
            /cannot tell: .*no answer within 4 s/,
        ],
    ])("ends with 2 for %s", async (_, answers, message) => {
        served = answers();
        const { code, output, errors } = await run("status", "--kubeconfig", kubeconfig);
        expect(errors).toMatch(message);
        expect([code, output]).toEqual([2, ""]);
    });

    it("asks for alerts where it is told to, through the cluster's API, and says when nobody answers", async () => {
        const proxied = "/api/v1/namespaces/monitoring/services/alertmanager:9093/proxy/api/v2/alerts";
        const args = ["status", "--kubeconfig", kubeconfig, "--alerts", "service/monitoring/alertmanager:9093"];
        served = { ...stack(), [proxied]: [] };
        expect((await run(...args)).output).toContain("has no OrcheoWatchdog");
        served = { ...stack(), [proxied]: 503 };
        expect((await run(...args)).output).toMatch(/ {2}not known: alerts: status 503 [^]*alerts {9}not known/);
        served = stack();
        expect((await run(...args)).output).toContain("answers neither as Alertmanager nor as Prometheus or vmalert");
    });

    it("ends with 2 and its usage for wrong arguments", async () => {
        const { code, errors } = await run("status", "--name", "x");
        expect(errors).toMatch(/--name[^]*usage: npm run status/);
        expect(code).toBe(2);
    });
});

it("every wrong argument is reported at once, with what is accepted", () => {
    const wrong = () =>
        readOptions(["states", "--namespace", "A_B", "--ca-file", "/nowhere", "--alerts", "https://me:secret@host"]);
    expect(wrong).toThrow(UsageError);
    expect(wrong).toThrow(
        [
            'found "states"; accepted: status, diagnose',
            '--namespace: found "A_B"; accepted: the name of a namespace',
            "--alerts: found a value that is not shown; accepted: a URL without credentials, or service/NAMESPACE/NAME:PORT",
            '--ca-file: found "/nowhere"; accepted: a PEM file of certificates',
        ].join("\n"),
    );
});

describe("the URL", () => {
    it("that nobody serves is reported with the reason", async () => {
        expect(await ask(new URL("https://127.0.0.1:9/"), { timeoutMs: 2000 })).toEqual({
            error: expect.stringContaining("ECONNREFUSED") as string,
        });
    });

    it("that is silent is given up in time", async () => {
        served = { "/": -1 };
        const { port } = server.address() as AddressInfo;
        const answer = await ask(new URL(`http://any.localhost:${port}/`), { timeoutMs: 300 });
        expect(answer).toEqual({ error: "no answer within 0.3 s" });
    });
});
