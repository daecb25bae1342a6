/** The guard of the floors (.dependency-cruiser.mjs) finds what it is there for: a small tree with one violation of each rule. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise, type ICruiseOptions, type ICruiseResult, type IFlattenedRuleSet } from "dependency-cruiser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** The guard's own rules; its file has no types. */
const rulesFile: string = "../../.dependency-cruiser.mjs";
let forbidden: NonNullable<IFlattenedRuleSet["forbidden"]>;
let options: ICruiseOptions;

/** Files that keep every rule, each with its text. */
const kept = {
    "package.json": JSON.stringify({
        dependencies: Object.fromEntries(
            ["zod", "@pulumi/pulumi", "@pulumi/aws", "left-over"].map((name) => [name, "1"]),
        ),
        devDependencies: { vitest: "1" },
    }),
    ...Object.fromEntries(
        ["zod", "@pulumi/pulumi", "@pulumi/aws", "left-over", "vitest"].map((name) => [
            `node_modules/${name}/index.js`,
            "module.exports = {};",
        ]),
    ),
    "index.ts": `import { database } from "./components/database/database";
        import { network } from "./components/network/network";
        import { read } from "./components/stack/stack";
        export = [database, network, read];`,
    "components/config/schema.ts": `import { z } from "zod"; export const schema = z; export type Stack = string;`,
    "components/kubernetes/labels.ts": `import type { Stack } from "../config/schema"; export const labels = (stack: Stack) => stack;`,
    "components/machine.ts": `import { readFileSync } from "node:fs";
        import type { Stack } from "./config/schema"; export const read = (stack: Stack) => readFileSync(stack);`,
    "components/network/network.ts": `import * as aws from "@pulumi/aws"; import { planNetwork } from "./network.plan";
        import { read } from "../machine"; export const network = [aws, planNetwork, read];`,
    "components/network/network.plan.ts": `import type { Vpc } from "@pulumi/aws"; import { output } from "@pulumi/pulumi";
        import { reach } from "./reach.plan"; export const planNetwork = [reach, output]; export type Net = Vpc;`,
    "components/network/reach.plan.ts": `import { labels } from "../kubernetes/labels"; export const reach = labels;`,
    "components/database/database.ts": `import { planNetwork } from "../network/network.plan"; export const database = planNetwork;`,
    "components/stack/stack.ts": `import { schema } from "../config/schema"; import { network } from "../network/network";
        import table from "../../images/table.json"; import { read as settings } from "./read";
        export const read = [schema, network, table, settings];`,
    "images/table.json": "{}",
    "policies/pack.ts": "export const pack = 1;",
    "local/main.ts": "export const main = 1;",
    "tools/main.ts": "export const status = 1;",
    "compose/stack.plan.ts": `import { read } from "../components/stack/read"; export const settings = read;`,
    "components/stack/read.ts": "export const read = 1;",
    "pulumi-package/provider.ts": `import program from "../index"; import { schema } from "../components/config/schema";
        export const provider = [program, schema];`,
    "tests/unit/a.test.ts": `import { reach } from "../../components/network/reach.plan"; reach("");`,
    "tests/e2e/a.test.ts": `import { main } from "../../local/main"; export default main;`,
};

