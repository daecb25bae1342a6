/** Reading a stack: through a small server that stands for the Kubernetes API, and a real TLS server for the URL. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../tools/status/answer.ts";
import { readOptions, UsageError } from "../../tools/options.ts";
import { type Answers, run, SmallApi, stack } from "./small-api.ts";

let api: SmallApi;

beforeAll(async () => {
    api = await SmallApi.start();
});
afterAll(() => {
    api.stop();
});

describe("the command", () => {
    it("reads a stack by a kubeconfig and a namespace; a URL that does not answer ends it with 1", async () => {
        api.served = stack();
        const { code, output, errors } = await run("status", "--kubeconfig", api.kubeconfig, "--json");
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
        api.served = { ...stack(), "/api/v1/nodes": 403 };
        const { output } = await run("status", "--kubeconfig", api.kubeconfig);
        expect(output).toContain("  not known: nodes: status 403 of /api/v1/nodes");
    });

    it.each<[string, () => Answers, RegExp]>([
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
        api.served = answers();
        const { code, output, errors } = await run("status", "--kubeconfig", api.kubeconfig);
        expect(errors).toMatch(message);
        expect([code, output]).toEqual([2, ""]);
    });

    it("asks for alerts where it is told to, through the cluster's API, and says when nobody answers", async () => {
        const proxied = "/api/v1/namespaces/monitoring/services/alertmanager:9093/proxy/api/v2/alerts";
        const args = ["status", "--kubeconfig", api.kubeconfig, "--alerts", "service/monitoring/alertmanager:9093"];
        api.served = { ...stack(), [proxied]: [] };
        expect((await run(...args)).output).toContain("has no OrcheoWatchdog");
        api.served = { ...stack(), [proxied]: 503 };
        expect((await run(...args)).output).toMatch(/ {2}not known: alerts: status 503 [^]*alerts {9}not known/);
        api.served = stack();
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
        api.served = { "/": -1 };
        const answer = await ask(new URL(`http://any.localhost:${api.port}/`), { timeoutMs: 300 });
        expect(answer).toEqual({ error: "no answer within 0.3 s" });
    });
});
