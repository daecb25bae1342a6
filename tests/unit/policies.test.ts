/** What the program registers, evaluated by the policy pack as the export of a stack would be. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { digest, runBoth, settingsOf, type Program } from "../harness";
import { exported, monitored, notified, notifiedByFiles, traced, variants } from "../variants";

const published = Object.fromEntries(
    ["backend", "canvas", "postgres", "valkey", "backup"].map((name) => [name, `ghcr.io/a/${name}@${digest}`]),
);
const standard = {
    ...settingsOf("prod"),
    release: "0.46",
    images: { kind: "published", ...published },
    entrance: { className: "alb", controller: { kind: "standard" } },
};
const programs: [string, Program][] = [
    ["dev", { stack: "dev" }],
    ["dev with backups", { stack: "dev", settings: variants["backups to a store of one's own"] }],
    ["dev with PodMonitors", { stack: "dev", settings: monitored }],
    ["dev with notifications", { stack: "dev", settings: notified }],
    ["dev with notifications by files", { stack: "dev", settings: notifiedByFiles }],
    ["dev with metrics by OTLP", { stack: "dev", settings: exported }],
    ["dev with traces", { stack: "dev", settings: traced }],
    ["prod", { stack: "prod" }],
    ["prod of 0.46 with published images and a standard controller", { stack: "prod", settings: standard }],
];

it.each(programs)("%s passes the policy pack with no exception", async (_, program) => {
    const { resources } = await runBoth(program);
    const state = resources.map(({ type, inputs, provider, options: { urn, protect } }) => ({
        ...{ type, inputs, provider, urn, protect },
    }));
    const { stdout, stderr } = spawnSync(process.execPath, ["policies/report.ts", "--json", "-"], {
        input: JSON.stringify({ deployment: { resources: state } }),
        encoding: "utf8",
    });
    expect(stderr).toBe("");
    const { evaluated, findings } = JSON.parse(stdout) as { evaluated: number; findings: { rule: string }[] };
    expect(evaluated).toBe(resources.length);
    // Which storage class is there only the cluster's owner knows: advice where the stack's config names none.
    expect(findings.filter(({ rule }) => rule !== "volume-class")).toEqual([]);
});
