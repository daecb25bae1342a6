/** Manifests that no one here wrote: the add-ons and test manifests that Kubernetes itself ships, from its Go module. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { findings, resourcesIn, type Located } from "../../policies/report.ts";
import { rules } from "../../policies/table.ts";
import { at, text } from "../../policies/values.ts";
import { podsOf } from "../../policies/workloads.ts";
import type { Given } from "../policy/cases.ts";
import { previewWithPack } from "./engine.ts";

const folders = ["cluster/addons", "test/e2e/testing-manifests"];

async function kubernetes(): Promise<string> {
    const { stdout } = await promisify(execFile)("go", ["mod", "download", "-json", "k8s.io/kubernetes@v1.34.4"], {
        cwd: import.meta.dirname,
    });
    return text(at(JSON.parse(stdout), "Dir")) ?? "";
}

/** Resources of every file that is YAML as it stands; the names of those that are templates of another tool. */
function readAll(root: string): { located: readonly Located[]; templates: readonly string[] } {
    const located: Located[] = [];
    const templates: string[] = [];
    for (const folder of folders) {
        const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
        for (const file of files.filter((each) => /\.ya?ml$/.test(each)).sort()) {
            try {
                located.push(...resourcesIn(readFileSync(join(root, folder, file), "utf8"), `${folder}/${file}`));
            } catch {
                templates.push(file);
            }
        }
    }
    return { located, templates };
}

test("Kubernetes' own manifests are judged one by one, by the engine as by the report", async () => {
    const { located, templates } = readAll(await kubernetes());
    const withPods = located.filter(({ resource: { type, name, props } }) => podsOf(type, name, props).length > 0);
    console.log(`${located.length} objects, ${withPods.length} with pods; ${templates.length} files are templates`);
    expect(withPods.length).toBeGreaterThan(50);

    const report = findings(located, rules);
    expect(report.filter((each) => each.message.includes("cannot be judged"))).toEqual([]);

    const resources: readonly Given[] = located.map(({ resource }, index) => ({
        type: resource.type,
        name: `o${index}`,
        props: resource.props,
    }));
    const { violations, exitCode, output } = await previewWithPack(resources, { settings: { all: "advisory" } });
    expect(exitCode, output.slice(-2000)).toBe(0);
    // Rules on pods look at one object: engine and report must have found the same in each.
    const onPods = rules.filter((rule) => rule.scope === "container" || rule.scope === "pod").map((rule) => rule.name);
    const count = (all: readonly { rule: string }[]): Record<string, number> =>
        Object.fromEntries(onPods.map((name) => [name, all.filter((each) => each.rule === name).length]));
    expect(count(violations)).toEqual(count(report));
    console.log(count(report));
});
