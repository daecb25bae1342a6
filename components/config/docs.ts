/** docs/config.md and stack.schema.json, from the schema: `npm run docs` writes them, a unit test holds them up to date. */
import { z } from "zod";
import { examples } from "./examples";
import { stackSchema } from "./schema";

const intro = `# Settings

Generated from components/config by \`npm run docs\`; change the schema, not this file.

All settings of a stack are below the key \`orcheo:stack\` in \`Pulumi.<stack>.yaml\`. From the command line:

    pulumi config set --path orcheo:stack.kubernetes.context kind-kind

A setting that is unknown, missing, out of range or in conflict with another is refused before anything changes, together
with every other problem. Where a setting has several kinds, only the keys of the chosen kind are accepted: the column
"only with" names it. Editors complete and check the settings with [stack.schema.json](../stack.schema.json), which the
first line of each \`Pulumi.<stack>.yaml\` names.

A setting that gives up a safe default (components/stack/unsafe.plan.ts has the list) is accepted and stays visible: a preview
shows a resource \`UnsafeChoice\` with its name, and the policy pack refuses it until an exception names it, with a reason and an
expiry date:

    config:
      orcheo:policyExceptions:
        - rule: unsafe-choice
          resource: UnsafeChoice::aws.network.natPerZone
          reason: a test environment
          expires: 2027-06-30

Settings and secrets may also come from a Pulumi ESC environment. List it in \`Pulumi.<stack>.yaml\`, beside \`config\`:

    environment:
      - orcheo/prod

and put the settings below \`pulumiConfig\` in the environment; a secret is marked there with \`fn::secret\`:

    values:
      registry:
        password:
          fn::secret: …
      pulumiConfig:
        orcheo:stack:
          registry:
            prefix: registry.example.com/orcheo
            pull: { kind: credentials, username: puller }
        orcheo:registryPassword: \${registry.password}

Pulumi merges the two key by key before the program and the policy pack run, the file wins, and the result is checked like any
other: keep a section that has a \`kind\` in one of the two places. Environments require a stack whose state is in Pulumi Cloud. With any other
backend Pulumi refuses the file ("backend … does not support environments"), so \`make up\` cannot use one. The tests cover the merged
settings; opening an environment was not tested, because it requires an account.
`;

type Schema = z.core.JSONSchema.BaseSchema;

interface Row {
    /** Relative to the section's path. */
    readonly key: string;
    readonly accepted: string;
    readonly fallback: string;
    readonly doc: string;
    /** Kinds that have the key, such as `kind: rds`; none when all have it. */
    readonly onlyWith: readonly string[];
}

interface Section {
    readonly path: string;
    readonly doc: string;
    readonly rows: readonly Row[];
    readonly nested: readonly Section[];
    readonly onlyWith: readonly string[];
}

/** A property, and the kinds of its parent that have it. */
interface Property {
    readonly name: string;
    readonly schema: Schema;
    readonly required: boolean;
    readonly kinds: readonly string[];
}

/** A nested object with at most this many keys is listed in its parent's table. */
const INLINE_ROWS = 5;

const root = (): Schema => z.toJSONSchema(stackSchema, { io: "input" });

/** The whole text of docs/config.md. */
export function configDocs(): string {
    const { rows, nested } = sectionOf(root(), "");
    const links = nested.map(({ path }) => `[${path}](#${path.toLowerCase()})`).join(" · ");
    return `${[intro, links, "## Top level", table(rows), ...nested.flatMap((each) => printed(each, 2))].join("\n\n")}\n`;
}

/** The JSON Schema of a whole Pulumi.<stack>.yaml, for editors. */
export function configSchema(): string {
    const file = z.looseObject({ config: z.looseObject({ "orcheo:stack": stackSchema }).optional() });
    const schema = z.toJSONSchema(file, { io: "input", reused: "ref" });
    // `accepted` is a sentence for people, not a keyword.
    return `${JSON.stringify(schema, (key, value: unknown) => (key === "accepted" ? undefined : value), 1)}\n`;
}

function printed({ path, doc, rows, nested, onlyWith }: Section, depth: number): string[] {
    const example = examples[path];
    return [
        `${"#".repeat(depth)} ${path}${onlyWith.length === 0 ? "" : ` (${onlyWith.join(" and ")})`}`,
        ...(doc === "" ? [] : [doc]),
        ...(example === undefined ? [] : [`\`\`\`yaml\n${example.trim()}\n\`\`\``]),
        ...(rows.length === 0 ? [] : [table(rows)]),
        ...nested.flatMap((each) => printed(each, 3)),
    ];
}

