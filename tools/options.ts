/** The arguments of `npm run status` and `npm run diagnose`. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { alertSource, type AlertSource } from "./status/alerts.ts";

export interface Options {
    readonly command: "status" | "diagnose";
    readonly namespace: string;
    /** Default: the current one. */
    readonly context?: string;
    readonly kubeconfig?: string;
    /** PEM text. */
    readonly ca?: string;
    readonly address?: string;
    readonly alerts?: AlertSource;
    readonly json: boolean;
    readonly output?: string;
}

export const usage = `usage: npm run status -- [options], npm run diagnose -- [options]
  --namespace NAME   namespace of the stack; default: orcheo
  --context NAME     context of the kubeconfig; default: the current one
  --kubeconfig FILE  default: $KUBECONFIG, else ~/.kube/config
  --ca-file FILE     PEM file with the CA of the URL, where it is private
  --address ADDRESS  address to connect to in place of the URL's host
  --alerts WHERE     (status) Alertmanager, Prometheus or vmalert: its URL, or service/NAMESPACE/NAME:PORT to ask it through the
                     cluster's API; default: $ORCHEO_ALERTS
  --json             (status) prints JSON
  --output FILE      (diagnose) the archive to write; default: orcheo-diagnose-<time>.tar.gz

Exit code of status: 0 healthy, 1 not healthy, 2 wrong usage or not known.
`;

export class UsageError extends Error {}

/** @throws UsageError with every problem */
export function readOptions(args: readonly string[]): Options {
    const text = { type: "string" } as const;
    let parsed;
    try {
        parsed = parseArgs({
            args: [...args],
            allowPositionals: true,
            options: {
                ...{ namespace: text, context: text, kubeconfig: text, address: text, output: text, alerts: text },
                ...{ "ca-file": text, json: { type: "boolean" } as const, help: { type: "boolean" } as const },
            },
        });
    } catch (error) {
        throw new UsageError(error instanceof Error ? error.message : String(error));
    }
    const { values, positionals } = parsed;
    if (values.help === true) throw new UsageError("");
    const problems: string[] = [];
    const [command, ...rest] = positionals;
    if ((command !== "status" && command !== "diagnose") || rest.length > 0)
        problems.push(`found ${JSON.stringify(positionals.join(" "))}; accepted: status, diagnose`);
    const namespace = values.namespace ?? "orcheo";
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace))
        problems.push(`--namespace: found ${JSON.stringify(namespace)}; accepted: the name of a namespace`);
    const alerts = values.alerts ?? (process.env["ORCHEO_ALERTS"] || undefined);
    if (alerts !== undefined && !alertSource.test(alerts))
        problems.push(
            `${values.alerts === undefined ? "ORCHEO_ALERTS" : "--alerts"}: found ${alerts.includes("@") ? "a value that is not shown" : JSON.stringify(alerts)}; accepted: a URL without credentials, or service/NAMESPACE/NAME:PORT`,
        );
    let ca: string | undefined;
    try {
        const file = values["ca-file"];
        if (file !== undefined) ca = readFileSync(file, "utf8");
        if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----")) throw new Error("no certificate");
    } catch {
        problems.push(`--ca-file: found ${JSON.stringify(values["ca-file"])}; accepted: a PEM file of certificates`);
    }
    if (problems.length > 0) throw new UsageError(problems.join("\n"));
    const { context, kubeconfig, address, output, json = false } = values;
    return {
        command: command as Options["command"],
        namespace,
        context,
        kubeconfig,
        ca,
        address,
        alerts,
        output,
        json,
    };
}
