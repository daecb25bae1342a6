/**
 * What the pack costs: `node tests/verdicts/bench.ts`. Previews 100, 500 and 2,000 compliant resources of all kinds without
 * a pack, with an empty one and with ours, through Pulumi's engine; needs `pulumi` on the PATH. Every preview is of a new stack.
 */
import { join } from "node:path";

import { evaluate, evaluateStack } from "../../policies/evaluate.ts";
import { rules } from "../../policies/table.ts";
import { asResource, database, type Given } from "../policy/cases.ts";
import { compliant, kinds, tokenOf } from "../policy/pods.ts";
import { previewWithPack } from "./engine.ts";

const sizes = [100, 500, 2000];

function resource(index: number): Given {
    const kind = kinds[index % (kinds.length + 1)];
    const name = `r${index}`;
    if (kind !== undefined) {
        const manifest = compliant(kind);
        return { type: tokenOf(manifest), name, props: { ...manifest, metadata: { name, namespace: "bench" } } };
    }
    const tags = { Project: "orcheo", Environment: "bench" };
    return { type: "aws:rds/instance:Instance", name, props: { ...database, tags } };
}

/** Seconds of the rules alone, in this process, without the engine and the SDK. */
function rulesAlone(given: readonly Given[]): number {
    const resources = given.map(asResource);
    const start = performance.now();
    for (const rule of rules) {
        if (rule.scope === "stack") evaluateStack(rule, resources);
        else for (const each of resources) evaluate(rule, each);
    }
    return (performance.now() - start) / 1000;
}

type Variant = "none" | "empty" | "ours";
const variants: readonly Variant[] = ["none", "empty", "ours"];
const packs: Readonly<Record<Variant, string | undefined>> = {
    none: "none",
    empty: join(import.meta.dirname, "empty-pack"),
    ours: undefined,
};

/** Seconds of the fastest of three previews of each sort, by turns: what else the machine does only ever adds to them. */
async function fastest(given: readonly Given[]): Promise<Readonly<Record<Variant, number>>> {
    const best = { none: Infinity, empty: Infinity, ours: Infinity };
    for (let run = 0; run < 3; run++) {
        for (const variant of variants) {
            const { seconds } = await previewWithPack(given, { pack: packs[variant], unlogged: true });
            best[variant] = Math.min(best[variant], seconds);
        }
    }
    return best;
}

console.log(
    "An empty pack is the bound: Pulumi asks it about each resource twice over gRPC, and once about the stack.\n",
);
console.log(
    "| resources | without s | empty pack s | our pack s | our rules' part s | ms per resource | rules alone s |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- |");
const taken: { readonly size: number; readonly seconds: Readonly<Record<Variant, number>> }[] = [];
for (const size of sizes) {
    const given = Array.from({ length: size }, (_, index) => resource(index));
    const seconds = await fastest(given);
    taken.push({ size, seconds });
    const own = seconds.ours - seconds.empty;
    const cells = [
        size,
        ...variants.map((variant) => seconds[variant].toFixed(1)),
        `${own.toFixed(1)} (${((100 * own) / seconds.ours).toFixed(0)} % of the preview)`,
        ((1000 * own) / size).toFixed(1),
        rulesAlone(given).toFixed(2),
    ];
    console.log(`| ${cells.join(" | ")} |`);
}
const [first, last] = [taken[0], taken.at(-1)];
if (first !== undefined && last !== undefined) {
    const each = (variant: Variant): string =>
        ((1000 * (last.seconds[variant] - first.seconds[variant])) / (last.size - first.size)).toFixed(1);
    const costs = variants.map((variant) => `${each(variant)} ms ${variant}`).join(", ");
    console.log(`\nOne more resource costs, from ${first.size} to ${last.size}: ${costs}.`);
}
