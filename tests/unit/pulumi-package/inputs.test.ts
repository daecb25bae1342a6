import { describe, expect, test } from "vitest";
import { stackSchema } from "../../../components/config/schema";
import { asInputs, configOf, packageSchema, token, type Given } from "../../../pulumi-package/inputs.plan";

const plain = (value: unknown): Given => ({ known: true, secret: false, value });
const published = plain({ kind: "published" });

test("the schema has one input for each setting, none of which a language checks by itself", () => {
    const { resources } = JSON.parse(packageSchema("1.2.3")) as {
        resources: Record<
            string,
            { inputProperties: Record<string, Record<string, unknown>>; requiredInputs?: unknown }
        >;
    };
    const platform = resources[token];
    const { registryPassword, ...settings } = platform?.inputProperties ?? {};
    expect(Object.keys(settings)).toEqual(Object.keys(stackSchema.shape));
    expect(registryPassword).toMatchObject({ type: "string", secret: true });
    expect(settings["version"]?.["description"]).toBe(
        'Version of this deployment\'s images: their tag. docs/config.md, "version".',
    );
    expect(new Set(Object.values(settings).map((each) => each["$ref"]))).toEqual(new Set(["pulumi.json#/Any"]));
    expect(platform?.requiredInputs).toBeUndefined();
});

describe("inputs become the configuration of a stack", () => {
    test("as it is written in a stack's file", () => {
        const found = configOf({ images: published, host: plain("x.example.com"), version: plain(3) }, ["aws:region"]);
        expect(JSON.parse(found.config["orcheo:stack"] ?? "")).toEqual({
            images: { kind: "published" },
            host: "x.example.com",
            version: 3,
        });
        expect(found).toMatchObject({ secretKeys: [], problems: [] });
    });

    test("one secret makes all settings secret, and the password keeps its own key", () => {
        const url = { known: true, secret: true, value: { kind: "external" } };
        const password = { known: true, secret: true, value: "pa55" };
        expect(configOf({ images: published, database: url }, []).secretKeys).toEqual(["orcheo:stack"]);
        const both = configOf({ images: published, database: url, registryPassword: password }, []);
        expect(both.secretKeys).toEqual(["orcheo:stack", "orcheo:registryPassword"]);
        expect(both.config["orcheo:registryPassword"]).toBe("pa55");
        expect(both.config["orcheo:stack"]).not.toContain("pa55");
        // Refused by the reader, as in a stack's file.
        expect(configOf({ images: published, registryPassword: plain("pa55") }, []).secretKeys).toEqual([]);
    });

    test("every problem of its own is named: images to build, what is not known, a stack's file beside", () => {
        const host = { known: false, secret: false, value: undefined };
        const { problems } = configOf({ host, images: plain({ kind: "build" }) }, ["orcheo:stack", "orcheo:other"]);
        expect(problems).toEqual([
            {
                at: "orcheo:stack.images.kind",
                found: 'found "build"',
                remedy: 'accepted: "published"',
            },
            {
                at: "orcheo:stack.host",
                found: "is not known before the update",
                remedy: "accepted: values that a preview knows",
            },
            {
                at: "orcheo:stack",
                found: "is in the stack's file",
                remedy: "accepted: only the component's inputs",
            },
        ]);
        expect(configOf({}, []).problems).toMatchObject([{ at: "orcheo:stack.images.kind", found: "is missing" }]);
    });
});

test("messages name inputs", () => {
    const message = [
        "Pulumi.dev.yaml: 3 problems, nothing was changed",
        "  - orcheo:stack.worker.replicas: found 0; accepted: a whole number from 1",
        "  - orcheo:stack.database.url.value: is not encrypted; set it with: pulumi config set --secret --path orcheo:stack.database.url.value",
        "  - orcheo:registryPassword: found in plain text; accepted: the password of orcheo:stack.registry.pull.username, set with pulumi config set --secret orcheo:registryPassword",
    ].join("\n");
    expect(asInputs(message, "Pulumi.dev.yaml", "mine")).toBe(
        [
            'orcheo:index:Platform "mine": 3 problems, nothing was changed',
            "  - worker.replicas: found 0; accepted: a whole number from 1",
            "  - database.url.value: is not encrypted; pass it as a secret",
            "  - registryPassword: found in plain text; accepted: the password of registry.pull.username, passed as a secret",
        ].join("\n"),
    );
});