/** A line added to one of them, or a new file, that breaks the rule. */
const broken: readonly (readonly [rule: string, file: string, line: string, found: string])[] = [
    ["no-cycle", "components/network/reach.plan.ts", 'import "./network.plan";', "components/network/reach.plan.ts"],
    [
        "no-cycle",
        "components/network/reach.plan.ts",
        'import type { Net } from "./network.plan"; export type Again = Net;',
        "components/network/reach.plan.ts",
    ],
    [
        "config-stands-alone",
        "components/config/schema.ts",
        'import "../kubernetes/quantity";',
        "components/kubernetes/quantity.ts",
    ],
    [
        "config-stands-alone",
        "components/config/schema.ts",
        'import "@pulumi/pulumi";',
        "node_modules/@pulumi/pulumi/index.js",
    ],
    ["config-stands-alone", "components/config/schema.ts", 'import "node:fs";', "fs"],
    ["config-stands-alone", "components/config/schema.ts", 'import "../../images/table.json";', "images/table.json"],
    [
        "kubernetes-knows-no-part",
        "components/kubernetes/labels.ts",
        'import type { a } from "../other/other"; export type A = typeof a;',
        "components/other/other.ts",
    ],
    ["kubernetes-knows-no-part", "components/kubernetes/labels.ts", 'import "../machine";', "components/machine.ts"],
    ["machine-knows-no-part", "components/machine.ts", 'import "./other/other";', "components/other/other.ts"],
    [
        "stack-is-the-top",
        "components/database/database.ts",
        'import type { read } from "../stack/stack"; export type R = typeof read;',
        "components/stack/stack.ts",
    ],
    ["stack-is-the-top", "components/machine.ts", 'import "./stack/stack";', "components/stack/stack.ts"],
    ["index-is-the-end", "components/database/database.ts", 'import "../../index";', "index.ts"],
    [
        "no-internals",
        "components/database/database.ts",
        'import { reach } from "../network/reach.plan"; reach("");',
        "components/network/reach.plan.ts",
    ],
    [
        "no-internals",
        "components/stack/stack.ts",
        'import { reach } from "../network/reach.plan"; reach("");',
        "components/network/reach.plan.ts",
    ],
    [
        "no-internals-in-index",
        "index.ts",
        'import { reach } from "./components/network/reach.plan"; reach("");',
        "components/network/reach.plan.ts",
    ],
    ["no-flat-file", "components/database/database.ts", 'import "../flat";', "components/flat.ts"],
    [
        "plans-are-pure",
        "components/network/reach.plan.ts",
        'import { ec2 } from "@pulumi/aws"; export { ec2 };',
        "node_modules/@pulumi/aws/index.js",
    ],
    [
        "plans-are-pure",
        "components/network/reach.plan.ts",
        'import { read } from "../machine"; export { read };',
        "components/machine.ts",
    ],
    [
        "plans-are-pure",
        "components/network/reach.plan.ts",
        'import { readFileSync } from "node:fs"; export { readFileSync };',
        "fs",
    ],
    ["no-dead-file", "components/database/unused.ts", "export const unused = 1;", "components/database/unused.ts"],
    ["program-alone", "components/database/database.ts", 'import "../../policies/pack";', "policies/pack.ts"],
    ["program-alone", "components/database/database.ts", 'import "../../tests/e2e/a.test";', "tests/e2e/a.test.ts"],
    ["policies-alone", "policies/pack.ts", 'import "../components/config/schema";', "components/config/schema.ts"],
    ["local-alone", "local/main.ts", 'import "../policies/pack";', "policies/pack.ts"],
    [
        "compose-renders-plans",
        "compose/stack.plan.ts",
        'import "../components/network/network";',
        "components/network/network.ts",
    ],
    [
        "compose-renders-plans",
        "compose/stack.plan.ts",
        'import "@pulumi/pulumi";',
        "node_modules/@pulumi/pulumi/index.js",
    ],
    [
        "nothing-needs-compose",
        "components/database/database.ts",
        'import "../../compose/stack.plan";',
        "compose/stack.plan.ts",
    ],
    [
        "package-runs-the-program",
        "pulumi-package/provider.ts",
        'import "../components/machine";',
        "components/machine.ts",
    ],
    [
        "nothing-needs-package",
        "components/database/database.ts",
        'import "../../pulumi-package/provider";',
        "pulumi-package/provider.ts",
    ],
    ["tools-know-no-part", "tools/main.ts", 'import "../components/machine";', "components/machine.ts"],
    [
        "end-to-end-from-outside",
        "tests/e2e/a.test.ts",
        'import "../../components/config/schema";',
        "components/config/schema.ts",
    ],
    ["no-development-packages", "components/database/database.ts", 'import "vitest";', "node_modules/vitest/index.js"],
    ["no-missing-file", "components/database/database.ts", 'import "../nowhere/nowhere";', "../nowhere/nowhere"],
];

/** Files that only the broken lines import. */
const others = {
    "components/kubernetes/quantity.ts": "export const quantity = 1;",
    "components/other/other.ts": "export const a = 1;",
    "components/flat.ts": "export const flat = 1;",
};

let root: string;
beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "imports-"));
    const { default: rules } = (await import(rulesFile)) as {
        default: Required<Pick<IFlattenedRuleSet, "forbidden">> & { readonly options: ICruiseOptions };
    };
    ({ forbidden, options } = rules);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Rule and target of every violation in a tree of these files. */
async function violations(name: string, files: Readonly<Record<string, string>>): Promise<string[]> {
    const baseDir = join(root, name);
    for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(baseDir, path)), { recursive: true });
        await writeFile(join(baseDir, path), text);
    }
    const roots = ["index.ts", "pulumi-package", "components", "compose", "policies", "local", "tools", "tests"];
    const { output } = await cruise(roots, { ...options, baseDir, validate: true, ruleSet: { forbidden } });
    return (output as ICruiseResult).summary.violations.map(({ rule, to }) => `${rule.name}: ${to}`);
}

describe("the floors", () => {
    test("a tree that keeps them has no violation", async () => {
        expect(await violations("kept", kept)).toEqual([]);
    });

    test.each(broken.map((one, index) => [...one, index] as const))(
        "%s is broken by %s with %s",
        async (rule, file, line, found, index) => {
            const given: Readonly<Record<string, string>> = { ...kept, ...others };
            const changed = { ...given, [file]: `${line}\n${given[file] ?? ""}` };
            expect(await violations(String(index), changed)).toContain(`${rule}: ${found}`);
        },
    );

    test("every rule has a tree that breaks it", () => {
        expect([...new Set(broken.map(([rule]) => rule))].sort()).toEqual(forbidden.map(({ name }) => name).sort());
    });
});
