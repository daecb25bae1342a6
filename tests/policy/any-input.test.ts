/** No rule fails, whatever it is shown: malformed, unknown, secret, deep, huge. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { evaluate, evaluateStack } from "../../policies/evaluate.ts";
import { findings } from "../../policies/findings.ts";
import type { Resource } from "../../policies/rule.ts";
import { rules } from "../../policies/table.ts";
import { asResource, cases, type Given } from "./cases.ts";
import { compliant, container, kinds, templateOf, tokenOf } from "./pods.ts";

const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const unknowns = [unknownText, "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"];
const keys = [
    "metadata",
    "spec",
    "template",
    "containers",
    "name",
    "env",
    "securityContext",
    "labels",
    "rules",
    "tags",
];

/** Any JSON, with the keys that rules look for and the engine's marks for unknown values among it. */
const anything = fc.letrec((tie) => ({
    value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.oneof(
            fc.constant(null),
            fc.boolean(),
            fc.double(),
            fc.string(),
            fc.constantFrom(...unknowns, "*", "0.0.0.0/0", "100%", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.constantFrom(...keys, "constructor", "__proto__"), fc.string()), tie("value"), {
            maxKeys: 5,
        }),
    ),
})).value;

/** Every resource of the fixtures, one of each kind among them. */
const fixtures: readonly Resource[] = [
    ...cases.flatMap((each) => [...each.passing, ...each.failing]).map(asResource),
    ...kinds.map((kind) => {
        const manifest = compliant(kind);
        return asResource({ type: tokenOf(manifest), name: manifest.metadata.name, props: manifest });
    }),
];

/** Where a value stands in an object: the keys that lead there. */
function places(value: unknown, here: readonly string[] = []): readonly (readonly string[])[] {
    if (typeof value !== "object" || value === null) return [here];
    return [here, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...here, key]))];
}

function replaced(value: unknown, place: readonly string[], by: unknown): unknown {
    const [key, ...rest] = place;
    if (key === undefined) return by;
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
        return value.map((each: unknown, index) => (String(index) === key ? replaced(each, rest, by) : each));
    }
    return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, name === key ? replaced(inner, rest, by) : inner]),
    );
}

/** A fixture in which one value, anywhere, is another. */
const disturbed = fc
    .constantFrom(...fixtures)
    .chain((fixture) => fc.tuple(fc.constant(fixture), fc.constantFrom(...places(fixture.props).slice(1)), anything))
    .map(([fixture, place, by]) => ({ ...fixture, props: replaced(fixture.props, place, by) as Given["props"] }));

const wild = fc
    .tuple(
        fc.constantFrom(...new Set(fixtures.map(({ type }) => type))),
        fc.dictionary(fc.constantFrom(...keys), anything),
    )
    .map(([type, props]) => asResource({ type, name: "wild", props }));

function complaints(resources: readonly Resource[]): readonly string[] {
    const messages = rules.flatMap((rule) =>
        rule.scope === "stack"
            ? evaluateStack(rule, resources).map(({ message }) => message)
            : resources.flatMap((resource) => evaluate(rule, resource)),
    );
    return messages.filter((message) => message.includes("cannot be evaluated"));
}

test("a fixture with any one value replaced by anything", () => {
    fc.assert(
        fc.property(disturbed, (resource) => {
            expect(complaints([resource])).toEqual([]);
        }),
        { numRuns: 3000 },
    );
});

test("stacks of anything, disturbed fixtures among it", () => {
    fc.assert(
        fc.property(fc.array(fc.oneof(disturbed, wild), { maxLength: 6 }), (resources) => {
            expect(complaints(resources)).toEqual([]);
            const located = resources.map((resource) => ({ file: "f", line: 1, resource }));
            expect(findings(located, rules)).toEqual(findings(located, rules));
        }),
        { numRuns: 500 },
    );
});

/** The stacks of the fixtures that break nothing, of one resource or more. */
const compliantStacks = [...cases.map(({ passing }) => passing.map(asResource)), ...fixtures.map((each) => [each])];

test("a value that is unknown breaks no rule, wherever it stands", () => {
    const brokenBy = (resources: readonly Resource[]): readonly string[] =>
        rules
            .filter((rule) =>
                rule.scope === "stack"
                    ? evaluateStack(rule, resources).length > 0
                    : resources.some((resource) => evaluate(rule, resource).length > 0),
            )
            .map(({ name }) => name);
    const wrong = compliantStacks.flatMap((stack) => {
        const before = brokenBy(stack);
        return stack.flatMap((resource, index) =>
            places(resource.props)
                .slice(1)
                .flatMap((place) => {
                    const props = replaced(resource.props, place, unknownText) as Given["props"];
                    const more = brokenBy(stack.with(index, { ...resource, props }));
                    const news = more.filter((name) => !before.includes(name));
                    return news.map((rule) => `${rule}: ${resource.type} ${place.join(".")}`);
                }),
        );
    });
    expect(new Set(wrong)).toEqual(new Set());
});

test("no message shows what a container holds in its environment, command or arguments", () => {
    const mark = "s3cr3tmark";
    const literal = fc.constantFrom(
        mark,
        `--password=${mark}`,
        `postgresql://u:${mark}@db/x`,
        `AKIA${mark}`,
        `a ${mark}`,
    );
    const held = fc.record({
        env: fc.array(fc.record({ name: fc.constantFrom("PASSWORD", "TOKEN", "URL", "PLAIN"), value: literal })),
        command: fc.array(literal),
        args: fc.array(literal),
    });
    fc.assert(
        fc.property(fc.constantFrom(...kinds), held, (kind, parts) => {
            const manifest = compliant(kind);
            templateOf(manifest)["spec"] = { containers: [{ ...container("main"), ...parts, securityContext: {} }] };
            const resource = asResource({ type: tokenOf(manifest), name: "api", props: manifest });
            const located = [{ file: "f", line: 1, resource }];
            expect(findings(located, rules).length).toBeGreaterThan(0);
            expect(JSON.stringify(findings(located, rules))).not.toContain(mark);
        }),
    );
});

test("a very deep object", () => {
    let deep: unknown = "end";
    for (let level = 0; level < 5000; level++) deep = { spec: deep };
    const resource = asResource({ type: "kubernetes:apps/v1:Deployment", name: "deep", props: { spec: deep } });
    expect(complaints([resource])).toEqual([]);
});
