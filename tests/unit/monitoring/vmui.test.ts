/** VictoriaMetrics' own pages show the panels of Grafana's dashboards, with units that they do not convert. */
import { describe, expect, it } from "vitest";
import { planDashboards } from "../../../components/monitoring/dashboards.plan";
import { monitoredBy, planVmuiFiles } from "../../../components/monitoring/monitoring.plan";
import { planVmuiDashboard } from "../../../components/monitoring/vmui.plan";
import { monitoredStack } from "../../monitored-stack";

interface Shown {
    readonly title: string;
    readonly rows: readonly {
        readonly panels: readonly { readonly title: string; readonly expr: readonly string[] }[];
    }[];
}

describe("a panel", () => {
    const shown = (unit: "short" | "percentunit" | "bytes") =>
        planVmuiDashboard(
            {
                name: "n",
                title: "pods",
                panels: [
                    {
                        title: "Memory",
                        kind: "timeseries",
                        unit,
                        description: "Says what.",
                        queries: [{ expr: "a or b", legend: "{{pod}}" }, { expr: "c" }],
                    },
                ],
            },
            "orcheo",
        );

    it("has its queries with their legends, in half of the width", () => {
        expect(shown("short")).toEqual({
            title: "orcheo: pods",
            rows: [
                {
                    panels: [
                        {
                            title: "Memory",
                            description: "Says what.",
                            expr: ["a or b", "c"],
                            alias: ["{{pod}}", ""],
                            width: 6,
                        },
                    ],
                },
            ],
        });
    });

    it("has shares as per cent and bytes as MiB, of the whole query", () => {
        const panel = (unit: "percentunit" | "bytes") => (shown(unit) as Shown).rows[0]?.panels[0];
        expect(panel("percentunit")).toMatchObject({ unit: "%", expr: ["(a or b) * 100", "(c) * 100"] });
        expect(panel("bytes")).toMatchObject({ unit: "MiB", expr: ["(a or b) * 2^-20", "(c) * 2^-20"] });
    });
});

describe("the ConfigMap", () => {
    const probe = { prober: "blackbox-exporter.monitoring.svc:9115" };
    const stack = monitoredStack({ kind: "annotations", probe, vmui: true });

    it("has every panel of every dashboard, the overview first", () => {
        const monitored = monitoredBy(stack);
        if (monitored === undefined) throw new Error("nobody has the metrics");
        const files = Object.entries(planVmuiFiles(stack, "orcheo")?.data ?? {}).sort(([one], [other]) =>
            one.localeCompare(other),
        );
        expect(files[0]?.[0]).toBe("orcheo-1-overview.json");
        const titles = files.map(([, text]) => {
            const { rows } = JSON.parse(String(text)) as Shown;
            return rows.flatMap(({ panels }) => panels.map(({ title }) => title));
        });
        expect(titles).toEqual(
            planDashboards("orcheo", monitored).map(({ panels }) => panels.map(({ title }) => title)),
        );
    });

    it("is made where it is asked for", () => {
        expect(planVmuiFiles(monitoredStack({ kind: "annotations" }), "orcheo")).toBeUndefined();
    });
});
