/** Derives from the types of @pulumi/aws which properties hold policy documents, for policies/policy-properties.ts. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const root = dirname(require.resolve("@pulumi/aws/package.json"));

interface Property {
    readonly name: string;
    readonly type: string;
    readonly doc: string;
}

/** The properties of an interface's body. */
function propertiesOf(body: string): readonly Property[] {
    const pattern = /(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\s*)?^ +(\w+)\??: pulumi\.Input<([^;]*)>;/gm;
    return [...body.matchAll(pattern)].map(([, doc = "", name = "", type = ""]) => ({ name, type, doc }));
}

/** The nested inputs, by `namespace.Interface`. */
function nestedInputs(): ReadonlyMap<string, readonly Property[]> {
    const found = new Map<string, readonly Property[]>();
    const source = readFileSync(join(root, "types/input.d.ts"), "utf8");
    for (const space of source.split(/^export declare namespace /m).slice(1)) {
        const name = /^\w+/.exec(space)?.[0] ?? "";
        for (const body of space.split(/^ {4}interface /m).slice(1)) {
            found.set(`${name}.${/^\w+/.exec(body)?.[0] ?? ""}`, propertiesOf(body));
        }
    }
    return found;
}

/** Names of properties that hold policies of IAM; policies of other kinds have other names, or are named below. */
const named =
    /^(policy|accessPolic(y|ies)|\w*PolicyDocument|policyDocument|(assumeRole|resource|repository|inline|session|deliveryDestination)Policy)$/;
const document = /^string\b|PolicyDocument\b/;
/** Names instead of texts, and rules of other languages. */
const others: readonly RegExp[] = [
    /^aws:cloudwatch\/log(Account|DataProtection|Index)Policy:\S+ policyDocument$/,
    /^aws:sns\/dataProtectionPolicy:\S+ policy$/,
    /^aws:ecr\/lifecyclePolicy:\S+ policy$/,
    /^aws:networkmanager\//,
    /^aws:opensearch\/serverless\w+Policy:\S+ policy$/,
    /^aws:verifiedaccess\/(endpoint|group):\S+ policyDocument$/,
    /^aws:iot\/policyAttachment:\S+ policy$/,
    /^aws:ses\/receiptFilter:\S+ policy$/,
];

/** Each type with the paths of its policy documents, and what looks like one and is none. */
export function derived(): {
    readonly policies: Readonly<Record<string, readonly string[]>>;
    readonly others: readonly string[];
} {
    const nested = nestedInputs();
    const within = (properties: readonly Property[], depth: number): readonly string[] =>
        properties.flatMap(({ name, type }) => {
            if (named.test(name) && document.test(type)) return [name];
            const inner = /inputs\.(\w+\.\w+)/.exec(type)?.[1];
            if (inner === undefined || depth === 0) return [];
            const key = /\[\]/.test(type) ? `${name}[]` : name;
            return within(nested.get(inner) ?? [], depth - 1).map((path) => `${key}.${path}`);
        });
    const all = readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter(
            (file) => file.endsWith(".d.ts") && !/(^|\/)(index|get[A-Z]\w*)\.d\.ts$|^types\/|node_modules/.test(file),
        )
        .flatMap((file) => {
            const script = readFileSync(join(root, file.replace(".d.ts", ".js")), "utf8");
            const type = /__pulumiType = '(aws:[^']+)'/.exec(script)?.[1];
            if (type === undefined) return [];
            const source = readFileSync(join(root, file), "utf8");
            const args = source.slice(source.lastIndexOf("export interface "));
            return within(propertiesOf(args), 3).map((path) => [type, path] as const);
        })
        .sort(([a, b], [c, d]) => (a + b < c + d ? -1 : 1));
    const other = all.map(([type, path]) => `${type} ${path}`).filter((each) => others.some((one) => one.test(each)));
    const policies: Record<string, string[]> = {};
    for (const [type, path] of all) if (!other.includes(`${type} ${path}`)) (policies[type] ??= []).push(path);
    return { policies, others: other };
}

/** The file as it is to be committed. */
export function fileOf(): string {
    const { policies, others: other } = derived();
    const lines = Object.entries(policies).map(
        ([type, paths]) => `    ${JSON.stringify(type)}: [${paths.map((path) => JSON.stringify(path)).join(", ")}],`,
    );
    return [
        "/** Written from the types of @pulumi/aws by `npm run docs` (tests/policy/policy-properties.test.ts); do not edit. */",
        "",
        "/** The properties that hold policy documents, by type. */",
        "export const policyProperties: Readonly<Record<string, readonly string[]>> = {",
        ...lines,
        "};",
        "",
        "/** Properties of the same names that hold something else, as `type property`. */",
        "export const otherLanguages: readonly string[] = [",
        ...other.map((each) => `    ${JSON.stringify(each)},`),
        "];",
        "",
    ].join("\n");
}
