/** What pods need to send traces and metrics to a server that speaks OTLP (images/backend/orcheo_runtime/otlp.py). */
import type { OtlpTarget } from "../config/schema.otlp";
import type { Stack } from "../config/schema";
import type { Role } from "../kubernetes/labels";
import * as volumes from "../kubernetes/volumes.plan";

export type TelemetrySettings = Pick<Stack, "monitoring" | "tracing">;
export type Signal = "metrics" | "traces";

export interface Telemetry {
    readonly signal: Signal;
    /** Section of the settings. */
    readonly section: "monitoring" | "tracing";
    readonly target: OtlpTarget;
    /** Processes that send it. */
    readonly roles: readonly Role[];
    /** Ends of further variables, and their values. */
    readonly more: Readonly<Record<string, string>>;
}

/** Every signal that is sent. */
export function telemetryOf({ monitoring, tracing }: TelemetrySettings): readonly Telemetry[] {
    const metrics = (target: Extract<Stack["monitoring"], { kind: "otlp" }>): Telemetry => ({
        ...{ signal: "metrics", section: "monitoring", target, roles: ["api", "worker", "beat"] },
        more: { SECONDS: String(target.exportSeconds) },
    });
    const traces = (target: Extract<Stack["tracing"], { kind: "otlp" }>): Telemetry => ({
        // Beat does nothing that belongs to a request or a run.
        ...{ signal: "traces", section: "tracing", target, roles: ["api", "worker"] },
        more: {
            PERCENT: String(target.samplePercent),
            ...(target.continuedBy.length > 0 && { HOSTS: target.continuedBy.join(",") }),
        },
    });
    return [
        ...(monitoring.kind === "otlp" ? [metrics(monitoring)] : []),
        ...(tracing.kind === "otlp" ? [traces(tracing)] : []),
    ];
}

/** Those that a role sends. */
export const sentBy = (role: Role, stack: TelemetrySettings): readonly Telemetry[] =>
    telemetryOf(stack).filter(({ roles }) => roles.includes(role));

/** The port that pods connect to; behind a Service it is that of its pods. */
export const otlpPort = ({ endpoint, port }: OtlpTarget): number => {
    const { port: own, protocol } = new URL(endpoint);
    return port ?? Number(own || (protocol === "https:" ? 443 : 80));
};

const caDir = (signal: Signal): string => `/etc/orcheo/otlp-${signal}-ca`;

export function telemetryEnvironment(
    role: Role,
    stack: TelemetrySettings & Pick<Stack, "kubernetes" | "version">,
): Record<string, string> {
    const sent = sentBy(role, stack);
    if (sent.length === 0) return {};
    const variables = sent.flatMap(({ signal, target: { endpoint, authority }, more }) => {
        const ca = authority.kind === "system" ? {} : { CA_FILE: `${caDir(signal)}/ca.crt` };
        return Object.entries({ ENDPOINT: endpoint, ...ca, ...more }).map(
            ([end, value]) => [`ORCHEO_OTLP_${signal.toUpperCase()}_${end}`, value] as const,
        );
    });
    return {
        ORCHEO_OTLP_NAMESPACE: stack.kubernetes.namespace,
        ORCHEO_OTLP_VERSION: stack.version,
        ...Object.fromEntries(variables),
    };
}

/** Headers of a role's signals, as files. */
export const telemetrySecrets = (role: Role, stack: TelemetrySettings): volumes.SecretFiles[] =>
    sentBy(role, stack).flatMap(({ signal, target: { headers } }) =>
        headers.kind === "secret"
            ? [{ secretName: headers.name, keys: [{ key: headers.key, path: `otlp-${signal}-headers` }] }]
            : [],
    );

/** CAs of the servers. */
export type TelemetryTrust = Readonly<Partial<Record<Signal, volumes.Trust>>>;

export const telemetryMounts = (role: Role, stack: TelemetrySettings, trust: TelemetryTrust): volumes.Mounted[] =>
    sentBy(role, stack).flatMap(({ signal }) =>
        volumes.trusted(`otlp-${signal}-ca`, trust[signal] ?? { kind: "system" }, caDir(signal)),
    );
