/** Manifests that no one here wrote go through the pack without a crash, and are evaluated one by one. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { tools } from "../../local/toolchain/tools.ts";
import { findings, type Finding, type Located } from "../../policies/findings.ts";
import { resourcesIn } from "../../policies/read.ts";
import { rules } from "../../policies/table.ts";
import { podsOf } from "../../policies/workloads.ts";
import type { Given } from "../policy/cases.ts";
import { previewManifests, previewWithPack, type Violation } from "./engine.ts";
import { goModule } from "./go-module.ts";

// Rules on pods look at one object: engine and report must find the same in each.
const onPods = rules.filter((rule) => rule.scope === "container" || rule.scope === "pod").map((rule) => rule.name);

function verdicts(all: readonly (Finding | Violation)[]): readonly string[] {
    return all
        .filter((each) => onPods.includes(each.rule))
        .map((each) => `${each.rule}: ${each.message}`)
        .sort();
}

function evaluatedByReport(located: readonly Located[]): readonly Finding[] {
    const all = findings(located, rules);
    expect(all.filter((each) => each.message.includes("cannot be evaluated"))).toEqual([]);
    return all;
}

const folders = ["cluster/addons", "test/e2e/testing-manifests"];

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

test("Kubernetes' own manifests are evaluated one by one, by the engine as by the report", async () => {
    const { located, templates } = readAll(await goModule("k8s.io/kubernetes@v1.34.4"));
    const withPods = located.filter(({ resource: { type, name, props } }) => podsOf(type, name, props).length > 0);
    console.log(`${located.length} objects, ${withPods.length} with pods; ${templates.length} files are templates`);
    expect(withPods.length).toBeGreaterThan(50);

    const report = evaluatedByReport(located);
    const resources: readonly Given[] = located.map(({ resource: { type, props } }, index) => ({
        ...{ type, props, name: `o${index}` },
    }));
    const { violations, exitCode, output } = await previewWithPack(resources, { settings: { all: "advisory" } });
    expect(exitCode, output.slice(-2000)).toBe(0);
    const count = (all: readonly { rule: string }[]): Record<string, number> =>
        Object.fromEntries(onPods.map((name) => [name, all.filter((each) => each.rule === name).length]));
    expect(count(violations)).toEqual(count(report));
    console.log(count(report));
});

/** Public charts that ship in the Go modules of their programs: module, folder, values that a chart cannot do without. */
const charts = [
    ["cert-manager", "github.com/cert-manager/cert-manager@v1.21.2", "deploy/charts/cert-manager", "crds.enabled=true"],
    ["metrics-server", "sigs.k8s.io/metrics-server@v0.9.0", "charts/metrics-server"],
    [
        "local-path",
        "github.com/rancher/local-path-provisioner@v0.0.30",
        "deploy/chart/local-path-provisioner",
        // The embedded cluster has a class of the chart's name, with another provisioner.
        "storageClass.name=foreign",
    ],
    ["external-dns", "sigs.k8s.io/external-dns@v0.15.1", "charts/external-dns"],
    ["sealed-secrets", "github.com/bitnami-labs/sealed-secrets@v0.29.0", "helm/sealed-secrets"],
] as const;

async function rendered([name, module, folder, values]: (typeof charts)[number]): Promise<string> {
    const toolchain = await ensureToolchain(["test"], consoleReport(), {
        table: tools.filter((tool) => tool.name === "helm"),
    });
    const chart = join(await goModule(module), folder);
    const flags = ["--namespace", "default", "--include-crds", "--kube-version", "1.34.4"];
    const set = values === undefined ? [] : ["--set", values];
    const { stdout } = await promisify(execFile)(toolchain.bin("helm"), ["template", name, chart, ...flags, ...set], {
        maxBuffer: 1 << 26,
    });
    return stdout;
}

describe("rendered public charts, converted with yaml/v2", () => {
    test.each(charts.map((chart) => [chart[0], chart] as const))("%s", async (name, chart) => {
        const yaml = await rendered(chart);
        const located = resourcesIn(yaml, `${name}.yaml`);
        const report = evaluatedByReport(located);
        const { violations, types, exitCode, output } = await previewManifests(
            { [name]: yaml },
            { settings: { all: "advisory" } },
        );
        expect(exitCode, output.slice(-4000)).toBe(0);
        // Every object reached the pack as its own resource.
        const converted = types.filter((type) => type.startsWith("kubernetes:") && !type.startsWith("kubernetes:yaml"));
        expect(converted.toSorted()).toEqual(located.map(({ resource }) => resource.type).toSorted());
        expect(verdicts(violations)).toEqual(verdicts(report));
        expect(verdicts(report).length).toBeGreaterThan(0);
        console.log(
            `${name}: ${located.length} objects, ${violations.length} violations, ${report.length} in the report`,
        );
    });
});
