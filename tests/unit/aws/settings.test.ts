/** Every setting of AWS is among those whose change is tried (tests/verdicts/aws/life.test.ts), or it is said why not. */
import { expect, it } from "vitest";
import schema from "../../../stack.schema.json";
import { inPlace, notChanged, others, refused } from "../../verdicts/aws/settings";

type Node = Readonly<Record<string, unknown>>;
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;
const children = (value: unknown): readonly (readonly [string, Node])[] =>
    isNode(value) ? Object.entries(value).filter((entry): entry is [string, Node] => isNode(entry[1])) : [];

function resolved(node: Node): Node {
    const { $ref } = node;
    if (typeof $ref !== "string") return node;
    const found = (schema.$defs as Readonly<Record<string, Node>>)[$ref.slice($ref.lastIndexOf("/") + 1)];
    if (found === undefined) throw new Error($ref);
    return resolved(found);
}

const nodesIn = (node: Node): readonly Node[] => [node, ...children(node).flatMap(([, child]) => nodesIn(child))];

/** The kinds of a setting, or itself. */
function kinds(node: Node): readonly Node[] {
    const { oneOf, anyOf } = resolved(node);
    const given = oneOf ?? anyOf;
    return Array.isArray(given) ? given.filter(isNode).flatMap(kinds) : [resolved(node)];
}

function settingsIn(node: Node, path: string): readonly string[] {
    return kinds(node).flatMap(({ properties }) =>
        properties === undefined
            ? [path]
            : children(properties).flatMap(([name, child]) => settingsIn(child, `${path}.${name}`)),
    );
}

/** The schema of a section, which is of a kind where it has several. */
function sectionOf(name: string, kind?: string): Node {
    const top = nodesIn(schema).find(
        ({ properties }) => isNode(properties) && "aws" in properties && "database" in properties,
    );
    const section = isNode(top?.["properties"]) ? top["properties"][name] : undefined;
    if (!isNode(section)) throw new Error(`the schema has no section ${name}`);
    const found = kinds(section).find(
        ({ properties }) =>
            kind === undefined || children(properties).some(([key, each]) => key === "kind" && each["const"] === kind),
    );
    if (found === undefined) throw new Error(`${name} has no kind ${String(kind)}`);
    return found;
}

const settings = [
    ...settingsIn(sectionOf("aws"), "aws"),
    ...settingsIn(sectionOf("database", "rds"), "database"),
    ...settingsIn(sectionOf("cache", "elasticache"), "cache"),
].filter((each) => !each.startsWith("database.pooler."));

it("the schema is read to its leaves", () => {
    expect(settings.length).toBeGreaterThan(70);
    expect(settings).toContain("aws.cluster.nodes.diskGiB");
});

it.each([...new Set(settings)])("%s", (setting) => {
    // The whole of a section with kinds may be exchanged at once.
    const whole = ["aws.dns", "aws.bucket", "database.deployment"].filter(
        (section) => setting.startsWith(`${section}.`) && (section === "aws.dns" || setting === `${section}.kind`),
    );
    const tables = { ...inPlace, ...refused, ...others, ...notChanged };
    expect([setting, ...whole].filter((each) => each in tables)).not.toEqual([]);
});

it("no setting is listed that there is not", () => {
    const listed = Object.keys({ ...inPlace, ...refused, ...others, ...notChanged });
    expect(listed.filter((each) => !settings.some((one) => one === each || one.startsWith(`${each}.`)))).toEqual([]);
});

// `npm run docs` runs this with --update.
it("docs/aws-changes.md is these tables", async () => {
    const row = (setting: string, does: string): string => `| \`${setting}\` | ${does} |`;
    const names = (changes: readonly (readonly [string, string])[]): string =>
        [...new Set(changes.map(([resource, property]) => `\`${property}\` of \`${resource}\``))].join(", ");
    const page = [
        "# What a change of the AWS settings does",
        "",
        "Generated from tests/verdicts/aws/settings.ts by `npm run docs`; change it there. `make aws-test` asks the real provider for the plan of each in a",
        "deployed stack (examples/prod-small.yaml), and applies those that are not refused against moto, in two updates. What moto applies at once may wait",
        "for a maintenance window on AWS.",
        "",
        "| setting | a change |",
        "| --- | --- |",
        ...Object.entries(inPlace).map(([setting, { changes }]) => row(setting, `updates in place ${names(changes)}`)),
        ...Object.entries(others).map(([setting, { op, resource }]) =>
            row(setting, `${op}s \`${resource}\`${op === "replace" || op === "delete" ? ", which is no data" : ""}`),
        ),
        ...Object.entries(refused).map(([setting, { protects }]) =>
            row(setting, `is refused: it would replace or delete \`${protects}\`, which is protected`),
        ),
        ...Object.entries(notChanged).map(([setting, reason]) => row(setting, `not tried: ${reason}`)),
        "",
    ].join("\n");
    await expect(page).toMatchFileSnapshot("../../../docs/aws-changes.md");
});
