/**
 * The same dashboards for VictoriaMetrics' own pages. These have graphs alone, and write a unit behind numbers as they are.
 *
 * @see https://docs.victoriametrics.com/victoriametrics/vmui/ (-vmui.customDashboardsPath)
 */
import type { Dashboard, Panel } from "./dashboard.plan";

interface Shown {
    readonly unit: string;
    /** What a query is multiplied by. */
    readonly factor?: string;
}

const units: Record<Panel["unit"], Shown> = {
    short: { unit: "" },
    s: { unit: "s" },
    d: { unit: "d" },
    reqps: { unit: "/s" },
    percentunit: { unit: "%", factor: "100" },
    bytes: { unit: "MiB", factor: "2^-20" },
};

/** Of twelve columns. */
const width = { stat: 4, timeseries: 6 } as const;

export function planVmuiDashboard({ title, panels }: Dashboard, namespace: string): object {
    return {
        title: `${namespace}: ${title}`,
        rows: [
            {
                panels: panels.map((panel) => {
                    const { unit, factor } = units[panel.unit];
                    return {
                        title: panel.title,
                        description: panel.description,
                        ...(unit !== "" && { unit }),
                        expr: panel.queries.map(({ expr }) => (factor === undefined ? expr : `(${expr}) * ${factor}`)),
                        // An empty one is that of all labels.
                        alias: panel.queries.map(({ legend = "" }) => legend),
                        width: width[panel.kind],
                    };
                }),
            },
        ],
    };
}