function table(rows: readonly Row[]): string {
    const only = rows.some(({ onlyWith }) => onlyWith.length > 0);
    const head = ["key", "accepted", "default", ...(only ? ["only with"] : []), ""];
    const lines = rows.map(({ key, accepted, fallback, doc, onlyWith }) => [
        `\`${key}\``,
        cell(accepted),
        cell(fallback),
        ...(only ? [onlyWith.map((each) => `\`${each}\``).join(" and ")] : []),
        cell(doc),
    ]);
    return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function sectionOf(schema: Schema, path: string): Section {
    const variants = variantsOf(schema);
    const rows: Row[] = variants.length === 0 ? [] : [kindRow(variants, schema)];
    const nested: Section[] = [];
    for (const { name, schema: property, required, kinds } of propertiesOf(schema, variants)) {
        const onlyWith = kinds.length === 0 ? [] : [`kind: ${kinds.join(" or ")}`];
        if (!isNested(property)) {
            rows.push({
                key: name,
                accepted: acceptedBy(property),
                fallback: fallbackOf(property, required),
                doc: docOf(property),
                onlyWith,
            });
            continue;
        }
        const inner = sectionOf(property, path === "" ? name : `${path}.${name}`);
        if (path !== "" && inner.nested.length === 0 && inner.rows.length <= INLINE_ROWS)
            rows.push(...inlined(inner, name, onlyWith));
        else {
            if (path !== "") rows.push({ key: name, accepted: "see below", fallback: "", doc: inner.doc, onlyWith });
            nested.push({ ...inner, onlyWith });
        }
    }
    return { path, doc: docOf(schema), rows: merged(rows), nested, onlyWith: [] };
}

function kindRow(variants: readonly Schema[], schema: Schema): Row {
    const chosen: unknown = isObject(schema.default) ? schema.default["kind"] : undefined;
    return {
        key: "kind",
        accepted: variants.map((each) => `"${kindOf(each)}"`).join(" or "),
        fallback: typeof chosen === "string" ? `"${chosen}"` : "",
        doc: "",
        onlyWith: [],
    };
}

function inlined({ rows, doc }: Section, name: string, onlyWith: readonly string[]): Row[] {
    return rows.map((row, index) => ({
        ...row,
        key: `${name}.${row.key}`,
        doc: index === 0 && row.doc === "" ? doc : row.doc,
        onlyWith: [...onlyWith, ...row.onlyWith.map((each) => `${name}.${each}`)],
    }));
}

/** Rows that differ only in the last kind they belong to, once. */
function merged(rows: readonly Row[]): Row[] {
    const result: Row[] = [];
    for (const row of rows) {
        const index = result.findIndex((former) => bothKinds(former, row) !== undefined);
        const former = result[index];
        const onlyWith = former && bothKinds(former, row);
        if (former === undefined || onlyWith === undefined) result.push(row);
        else result[index] = { ...former, onlyWith, doc: [...new Set([former.doc, row.doc])].join(" ") };
    }
    return result;
}

/** The kinds that have either row, as one list; undefined when the rows differ in anything else. */
function bothKinds(one: Row, other: Row): string[] | undefined {
    const same = one.key === other.key && one.accepted === other.accepted && one.fallback === other.fallback;
    const [last, otherLast] = [one.onlyWith.at(-1), other.onlyWith.at(-1)];
    if (!same || last === undefined || otherLast === undefined) return undefined;
    const shared = one.onlyWith.slice(0, -1);
    const [key, value] = otherLast.split(": ");
    if (shared.join() !== other.onlyWith.slice(0, -1).join() || !last.startsWith(`${key}: `)) return undefined;
    return [...shared, `${last} or ${value}`];
}

const isSchema = (value: unknown): value is Schema => isObject(value);
const variantsOf = (schema: Schema): Schema[] => (schema.oneOf ?? schema.anyOf ?? []).filter(isSchema);
const isNested = (schema: Schema): boolean =>
    variantsOf(schema).length > 0 || (schema.properties !== undefined && schema["accepted"] === undefined);

/** The keys of an object, or of all kinds of a union: one that several kinds share in the same form comes once. */
function propertiesOf(schema: Schema, variants: readonly Schema[]): Property[] {
    if (variants.length === 0) return ownProperties(schema, []);
    const found: Property[] = [];
    for (const property of variants.flatMap((each) => ownProperties(each, [kindOf(each)]))) {
        const same = found.findIndex(
            (each) => each.name === property.name && JSON.stringify(each.schema) === JSON.stringify(property.schema),
        );
        const former = found[same];
        if (former === undefined) found.push(property);
        else found[same] = { ...former, kinds: [...former.kinds, ...property.kinds] };
    }
    return found.map((each) => (each.kinds.length === variants.length ? { ...each, kinds: [] } : each));
}

function ownProperties(schema: Schema, kinds: readonly string[]): Property[] {
    return Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
        typeof property === "boolean" || name === "kind"
            ? []
            : [{ name, schema: property, required: schema.required?.includes(name) ?? false, kinds }],
    );
}

function kindOf(variant: Schema): string {
    const kind = variant.properties?.["kind"];
    return typeof kind === "object" ? String(kind.const) : "";
}

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null;
}

const cell = (value: string): string => value.replaceAll("|", "\\|");
const docOf = (schema: Schema): string => schema.description ?? "";

function fallbackOf(schema: Schema, required: boolean): string {
    if (schema.default !== undefined) return `\`${JSON.stringify(schema.default)}\``;
    return required ? "required" : "";
}

function acceptedBy(schema: Schema): string {
    const own: unknown = schema["accepted"];
    if (typeof own === "string") return own;
    if (schema.type === "array") {
        const { items } = schema;
        return `a list: ${items !== undefined && !Array.isArray(items) && typeof items !== "boolean" ? acceptedBy(items) : ""}`;
    }
    return schema.type === "object" ? "names and values" : "text";
}
