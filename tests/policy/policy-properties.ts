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

/** Properties, as `type path`, whose names say that they hold a policy in the language of IAM; others are listed below. */
const named =
    /[ .](policy|accessPolic(y|ies)|\w*PolicyDocument|policy(Document|Body|Text|Template|Content|Json)|(assumeRole|resource|repository|inline|session|deliveryDestination)Policy)$|[pP]olicy:\S+ (content|document|body|text|statement|definition)$/;
/** Documentation of a property that may hold one, whatever its name. */
const described = /JSON[^.]*\bpolic(y|ies)\b|\bpolic(y|ies)\b[^.]*\bJSON\b|\bpolicy document\b/i;
const document = /^string\b|PolicyDocument\b/;
/** Names of policies, policies in other languages, and documents that limit instead of granting anything. */
const others: readonly RegExp[] = [
    /^aws:cloudwatch\/log(Account|DataProtection|Index)Policy:\S+ policyDocument$/,
    /^aws:sns\/dataProtectionPolicy:\S+ policy$/,
    /^aws:ecr\/lifecyclePolicy:\S+ policy$/,
    /^aws:networkmanager\//,
    /^aws:opensearch\/serverless\w+Policy:\S+ policy$/,
    /^aws:verifiedaccess\/(endpoint|group):\S+ policyDocument$/,
    /^aws:iot\/policyAttachment:\S+ policy$/,
    /^aws:ses\/receiptFilter:\S+ policy$/,
    // Service control policies and the like only limit what others grant.
    /^aws:organizations\/policy:\S+ content$/,
    // A stack policy protects resources from updates, and its principal is always "*".
    /^aws:cloudformation\/stack:\S+ policyBody$/,
    // Without a principal: resource shares name those.
    /^aws:ram\/permission:\S+ policyTemplate$/,
    /^aws:cfg\/\S+ (\S+\.)?policyText$/,
    /^aws:route53\/trafficPolicy:\S+ document$/,
    / (autoscaling|browser|delivery|filter|lifecycle|redrive(Allow)?|replay)Policy$/,
    / (\S+Arn|\S+Alias)$/,
];

/** Each type with the paths of its policy documents, those in other languages, and those that are neither as far as this file knows. */
export function derived(): {
    readonly policies: Readonly<Record<string, readonly string[]>>;
    readonly others: readonly string[];
    readonly unclassified: readonly string[];
} {
    const nested = nestedInputs();
    const within = (properties: readonly Property[], depth: number): readonly Property[] =>
        properties.flatMap(({ name, type, doc }) => {
            if (document.test(type)) return [{ name, type, doc }];
            const inner = /inputs\.(\w+\.\w+)/.exec(type)?.[1];
            if (inner === undefined || depth === 0) return [];
            const key = /\[\]/.test(type) ? `${name}[]` : name;
            return within(nested.get(inner) ?? [], depth - 1).map((each) => ({ ...each, name: `${key}.${each.name}` }));
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
            return within(propertiesOf(args), 3).map(({ name, doc }) => ({ type, path: name, doc }));
        })
        .sort((a, b) => (a.type + a.path < b.type + b.path ? -1 : 1));
    const whole = ({ type, path }: { type: string; path: string }): string => `${type} ${path}`;
    const isOther = (each: { type: string; path: string }): boolean => others.some((one) => one.test(whole(each)));
    const byName = all.filter((each) => named.test(whole(each)));
    const policies: Record<string, string[]> = {};
    for (const each of byName) if (!isOther(each)) (policies[each.type] ??= []).push(each.path);
    const unclassified = all.filter((each) => !named.test(whole(each)) && described.test(each.doc) && !isOther(each));
    return { policies, others: byName.filter(isOther).map(whole), unclassified: unclassified.map(whole) };
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
