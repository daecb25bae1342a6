/** docs/config.md, from the schema: `npm run docs` writes it, a unit test holds it up to date. */
import { z } from "zod";
import { stackSchema } from "./schema";

const intro = `# Settings

Generated from components/config/schema.ts by \`npm run docs\`; change it there.

All settings of a stack are below the key \`orcheo:stack\` in \`Pulumi.<stack>.yaml\`. From the command line:

    pulumi config set --path orcheo:stack.kubernetes.context kind-kind

A setting that is unknown, missing, out of range or contradicts another is refused before anything changes, all at once.
Of a choice (\`kind\`), only the keys of the chosen kind are accepted.

A setting that takes a safe default away (components/unsafe.plan.ts has the list) is accepted, and shows: a preview has it
as a resource \`UnsafeChoice\` by its name, and the policy pack refuses it until it is named, with a reason and a last day:

    config:
      orcheo:policyExceptions:
        - rule: unsafe-choice
          resource: UnsafeChoice::aws.network.natPerZone
          reason: a test environment
          expires: 2027-06-30

| key | accepted | default | |
|---|---|---|---|
`;

type Schema = z.core.JSONSchema.BaseSchema;

/** The whole text of docs/config.md. */
export function configDocs(): string {
    const root = z.toJSONSchema(stackSchema, { io: "input" });
    const rows = rowsOf(root, "").map(
        ({ key, accepted, fallback, doc }) => `| \`${key}\` | ${accepted} | ${fallback} | ${doc} |`,
    );
    return `${intro}${rows.join("\n")}\n`;
}

interface Row {
    readonly key: string;
    readonly accepted: string;
    readonly fallback: string;
    readonly doc: string;
}

function rowsOf(schema: Schema, path: string): Row[] {
    return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
        if (typeof property === "boolean" || name === "kind") return [];
        const key = path === "" ? name : `${path}.${name}`;
        const required = schema.required?.includes(name) ?? false;
        const variants = (property.oneOf ?? property.anyOf ?? []).filter(
            (each): each is Schema => typeof each !== "boolean",
        );
        if (variants.length > 0) return unionRows(property, variants, key, required);
        if (property.properties !== undefined && property["accepted"] === undefined)
            return [{ key, accepted: "", fallback: "", doc: docOf(property) }, ...rowsOf(property, key)];
        return [
            { key, accepted: acceptedBy(property), fallback: fallbackOf(property, required), doc: docOf(property) },
        ];
    });
}

function unionRows(property: Schema, variants: readonly Schema[], key: string, required: boolean): Row[] {
    const chosen = variants.map((variant) => ({ variant, kind: kindOf(variant) }));
    const accepted = chosen.map(({ kind }) => `"${kind}"`).join(" or ");
    const fallback = isObject(property.default) ? `"${String(property.default["kind"])}"` : required ? "required" : "";
    return [
        { key: `${key}.kind`, accepted, fallback, doc: docOf(property) },
        ...chosen.flatMap(({ variant, kind }) =>
            rowsOf(variant, key).map((row) => ({
                ...row,
                doc: chosen.length === 1 ? row.doc : `(${kind}) ${row.doc}`,
            })),
        ),
    ];
}

function kindOf(variant: Schema): string {
    const kind = variant.properties?.["kind"];
    return typeof kind === "object" ? String(kind.const) : "";
}

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null;
}

const cell = (value: string): string => value.replaceAll("|", "\\|");
const docOf = (schema: Schema): string => cell(schema.description ?? "");

function fallbackOf(schema: Schema, required: boolean): string {
    if (schema.default !== undefined) return `\`${JSON.stringify(schema.default)}\``;
    return required ? "required" : "";
}

function acceptedBy(schema: Schema): string {
    const own: unknown = schema["accepted"];
    if (typeof own === "string") return cell(own);
    if (schema.type === "array") {
        const { items } = schema;
        return `a list: ${items !== undefined && !Array.isArray(items) && typeof items !== "boolean" ? acceptedBy(items) : ""}`;
    }
    return schema.type === "object" ? "names and values" : "text";
}
