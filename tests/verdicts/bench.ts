/**
 * What the pack costs: `node tests/verdicts/bench.ts`. Previews 100, 500 and 2,000 compliant resources of all kinds without
 * and with the pack, through Pulumi's engine; needs `pulumi` on the PATH. Every preview is of a new stack.
 */
import { judge, judgeStack } from "../../policies/judge.ts";
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
        if (rule.scope === "stack") judgeStack(rule, resources);
        else for (const each of resources) judge(rule, each);
    }
    return (performance.now() - start) / 1000;
}

/** Seconds of the fastest of three previews: what else the machine does only ever adds to them. */
async function fastest(given: readonly Given[], withPack: boolean): Promise<number> {
    let best = Infinity;
    for (let run = 0; run < 3; run++) {
        const { seconds, violations, exitCode } = await previewWithPack(given, { withPack });
        if (exitCode !== 0) throw new Error(`the bench's resources break rules: ${JSON.stringify(violations[0])}`);
        best = Math.min(best, seconds);
    }
    return best;
}

console.log("| resources | preview s | with pack s | pack s | share | ms per resource | rules alone s |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const size of sizes) {
    const given = Array.from({ length: size }, (_, index) => resource(index));
    const without = await fastest(given, false);
    const seconds = await fastest(given, true);
    const pack = seconds - without;
    const cells = [
        size,
        without.toFixed(1),
        seconds.toFixed(1),
        pack.toFixed(1),
        `${((100 * pack) / seconds).toFixed(0)} %`,
        ((1000 * pack) / size).toFixed(1),
        rulesAlone(given).toFixed(2),
    ];
    console.log(`| ${cells.join(" | ")} |`);
}
