/**
 * Dashboards for Grafana, as its JSON model.
 *
 * @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
 */
import { createHash } from "node:crypto";

export interface Query {
    readonly expr: string;
    /** With `{{label}}`; default all labels. */
    readonly legend?: string;
}

export interface Panel {
    readonly title: string;
    /** `stat`: one number, the last. */
    readonly kind: "timeseries" | "stat";
    readonly unit: "short" | "s" | "reqps" | "percentunit" | "bytes" | "d";
    readonly queries: readonly Query[];
    /** What to conclude, in one sentence. */
    readonly description: string;
}

export interface Dashboard {
    readonly name: string;
    readonly title: string;
    readonly panels: readonly Panel[];
}

/** At most 40 characters, and another one for each stack: Grafana refuses two dashboards of one uid. */
export const uidOf = (dashboard: string, namespace: string): string =>
    `orcheo-${dashboard}-${createHash("sha256").update(namespace).digest("hex").slice(0, 8)}`;

const columns = 24;
const size = { stat: { w: 6, h: 4 }, timeseries: { w: 12, h: 8 } } as const;

/** From left to right, a new line where the next one does not fit or is of another height. */
function placed(panels: readonly Panel[]): { x: number; y: number; w: number; h: number }[] {
    let [x, y, height] = [0, 0, 0];
    return panels.map(({ kind }) => {
        const { w, h } = size[kind];
        if (x + w > columns || (x > 0 && h !== height)) [x, y] = [0, y + height];
        height = h;
        const position = { x, y, w, h };
        x += w;
        return position;
    });
}

export function planDashboard({ name, title, panels }: Dashboard, namespace: string): object {
    const datasource = { type: "prometheus", uid: "${datasource}" };
    const positions = placed(panels);
    return {
        uid: uidOf(name, namespace),
        title: `Orcheo ${namespace}: ${title}`,
        tags: ["orcheo", namespace],
        timezone: "browser",
        schemaVersion: 39,
        editable: false,
        refresh: "30s",
        time: { from: "now-6h", to: "now" },
        templating: { list: [{ name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" }] },
        links: [{ title: "Orcheo", type: "dashboards", tags: ["orcheo", namespace], asDropdown: false }],
        panels: panels.map((panel, index) => ({
            id: index + 1,
            type: panel.kind,
            title: panel.title,
            description: panel.description,
            gridPos: positions[index],
            datasource,
            fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
            targets: panel.queries.map(({ expr, legend }, number) => ({
                refId: String.fromCharCode("A".charCodeAt(0) + number),
                datasource,
                expr,
                ...(legend !== undefined && { legendFormat: legend }),
            })),
        })),
    };
}
