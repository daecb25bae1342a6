/** Dashboards as files for Grafana; tests/alerts executes their queries. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { uidOf } from "../../../components/monitoring/dashboard.plan";
import { planDashboardFiles, planRuleGroups } from "../../../components/monitoring/monitoring.plan";
import { runBoth } from "../../harness";
import { monitoredStack } from "../../monitored-stack";
import { monitored } from "../../variants";

interface Model {
    readonly uid: string;
    readonly panels: readonly {
        readonly id: number;
        readonly title: string;
        readonly description: string;
        readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
        readonly targets: readonly { readonly expr: string; readonly refId: string }[];
    }[];
}

const wanted = { kind: "annotations", grafana: { url: "https://grafana.example.com/" } };
const stack = monitoredStack(wanted);
const files = (planDashboardFiles(stack, "orcheo")?.data ?? {}) as Readonly<Record<string, string>>;
const models = Object.entries(files).map(([file, text]) => [file, JSON.parse(text) as Model] as const);

describe.each(models)("%s", (_, { uid, panels }) => {
    it("has panels that Grafana places side by side, none over another", () => {
        expect(uid.length).toBeLessThanOrEqual(40);
        expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
        const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
            Array.from({ length: w * h }, (__, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
        );
        expect(new Set(cells).size).toBe(cells.length);
        expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
    });

    it("says what to conclude from each panel", () => {
        for (const { title, description } of panels) expect(description, title).toMatch(/^[A-Z].*\.(md\.)?$/);
    });
});

it("the overview, and one for API, runs, servers and pods", () => {
    expect(models.map(([file]) => file)).toEqual(
        ["overview", "api", "runs", "servers", "pods"].map((name) => `orcheo-${name}.json`),
    );
});

it("dashboards and alerts use only metrics that docs/monitoring.md describes", () => {
    const described = readFileSync("docs/monitoring.md", "utf8");
    const text = JSON.stringify([models, planRuleGroups(stack)]);
    const names = new Set(
        [...text.matchAll(/\borcheo_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|count)$/, "")),
    );
    expect(names.size).toBeGreaterThan(15);
    for (const name of names) expect(described).toMatch(new RegExp(`\`${name}[\`{]`));
});

it("alerts link to their dashboard where Grafana is known", () => {
    const links = planRuleGroups(stack)
        .flatMap(({ rules }) => rules)
        .flatMap((rule) => ("alert" in rule ? [rule.annotations["dashboard_url"]] : []));
    const known = models.map(([, { uid }]) => `https://grafana.example.com/d/${uid}`);
    expect(new Set(links)).toEqual(new Set(known));
    expect(JSON.stringify(planRuleGroups(monitoredStack()))).not.toContain("dashboard_url");
});

it("two stacks of one Grafana do not replace each other's", () => {
    const long = "a".repeat(62);
    const uids = ["orcheo", `${long}b`, `${long}c`].map((namespace) => uidOf("overview", namespace));
    expect(new Set(uids).size).toBe(3);
});

it("they are made only where they are wanted, with the labels by which Grafana's sidecar finds them", async () => {
    const made = async (monitoring: object) =>
        (await runBoth({ stack: "dev", settings: { ...monitored, monitoring } })).resources
            .filter(({ name }) => name === "monitoring-dashboards")
            .map(
                ({ inputs }) => (inputs["metadata"] as { labels: Record<string, string> }).labels["grafana_dashboard"],
            );
    expect(await made({ kind: "annotations" })).toEqual([]);
    expect(await made(wanted)).toEqual(["1"]);
}, 240_000);
