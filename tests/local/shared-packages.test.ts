import { describe, expect, test } from "vitest";
import { type Listing, type Package, sharesOf, shareReport } from "../../local/toolchain/shared-packages.plan.ts";
import { packagesIn } from "../../local/toolchain/shared-packages.ts";

const of = (path: string, version: string, bytes: number, imports: readonly string[] = []): Package => ({
    path,
    module: version === "" ? "std" : `${path}@${version}`,
    files: ["one.go"],
    bytes,
    imports,
});
const io = of("io", "", 10);
const tool = (name: string, packages: readonly Package[], compiler = "go1.27.4"): Listing => ({
    tool: name,
    compiler,
    packages,
});

describe("what is compiled more than once", () => {
    test("nothing, if versions and compilers agree", () => {
        const packages = [io, of("example.org/sys", "v1", 20, ["io"])];
        expect(sharesOf([tool("a", packages), tool("b", packages)])).toEqual({
            compiled: 30,
            repeated: 0,
            repetitions: [],
        });
    });

    test("another version makes the package and all that import it differ", () => {
        const using = (version: string) => [
            io,
            of("example.org/sys", version, 20, ["io"]),
            of("example.org/net", "v1", 300, ["example.org/sys"]),
        ];
        const { compiled, repeated, repetitions } = sharesOf([tool("a", using("v1")), tool("b", using("v2"))]);
        expect([compiled, repeated]).toEqual([650, 320]);
        expect(repetitions).toEqual([
            {
                module: "example.org/net",
                bytes: 300,
                variants: [{ version: "v1", compiler: "go1.27.4", tools: ["a", "b"] }],
            },
            {
                module: "example.org/sys",
                bytes: 20,
                variants: [
                    { version: "v1", compiler: "go1.27.4", tools: ["a"] },
                    { version: "v2", compiler: "go1.27.4", tools: ["b"] },
                ],
            },
        ]);
    });

    test("another compiler makes everything differ, the standard library too", () => {
        const shares = sharesOf([tool("a", [io], "go1.26.8"), tool("b", [io])]);
        expect(shares.repetitions.map(({ module, bytes }) => [module, bytes])).toEqual([["std", 10]]);
    });

    test("build tags that choose other files make a package differ; its larger variant is no repetition", () => {
        const tagged = { ...of("example.org/sys", "v1", 25), files: ["one.go", "two.go"] };
        expect(sharesOf([tool("a", [of("example.org/sys", "v1", 20)]), tool("b", [tagged])]).repeated).toBe(20);
    });
});

test("the report names versions and tools, the largest repetition first", () => {
    const shares = sharesOf([
        tool("a", [of("example.org/net", "v1", 1_000_000), of("example.org/sys", "v1", 3_000_000)]),
        tool("b", [of("example.org/net", "v2", 1_000_000), of("example.org/sys", "v2", 3_000_000)]),
    ]);
    expect(shareReport(shares, 1)).toBe(
        [
            "8.0 MB of Go sources are compiled, 4.0 MB (50 %) of them more than once.",
            "3.0 MB example.org/sys",
            "    v1 go1.27.4: a",
            "    v2 go1.27.4: b",
        ].join("\n"),
    );
});

test("reads what `go list -deps -json` prints", () => {
    const printed = [
        { ImportPath: "io", Standard: true, GoFiles: ["io.go"], Imports: ["sync"] },
        {
            ImportPath: "example.org/dns",
            Module: { Path: "example.org/dns", Version: "v1.2.0" },
            Imports: ["golang.org/x/net/dns"],
            ImportMap: { "golang.org/x/net/dns": "vendor/golang.org/x/net/dns" },
        },
        {
            ImportPath: "example.org/mux",
            Module: {
                Path: "example.org/mux",
                Version: "v1.0.0",
                Replace: { Path: "example.org/fork", Version: "v2" },
            },
        },
        {
            ImportPath: "example.org/api",
            Module: {
                Path: "example.org/api",
                Version: "v3.0.0",
                Replace: { Path: "example.org/api", Version: "v3.0.0" },
            },
        },
        {
            ImportPath: "example.org/cut",
            Module: { Path: "example.org/cut", Version: "v1.0.0", Replace: { Path: "./patched-0" } },
        },
    ];
    const text = printed.map((one) => `${JSON.stringify(one, undefined, "\t")}\n`).join("");
    expect(packagesIn(text).map(({ path, module, imports }) => [path, module, imports])).toEqual([
        ["io", "std", ["sync"]],
        ["example.org/dns", "example.org/dns@v1.2.0", ["vendor/golang.org/x/net/dns"]],
        ["example.org/mux", "example.org/mux@v1.0.0 => example.org/fork v2", []],
        ["example.org/api", "example.org/api@v3.0.0", []],
        ["example.org/cut", "example.org/cut@v1.0.0 => ./patched-0", []],
    ]);
});
