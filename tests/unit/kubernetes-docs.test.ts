import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { parseStack } from "../../components/stack/read";
import { settingsOf } from "../harness";

const text = readFileSync("docs/kubernetes.md", "utf8");
const examples = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = ""]) => block);

it("holds examples", () => {
    expect(examples.length).toBeGreaterThan(5);
});

it.each(examples)("%s", (block) => {
    const json = JSON.stringify({ ...settingsOf("dev"), ...(parse(block) as object) });
    expect(parseStack({ stack: "dev", keys: [], json, secret: false }).problems).toEqual([]);
});
