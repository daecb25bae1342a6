/** The collector of docs/logs.md: the documented values for its chart, on the log files of this cluster. */
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { pathsOf } from "../../../local/cluster/spec.ts";
import { merge, type Settings } from "../../../local/settings.ts";
import { freePort } from "../../local/free-port.ts";
import { block } from "../docs.ts";
import { spec } from "./harness.ts";
import type { Line } from "./log-store.ts";

const documented = (beginning: string): Settings =>
    (parse(block("logs.md", beginning, "yaml")) as { readonly config: Settings }).config;
export const values = documented("mode: daemonset");
export const valuesForCloudWatch = merge(values, documented("config:\n    extensions:\n        sigv4auth"));

/** @param own  addresses of this machine, instead of documented ones */
export async function collectorConfig(of: Settings, own: Settings): Promise<string> {
    // What the chart adds, with `presets.logsCollection` and by default.
    const ofChart = {
        receivers: {
            filelog: {
                include: [join(pathsOf(spec).podLogs, "pods/*/*/*.log")],
                start_at: "beginning",
                include_file_path: true,
            },
        },
        processors: { memory_limiter: { check_interval: "5s", limit_mib: 400, spike_limit_mib: 100 } },
        extensions: { health_check: { endpoint: `127.0.0.1:${await freePort()}` } },
        // Its own metrics have a port that another collector of this test has, too.
        service: { extensions: ["health_check"], telemetry: { metrics: { level: "none" } } },
    };
    return stringify(merge(merge(ofChart, of), own));
}

/** The lines that a query of LogsQL finds in a VictoriaLogs of this machine. */
export async function linesIn(store: string, query: string): Promise<readonly Line[]> {
    const answer = await fetch(`${store}/select/logsql/query?query=${encodeURIComponent(query)}`);
    const text = (await answer.text()).trim();
    if (!answer.ok) throw new Error(text);
    return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as Line);
}
