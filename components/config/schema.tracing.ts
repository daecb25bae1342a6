/** Settings of traces. */
import { z } from "zod";
import { kind, oneOf, text } from "./fields";
import { otlpTarget } from "./schema.otlp";

const percentForm = "a number from 0 to 100";
const label = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

export const tracing = oneOf([
    z.strictObject({ kind: kind("none") }),
    z.strictObject({
        kind: kind("otlp"),
        ...otlpTarget("https://otel.example.com/v1/traces"),
        samplePercent: z
            .number({ error: percentForm })
            .min(0, { error: percentForm })
            .max(100, { error: percentForm })
            .meta({ accepted: percentForm })
            .default(10)
            .describe("Share of the traces that are kept, by their id: a client's header cannot raise it."),
        continuedBy: z
            .array(
                text(
                    new RegExp(`^\\.?${label}(\\.${label})*$`),
                    "a host name, or a domain such as .example.com for what is below it",
                ),
            )
            .default([])
            .describe(
                "Hosts that outgoing calls tell the trace's id (`traceparent`), so that they continue it. All others do not learn it.",
            ),
    }),
])
    .prefault({ kind: "none" })
    .describe(
        "Traces of requests and runs, through API, queue and worker to Postgres and outgoing calls ([docs/tracing.md](tracing.md)).",
    );

/** Settings that moved, and where each is now. */
export const movedToTracing: Readonly<Record<string, string>> = {
    "tracing.otlpEndpoint": "tracing.endpoint",
};
