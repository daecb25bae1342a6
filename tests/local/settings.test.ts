import { describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { existsSync, readFileSync } from "node:fs";
import { committedFile } from "../../local/pulumi.ts";
import vitest from "../../vitest.config.mts";
import { endToEndClusters } from "../e2e/clusters.ts";
import {
    contextOf,
    EMBEDDED_CONTEXT,
    embeddedSettings,
    merge,
    settingsOf,
    stackArguments,
    stackFile,
} from "../../local/settings.ts";

const cluster = { context: "orcheo-x", kubeconfig: "/k", registry: "127.0.0.1:1", builder: "orcheo-x" };
const machine = { cluster, httpsPort: 443 };

describe("settings for the embedded cluster", () => {
    const canvasSources = (config: typeof vitest): string[] =>
        (config.test?.projects ?? [])
            .flatMap((each) => (typeof each === "object" && "test" in each && each.test ? [each.test] : []))
            .filter(({ name }) => JSON.stringify(name).startsWith(`"e2e-`))
            .map(({ env }) => String(env?.["ORCHEO_CANVAS_SOURCE"]));

    it("end-to-end tests name their front end: whether its repository can be reached changes none of them", () => {
        const sources = canvasSources(vitest);
        expect(sources).toHaveLength(Object.keys(endToEndClusters).length);
        for (const source of sources) expect(existsSync(`${source}/apps/canvas/package.json`)).toBe(true);
    });

    it("end-to-end tests meet Orcheo's own canvas where its tree is named", async () => {
        vi.stubEnv("ORCHEO_CANVAS_SOURCE", "/a/tree");
        vi.resetModules();
        const { default: config } = await import("../../vitest.config.mts");
        vi.unstubAllEnvs();
        expect(new Set(canvasSources(config))).toEqual(new Set(["/a/tree"]));
    });

    it("the committed dev stack is meant for it", () => {
        const file: unknown = parse(readFileSync(committedFile("dev"), "utf8"));
        expect(contextOf(settingsOf(file, "Pulumi.dev.yaml"))).toBe(EMBEDDED_CONTEXT);
    });

    it("keep what was committed, and add what only the machine knows", () => {
        const committed = {
            version: "1.2.3",
            api: { logLevel: "DEBUG" },
            images: { sourceDateEpoch: 1, canvas: { source: { kind: "git" } } },
        };
        expect(embeddedSettings(committed, { ...machine, caBundleFile: "/ca", canvasDirectory: "/c" })).toEqual({
            version: "1.2.3",
            api: { logLevel: "DEBUG" },
            kubernetes: { context: "orcheo-x", kubeconfig: "/k" },
            registry: { prefix: "127.0.0.1:1/orcheo" },
            entrance: { port: 443 },
            images: {
                kind: "build",
                sourceDateEpoch: 1,
                builder: "orcheo-x",
                caBundleFile: "/ca",
                canvas: { source: { kind: "directory", path: "/c" } },
            },
        });
    });

    it("use the cluster's identity provider, unless the stack says how people sign in", () => {
        const signIn = { kind: "oidc", issuer: "https://sign-in.localhost" };
        const auth = { clientUploads: true };
        expect(embeddedSettings({ auth }, { ...machine, signIn }).auth).toEqual({ ...auth, signIn });
        const own = { signIn: { kind: "tokensOnly" } };
        expect(embeddedSettings({ auth: own }, { ...machine, signIn }).auth).toEqual(own);
        expect(embeddedSettings({ auth }, machine).auth).toEqual(auth);
    });

    it("leave published images alone", () => {
        const images = { kind: "published", backend: "b" };
        expect(embeddedSettings({ images }, machine).images).toEqual(images);
    });
});

// A salt belongs to one backend and one passphrase: with it in the checkout nobody else could create the stack.
it.each(["dev", "prod"])("the committed Pulumi.%s.yaml holds settings and nothing of a backend", (stack) => {
    const keys = Object.keys(parse(readFileSync(committedFile(stack), "utf8")) as object);
    expect(keys).toEqual(["config"]);
});

describe("merge", () => {
    it("goes down mappings of one kind, and replaces one kind by another", () => {
        const base = { a: { kind: "x", one: 1 }, b: { c: 1 } };
        expect(merge(base, { a: { one: 2 }, b: { d: 2 } })).toEqual({ a: { kind: "x", one: 2 }, b: { c: 1, d: 2 } });
        expect(merge(base, { a: { kind: "y" } })).toEqual({ a: { kind: "y" }, b: { c: 1 } });
    });
    it("undefined changes nothing", () => {
        expect(merge({ a: 1 }, { a: undefined, b: undefined })).toEqual({ a: 1 });
    });
});

describe("the file for Pulumi", () => {
    it("keeps Pulumi's own keys, and all config of the committed file", () => {
        const committed = { config: { "orcheo:stack": { version: "1" }, "orcheo:policyExceptions": [] } };
        const own = { encryptionsalt: "v1:s", config: { "orcheo:stack": { version: "0" }, old: 1 } };
        expect(stackFile({ version: "2" }, committed, own)).toEqual({
            encryptionsalt: "v1:s",
            config: { "orcheo:stack": { version: "2" }, "orcheo:policyExceptions": [] },
        });
    });
    it("names the file in which the settings are missing", () => {
        expect(() => settingsOf({ config: {} }, "Pulumi.x.yaml")).toThrow(
            "Pulumi.x.yaml: config.orcheo:stack is not a mapping; docs/config.md lists the settings",
        );
    });
});

describe("`make status` asks", () => {
    const own = { ...cluster, caFile: "/ca.crt" };

    it("the embedded cluster, through this machine's port and with the cluster's CA", () => {
        expect(stackArguments({ kubernetes: { context: EMBEDDED_CONTEXT, namespace: "n" } }, own)).toEqual(
            "--namespace n --context orcheo-x --kubeconfig /k --ca-file /ca.crt --address 127.0.0.1".split(" "),
        );
    });

    it("the cluster that the settings name, as Pulumi does", () => {
        const kubernetes = { context: "mine", kubeconfig: "/mine" };
        expect(stackArguments({ kubernetes }, own)).toEqual(["--context", "mine", "--kubeconfig", "/mine"]);
        expect(stackArguments({ kubernetes: { context: "mine" } }, own)).toEqual(["--context", "mine"]);
    });
});
