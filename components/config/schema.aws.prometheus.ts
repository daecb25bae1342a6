/** Settings of Amazon Managed Service for Prometheus. */
import { z } from "zod";
import { name, objectName, whole } from "./fields";

export const prometheus = z
    .strictObject({
        writer: z
            .strictObject({
                namespace: name().describe(
                    "Namespace of your OpenTelemetry Collector or Prometheus that writes to the workspace of Amazon Managed Service for Prometheus ([docs/monitoring.md](monitoring.md#on-aws)).",
                ),
                serviceAccount: objectName().describe("Its service account, which gets a role for that alone."),
            })
            .describe("Who writes to it."),
        retentionDays: whole(1, 1095).default(150).describe("Days that the workspace keeps metrics."),
    })
    .optional()
    .describe(
        "A workspace of Amazon Managed Service for Prometheus with the stack's rules, whose alerts go to the topic of the alarms; needs `monitoring` ([docs/monitoring.md](monitoring.md#on-aws)).",
    );

export type PrometheusSettings = NonNullable<z.output<typeof prometheus>>;
