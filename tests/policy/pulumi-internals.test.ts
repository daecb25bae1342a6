/** What is not Pulumi's API may change with any release: one file loads it, and names the versions that it was checked with. */
import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { analyzerProtocol, checkedWith, deserializer } from "../../policies/pulumi-internals.ts";
import { at, fields } from "../../policies/values.ts";

const root = new URL("../../", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), "utf8");

test("the versions that are installed are those that it was checked with", () => {
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
    expect(dependencies).toMatchObject(checkedWith);
});

test("they still have the members that are used", () => {
    expect(fields(deserializer())["deserializeProperties"]).toBeTypeOf("function");
    for (const call of ["configureStack", "configure"])
        expect(at(analyzerProtocol(), "AnalyzerService", call, "requestDeserialize")).toBeTypeOf("function");
});

test("no other file imports a module below the packages' entry points", () => {
    const sources = ["components", "policies", "local"].flatMap((folder) =>
        readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
            .filter((file) => file.endsWith(".ts"))
            .map((file) => `${folder}/${file}`),
    );
    const deep = [...sources, "index.ts"].filter((file) => /"@pulumi\/(pulumi|policy)\/[^"]/.test(read(file)));
    expect(deep).toEqual(["policies/pulumi-internals.ts"]);
});
