/** The same objects before both enforcers: Pulumi's engine with the pack, and an API server with the admission policies. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { rules } from "../../policies/table.ts";
import { fields } from "../../policies/values.ts";
import { cases, type Given } from "../policy/cases.ts";
import {
    compliant,
    container,
    debugged,
    ephemeralMutations,
    kinds,
    mutated,
    mutations,
    otherCompliantPods,
    tokenOf,
    windowsPod,
    type Manifest,
    type Mutation,
} from "../policy/pods.ts";
import { previewWithPack, type EngineRun } from "./engine.ts";
import { connect, type Denial, type Server } from "./server.ts";

const registry = { "image-registry": { registries: ["registry.example.com/orcheo"] } };

interface Row {
    readonly mutation?: Mutation;
    readonly kind: string;
    readonly manifest: Manifest;
}

const rows: readonly Row[] = [
    ...kinds.map((kind) => ({ kind, manifest: compliant(kind) })),
    ...[windowsPod(), ...otherCompliantPods()].map((manifest) => ({ kind: "Pod", manifest })),
    ...mutations.flatMap((mutation, index) =>
        kinds
            .filter((kind) => mutation.kinds?.includes(kind) ?? true)
            .map((kind) => ({ mutation, kind, manifest: mutated(mutation, kind, `m${index}-${kind.toLowerCase()}`) })),
    ),
];
const given = rows.map(({ manifest }) => ({ type: tokenOf(manifest), name: manifest.metadata.name, props: manifest }));

// Each case's resources get names, a namespace and their own bucket, so that all can stand in one stack.
function apart(each: Given, where: string, index: number): Given {
    const text = JSON.stringify(each.props).replaceAll('"shop"', `"${where}"`).replaceAll("orcheo-data", where);
    return { ...each, name: `${where}-${index}-${each.name}`, props: fields(JSON.parse(text)) };
}
const others = cases.map((each, index) => ({
    rule: each.rule,
    says: each.says,
    settings: each.settings ?? {},
    alone: each.alone === true,
    where: `f${index}`,
    passing: each.passing.map((one, n) => apart(one, `p${index}`, n)),
    failing: each.failing.map((one, n) => apart(one, `f${index}`, n)),
}));

let engine: EngineRun;
let server: Server;
const denials = new Map<Manifest, Denial>();

beforeAll(async () => {
    engine = await previewWithPack(given, { settings: registry });
    server = await connect(registry);
    // The API server compiles new policies within seconds: wait until the last of them answers.
    const last = mutations.at(-1);
    if (last === undefined) throw new Error("no mutations");
    for (let tries = 0; (await server.evaluate(mutated(last, "Pod", "probe"))).rule !== last.rule; tries++) {
        if (tries > 60) throw new Error("the API server does not enforce the policies after 60 s");
        await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    // Many at a time: each answer is a round trip.
    const left = rows.map(({ manifest }) => manifest);
    const asker = async (): Promise<void> => {
        for (let next = left.pop(); next !== undefined; next = left.pop())
            denials.set(next, await server.evaluate(next));
    };
    await Promise.all(Array.from({ length: 8 }, asker));
}, 600_000);

afterAll(async () => {
    await server.close();
}, 90_000);

function engineVerdict(name: string): Map<string, readonly string[]> {
    const found = engine.violations.filter((each) => each.resource === name);
    const messages = (rule: string): string[] => found.filter((each) => each.rule === rule).map((each) => each.message);
    return new Map(found.map((each) => [each.rule, messages(each.rule)]));
}

test("both enforcers give the same verdict on every object", () => {
    const table = [
        "| rule | change | kinds | engine refuses | API server refuses |",
        "| --- | --- | --- | --- | --- |",
    ];
    for (const mutation of [undefined, ...mutations]) {
        const mine = rows.filter((row) => row.mutation === mutation);
        const refusedByEngine = mine.filter((row) => engineVerdict(row.manifest.metadata.name).size > 0).length;
        const refusedByServer = mine.filter((row) => denials.get(row.manifest)?.rule !== "").length;
        const title = mutation === undefined ? "(none) | compliant" : `${mutation.rule} | ${mutation.change}`;
        table.push(`| ${title} | ${mine.length} | ${refusedByEngine} | ${refusedByServer} |`);
    }
    console.log(table.join("\n"));
    console.log("Not told in CEL:");
    for (const rule of rules) {
        if ("notInCel" in rule) console.log(`  ${rule.name}: ${rule.notInCel}`);
    }
    const differing = rows.filter(({ manifest, mutation }) => {
        const byEngine = engineVerdict(manifest.metadata.name);
        const byServer = denials.get(manifest);
        if (mutation === undefined) return byEngine.size > 0 || byServer?.rule !== "";
        if (mutation.serverItself !== undefined && byServer?.message.includes(mutation.serverItself) === true) {
            return !byEngine.has(mutation.rule);
        }
        if (mutation.gate !== undefined && byServer?.rule === "") return !byEngine.has(mutation.rule);
        // The API server names one of the policies that deny; the engine names all of them.
        return !byEngine.has(mutation.rule) || byServer === undefined || !byEngine.has(byServer.rule);
    });
    expect(
        differing.map(({ kind, mutation, manifest }) => ({
            kind,
            rule: mutation?.rule,
            change: mutation?.change,
            engine: [...engineVerdict(manifest.metadata.name).keys()],
            server: denials.get(manifest),
        })),
    ).toEqual([]);
});

test("both say the same, word for word", () => {
    let compared = 0;
    for (const { mutation, manifest } of rows) {
        const denial = denials.get(manifest);
        if (mutation === undefined || denial === undefined || denial.rule !== mutation.rule) continue;
        const remedy = `. ${rules.find((rule) => rule.name === mutation.rule)?.remedy ?? "no such rule"}`;
        // The engine reports each container by itself; the API server has one message for the object.
        const messages = engineVerdict(manifest.metadata.name).get(mutation.rule) ?? [];
        const found = messages.map((message) => message.slice(0, message.indexOf(remedy)));
        expect(denial.message).toBe(found.join("; ") + remedy);
        expect(denial.message).toContain(mutation.says);
        compared++;
    }
    expect(compared).toBeGreaterThan(500);
});

test("the API server's own check of the CEL against the objects' schemas finds nothing", async () => {
    await expect.poll(() => server.doubtful(), { timeout: 60_000, interval: 1000 }).toEqual([]);
});

const lookAtAll = rules
    .filter((rule) => rule.scope === "container" && rule.containers === "all")
    .map(({ name }) => name);
test("ephemeral containers, as of kubectl debug, get the same verdict from both", async () => {
    // JSON leaves out what is undefined.
    const good = { ...container("debug"), resources: undefined };
    const asked = [{ rule: "", ephemeral: good }, ...ephemeralMutations].map((each, index) => ({
        ...each,
        resource: `debugged-${index}`,
    }));
    const shown = asked.map(({ ephemeral, resource }) => {
        const pod = debugged(ephemeral);
        return { type: tokenOf(pod), name: resource, props: pod };
    });
    const { violations } = await previewWithPack(shown, { settings: registry });
    let compared = 0;
    for (const { rule, ephemeral, resource } of asked) {
        const mine = violations.filter((each) => each.resource === resource);
        const denial = await server.debug(ephemeral);
        // What the API has not for ephemeral containers (ports), or not on this node, it refuses before any policy is asked.
        if (denial.rule.startsWith("status ")) continue;
        const told = { rule, engine: mine.map((each) => each.message), server: denial };
        expect(denial.rule === "", JSON.stringify(told)).toBe(mine.length === 0);
        if (lookAtAll.includes(rule)) expect(mine.map((each) => each.rule)).toContain(rule);
        if (denial.rule !== "") expect(mine.map((each) => each.message)).toContain(denial.message);
        compared++;
    }
    console.log(`${compared} of ${asked.length} ephemeral containers were evaluated by both`);
    expect(compared).toBeGreaterThan(20);
}, 120_000);

describe("rules that only the engine enforces", () => {
    const runs = new Map<object, EngineRun>();
    beforeAll(async () => {
        // Stack rules are only evaluated when no resource has failed before: advisory, so that all are.
        const preview = (resources: readonly Given[], asked: typeof others): Promise<EngineRun> => {
            const settings = Object.fromEntries(asked.map((each) => [each.rule, each.settings]));
            return previewWithPack([...resources], { settings: { all: "advisory", ...settings } });
        };
        const together = others.filter(({ alone }) => !alone);
        const run = await preview(
            together.flatMap((each) => [...each.passing, ...each.failing]),
            others,
        );
        for (const each of together) runs.set(each, run);
        for (const each of others.filter(({ alone }) => alone)) {
            const [passing, failing] = [await preview(each.passing, [each]), await preview(each.failing, [each])];
            runs.set(each, { ...failing, violations: [...passing.violations, ...failing.violations] });
        }
    }, 600_000);

    test.each(others.map((each) => [each.rule, each.says, each] as const))("%s: %s", (rule, says, each) => {
        const names = (resources: readonly Given[]): readonly string[] => resources.map((one) => one.name);
        const stackWide = rule.startsWith("monthly-cost-");
        const mine = (runs.get(each)?.violations ?? []).filter((one) => one.rule === rule);
        const found = mine.filter((one) => stackWide || names(each.failing).includes(one.resource));
        const said = found.map((one) => one.message).join("\n");
        const plain = said.replaceAll(`"${each.where}"`, '"shop"').replaceAll(/"f\d+-\d+-/g, '"');
        expect(plain).toContain(stackWide && !each.alone ? "The stack comes to" : says);
        expect(plain).toContain(rules.find((one) => one.name === rule)?.remedy);
        if (!stackWide) expect(mine.filter((one) => names(each.passing).includes(one.resource))).toEqual([]);
    });
});

test("there is no rule that the engine was not seen to refuse by", () => {
    const asked = [...mutations.map((each) => each.rule), ...others.map((each) => each.rule)];
    expect([...new Set(asked)].sort()).toEqual(rules.map((rule) => rule.name).sort());
});

test("a mandatory violation of a stack rule fails the preview", async () => {
    const [first] = others.filter((each) => each.rule === "s3-versioned");
    const { exitCode, violations } = await previewWithPack(first?.failing ?? [], {});
    expect(exitCode).not.toBe(0);
    expect(violations.map((each) => [each.rule, each.level])).toContainEqual(["s3-versioned", "mandatory"]);
});

test("an estimate stops nothing, and a budget stops the preview", async () => {
    const [large] = others.filter((each) => each.rule === "monthly-cost-estimate");
    const costs = ({ violations }: EngineRun): readonly string[] =>
        violations.filter(({ rule }) => rule.startsWith("monthly-cost-")).map(({ rule, level }) => `${rule} ${level}`);
    const settings = { all: "advisory", "monthly-cost-within-budget": { enforcementLevel: "mandatory" } };
    const without = await previewWithPack(large?.failing ?? [], { settings });
    expect(without.exitCode, without.output).toBe(0);
    expect(costs(without)).toEqual(["monthly-cost-estimate advisory"]);
    const budget = { enforcementLevel: "mandatory", budgetUsd: 100 };
    const over = await previewWithPack(large?.failing ?? [], {
        settings: { ...settings, "monthly-cost-within-budget": budget },
    });
    expect(over.exitCode).not.toBe(0);
    expect(costs(over)).toEqual(["monthly-cost-within-budget mandatory"]);
});
