import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { configDocs, configSchema } from "../../../components/config/docs";
import { examples } from "../../../components/config/examples";
import { parseStack } from "../../../components/stack/read";
import { stackSchema } from "../../../components/config/schema";
import { settingsOf } from "../../harness";

// `npm run docs` runs this with --update.
it("docs/config.md is what the schema says", async () => {
    await expect(configDocs()).toMatchFileSnapshot("../../../docs/config.md");
});

it("stack.schema.json is what the schema says", async () => {
    await expect(configSchema()).toMatchFileSnapshot("../../../stack.schema.json");
});

describe("examples of docs/config.md", () => {
    const required = { kubernetes: { context: "my-cluster" }, registry: { prefix: "registry.example.com/orcheo" } };

    it.each(Object.entries(examples))("%s is accepted", (section, text) => {
        const settings = { ...required, version: "1.0.0", ...(parse(text) as object) };
        expect(settings).toHaveProperty(section);
        const json = JSON.stringify(settings);
        const { problems } = parseStack({ stack: "example", keys: ["orcheo:stack"], json, secret: false });
        expect(problems).toEqual([]);
    });

    it("every section has one; aws has the committed production stack", () => {
        const scalars = ["release", "version", "rollbackTo", "host"];
        const sections = Object.keys(stackSchema.shape).filter((key) => !scalars.includes(key) && key !== "aws");
        expect(Object.keys(examples).sort()).toEqual(sections.sort());
        expect(settingsOf("prod")).toHaveProperty("aws");
    });
});
