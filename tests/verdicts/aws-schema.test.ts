/**
 * The AWS provider of these tests is older than the SDK that the program is written with. Where their inputs and outputs differ, by name
 * or shape, is listed in aws/schema-differences.txt: what only the SDK knows cannot be tried with this provider.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { at, fields, text } from "../../policies/values.ts";
import { pulumi, environment } from "./engine.ts";

const sdk = join(import.meta.dirname, "../../node_modules/@pulumi/aws");

/** Inputs are what a program gives to a resource, outputs what it gets back. */
type Direction = "input" | "output";

type Shape = "string" | "number" | "boolean" | "object" | "list" | "map";
interface Property {
    readonly shape: Shape;
    /** Name of its object type, such as `eks/ClusterVpcConfig`. */
    readonly type?: string;
}
type Properties = Readonly<Record<string, Property>>;

/** Of a value that is no list and no map. An enumeration is among strings; a document may be either, and is one in the API. */
function single(type: string): Shape {
    if (/\bstring\b|PolicyDocument|ARN/.test(type)) return "string";
    if (/\bboolean\b/.test(type)) return "boolean";
    return /\bnumber\b/.test(type) ? "number" : "object";
}

/** The members of a body, be they of an interface or, as outputs, of a class. */
function membersIn(body: string): Properties {
    const code = body.replaceAll(/\/\*\*.*?\*\//gs, "");
    const members = [...code.matchAll(/^ *(?:readonly )?(\w+)\??: (.*(?:\{\n.*\n *\}.*)?);$/gm)];
    return Object.fromEntries(
        members.map(([, name = "", type = ""]) => {
            const [, module, object] = /(?:in|out)puts\.([a-z0-9]+)\.(\w+)/.exec(type) ?? [];
            const shape: Shape = type.includes("[key: string]") ? "map" : type.includes("[]") ? "list" : single(type);
            return [name, { shape, ...(object !== undefined && { type: `${module ?? ""}/${object}` }) }];
        }),
    );
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** What the SDK has of a resource. */
function sdkResource(resource: string): Record<Direction, Properties> {
    const [module = "", name = ""] = resource.split("/");
    const file = readFileSync(join(sdk, module, `${lowerFirst(name)}.d.ts`), "utf8");
    const [outputs = "", inputs = ""] = [`export declare class ${name} `, `export interface ${name}Args {`].map(
        (start) => {
            const body = file.slice(file.indexOf(start));
            return body.slice(0, body.indexOf("\n}"));
        },
    );
    const gets = outputs.replaceAll(/^ {4}(?!readonly ).*\{$.*?^ {4}\}$/gms, "");
    return { input: membersIn(inputs), output: membersIn(gets) };
}

function namespacesIn(direction: Direction): ReadonlyMap<string, string> {
    const file = readFileSync(join(sdk, `types/${direction}.d.ts`), "utf8");
    const found = [...file.matchAll(/^export declare namespace (\w+) \{\n(.*?)^\}$/gms)];
    return new Map(found.map(([, name = "", body = ""]) => [name, body]));
}
const namespaces = { input: namespacesIn("input"), output: namespacesIn("output") };

/** The members of an object type of the SDK. */
function sdkType(direction: Direction, type: string): Properties {
    const [module = "", name = ""] = type.split("/");
    const body = namespaces[direction].get(module) ?? "";
    const start = body.indexOf(`    interface ${name} {`);
    return start < 0 ? {} : membersIn(body.slice(start, body.indexOf("\n    }", start)));
}

const shapes: Readonly<Record<string, Shape>> = {
    array: "list",
    object: "map",
    string: "string",
    boolean: "boolean",
    integer: "number",
    number: "number",
};

/** Properties of the provider's schema. */
function schemaProperties(properties: unknown): Properties {
    return Object.fromEntries(
        Object.entries(fields(properties)).map(([name, property]) => {
            const kind = text(at(property, "type"));
            const shape: Shape = shapes[kind ?? ""] ?? "object";
            const ref = text(at(property, "$ref")) ?? text(at(property, "items", "$ref")) ?? "";
            const [, type] = /^#\/types\/aws:(.*):/.exec(decodeURIComponent(ref)) ?? [];
            return [name, { shape, ...(type !== undefined && { type }) }];
        }),
    );
}

function differences(
    path: string,
    ours: Properties,
    theirs: Properties,
    typesOf: { readonly sdk: (type: string) => Properties; readonly provider: (type: string) => Properties },
): string[] {
    return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort().flatMap((name) => {
        const [mine, other] = [ours[name], theirs[name]];
        const here = `${path}.${name}`;
        if (mine === undefined) return [`${here}: only in the provider`];
        if (other === undefined) return [`${here}: only in the SDK`];
        if (mine.shape !== other.shape) return [`${here}: ${mine.shape} in the SDK, ${other.shape} in the provider`];
        if (mine.type === undefined || other.type === undefined) return [];
        return differences(here, typesOf.sdk(mine.type), typesOf.provider(other.type), typesOf);
    });
}

test("the provider differs from the SDK where the list says so", async () => {
    const plugin = execFileSync("sh", ["-c", "command -v pulumi-resource-aws"], { encoding: "utf8" }).trim();
    const { stdout, output, code } = await pulumi(
        import.meta.dirname,
        ["package", "get-schema", plugin],
        environment(import.meta.dirname),
    );
    expect(code, output.slice(0, 4000)).toBe(0);
    const schema: unknown = JSON.parse(stdout);
    const types = new Map(
        Object.entries(fields(at(schema, "types"))).map(([token, type]) => [
            token.split(":")[1] ?? "",
            schemaProperties(at(type, "properties")),
        ]),
    );
    const provider = (each: string): Properties => {
        const found = types.get(each);
        if (found === undefined) throw new Error(`the provider's schema has no type ${each}`);
        return found;
    };
    const resources = Object.entries(fields(at(schema, "resources")));
    expect(resources.length).toBeGreaterThan(50);
    const lines = resources.flatMap(([token, resource]) => {
        const [, module = "", name = ""] = /^aws:([a-z0-9]+)\/\w+:(\w+)$/.exec(token) ?? [];
        const type = `${module}/${name}`;
        const ours = sdkResource(type);
        const compared = (direction: Direction, key: string): string[] =>
            differences(type, ours[direction], schemaProperties(at(resource, key)), {
                sdk: (each) => sdkType(direction, each),
                provider,
            });
        const inputs = compared("input", "inputProperties");
        // Every input is an output too, and is in the list once.
        const outputs = compared("output", "properties").filter((line) => !inputs.includes(line));
        return [...inputs, ...outputs.map((line) => `${line} (output)`)];
    });
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("aws/schema-differences.txt");
});
