/** A stack with every alert: scraped, probed from outside, scaled and backed up. */
import { parseStack } from "../components/stack/read";
import { settingsOf } from "./harness";

export function monitoredStack(
    monitoring: object = { kind: "prometheusOperator", probe: { prober: "blackbox-exporter.monitoring.svc:9115" } },
    others: object = {},
) {
    const settings = {
        ...settingsOf("dev"),
        monitoring,
        api: { scaling: { minReplicas: 2, maxReplicas: 4 } },
        backup: { kind: "s3", bucket: "backups", credentials: { kind: "secret", name: "store" } },
        ...others,
    };
    const { stack, problems } = parseStack({ stack: "dev", keys: [], json: JSON.stringify(settings), secret: false });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}
