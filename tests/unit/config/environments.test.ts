/**
 * Settings from Pulumi ESC environments. Opening one needs Pulumi Cloud; these tests begin with its values, merged as
 * Pulumi merges them.
 */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { isRecord } from "../../../components/config/values";
import { parseStack } from "../../../components/stack/read";
import { merge, settingsOf as settingsOfFile } from "../../../local/settings";
import schema from "../../../stack.schema.json";

const file = parse(`
environment:
  - orcheo/prod
config:
  orcheo:stack:
    kubernetes: { context: prod }
    version: 0.1.0
`) as { readonly config: Readonly<Record<string, unknown>> };

/** The environment's own YAML, as docs/config.md shows it. */
const environment = parse(`
values:
  registry:
    password: opened by the environment
  pulumiConfig:
    orcheo:stack:
      kubernetes: { context: staging, namespace: orcheo-prod }
      registry:
        prefix: registry.example.com/orcheo
        pull: { kind: credentials, username: puller }
    orcheo:registryPassword: \${registry.password}
`) as { readonly values: { readonly pulumiConfig: Readonly<Record<string, unknown>> } };

/** Pulumi's rule (sdk/go/common/resource/config/object.go): mappings are merged by key, and the file wins. */
function merged(over: unknown, base: unknown): unknown {
    if (!isRecord(over) || !isRecord(base)) return over ?? base;
    const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
    return Object.fromEntries([...keys].map((key) => [key, merged(over[key], base[key])]));
}

function parsed(config: Readonly<Record<string, unknown>>, secretKeys: readonly string[]) {
    const json = JSON.stringify(config["orcheo:stack"]);
    return parseStack({ stack: "prod", keys: Object.keys(config), json, secret: false, secretKeys });
}

describe("a stack file with an environment", () => {
    it("is a stack file to the schema and to `make up`", () => {
        expect(schema.additionalProperties).toEqual({});
        expect(settingsOfFile(file, "Pulumi.prod.yaml")).toEqual({ kubernetes: { context: "prod" }, version: "0.1.0" });
        expect(merge(file, { config: {} })).toHaveProperty("environment", ["orcheo/prod"]);
    });

    it("gets the settings that the environment has, where the file has none", () => {
        const config = merged(file.config, environment.values.pulumiConfig) as Record<string, unknown>;
        const { stack, problems } = parsed(config, ["orcheo:registryPassword"]);
        expect(problems).toEqual([]);
        expect(stack).toMatchObject({
            kubernetes: { context: "prod", namespace: "orcheo-prod" },
            registry: { prefix: "registry.example.com/orcheo", pull: { kind: "credentials", username: "puller" } },
        });
    });

    it("is refused as ever when the environment's settings are wrong, or its password is no secret", () => {
        const config = merged(file.config, {
            ...environment.values.pulumiConfig,
            "orcheo:stack": {
                ...(environment.values.pulumiConfig["orcheo:stack"] as object),
                databas: {},
            },
        }) as Record<string, unknown>;
        expect(parsed(config, []).problems.map(({ at }) => at)).toEqual([
            "orcheo:stack.databas",
            "orcheo:registryPassword",
        ]);
        const plain = merged(file.config, environment.values.pulumiConfig) as Record<string, unknown>;
        expect(parsed(plain, []).problems).toEqual([
            expect.objectContaining({ at: "orcheo:registryPassword", found: "found in plain text" }),
        ]);
    });
});
