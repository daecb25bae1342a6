import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { fillIn } from "../../local/cluster/cluster.ts";
import { systemImages } from "../../local/cluster/images.ts";
import { binariesOf, toolKey } from "../../local/toolchain/build.ts";
import { MODULES } from "../../local/toolchain/compile.ts";
import { tools } from "../../local/toolchain/tools.ts";

const dir = join(import.meta.dirname, "../../local/cluster/addons");
const files = readdirSync(dir).filter((file) => file.endsWith(".yaml"));
const values = new Map([
    ...systemImages.map(({ name }): [string, string] => [`image:${name}`, `registry/${name}@sha256:0`]),
    ["volumes", "/volumes"],
    ["ingressHttpPort", "30080"],
    ["ingressHttpsPort", "30443"],
    ...["clusterCa", "ingressCaCertificate", "ingressCaKey"].map((name): [string, string] => [name, '"pem"']),
]);

describe("add-ons", () => {
    test.each(files)("%s is YAML, and every value that it refers to is known", (file) => {
        const documents = parseAllDocuments(fillIn(readFileSync(join(dir, file), "utf8"), values));
        expect(documents.flatMap((document) => document.errors)).toEqual([]);
        for (const document of documents)
            expect(document.toJS()).toMatchObject({ kind: expect.any(String) as string, metadata: {} });
    });

    test("an unknown value is refused by name", () => {
        expect(() => fillIn("image: ${image:nothing}", values)).toThrow('an add-on refers to "image:nothing"');
    });

    test("every binary of an image is a tool's", () => {
        const built = tools.flatMap(binariesOf);
        for (const { binaries } of systemImages) for (const binary of binaries) expect(built).toContain(binary);
    });

    test("CoreDNS is built with every plugin of its Corefile, and with those that add names", () => {
        const addon = readFileSync(join(dir, "20-coredns.yaml"), "utf8");
        const corefile = /Corefile: \|\n([\s\S]*?)\n---/.exec(addon)?.[1] ?? "";
        const used = [...corefile.matchAll(/^ {8}(\w+)/gm)].map(([, plugin = ""]) => plugin);
        expect(used).toContain("kubernetes");
        const main = readFileSync(join(MODULES, "coredns", "main.go"), "utf8");
        const built = [...main.matchAll(/coredns\/plugin\/(\w+)"/g)].map(([, plugin]) => plugin);
        // `rewrite` is in the ACME tests' Corefile.
        expect(built).toEqual([...new Set([...used, "hosts", "log", "rewrite", "template"])].sort());
    });

    test("each tool has its own key, also where two share a module", () => {
        const keys = tools.map((tool) => toolKey(tool));
        expect(new Set(keys).size).toBe(keys.length);
    });
});
