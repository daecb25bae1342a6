/** Settings of traces and metrics that are each accepted and cannot be meant together. */
import type { Problem } from "../config/problems";
import { telemetryOf, type TelemetrySettings } from "../monitoring/monitoring.plan";

/** Traces name routes, statements and servers; headers are credentials. */
export function plainTelemetry(stack: TelemetrySettings): Problem[] {
    return telemetryOf(stack)
        .filter(({ target }) => target.endpoint.startsWith("http://") && target.reach.kind !== "pods")
        .map(({ section, target }) => ({
            at: `orcheo:stack.${section}.endpoint`,
            found: `found "${target.endpoint}"`,
            remedy: `accepted: an https:// URL; http:// to pods of the cluster alone, with ${section}.reach of kind "pods"`,
        }));
}
