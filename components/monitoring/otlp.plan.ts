/** What pods need to send traces and metrics to a server that speaks OTLP (images/backend/orcheo_runtime/otlp.py). */
import type { OtlpTarget } from "../config/schema.otlp";
import type { Stack } from "../config/schema";
import type { Role } from "../kubernetes/labels";
import * as volumes from "../kubernetes/volumes.plan";

export type TelemetrySettings = Pick<Stack, "tracing">;
export type Signal = "traces";

export interface Telemetry {
    readonly signal: Signal;
    /** Section of the settings. */
    readonly section: "tracing";
    readonly target: OtlpTarget;
    /** Processes that send it. Beat does nothing that belongs to a request or a run. */
    readonly roles: readonly Role[];
}

/** Every signal that is sent. */
export function telemetryOf({ tracing }: TelemetrySettings): readonly Telemetry[] {
    return tracing.kind === "none"
        ? []
        : [{ signal: "traces", section: "tracing", target: tracing, roles: ["api", "worker"] }];
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
    const { tracing } = stack;
    return {
        ORCHEO_OTLP_NAMESPACE: stack.kubernetes.namespace,
        ORCHEO_OTLP_VERSION: stack.version,
        ...Object.fromEntries<string>(
            sent.flatMap<readonly [string, string]>(({ signal, target: { endpoint, authority } }) => {
                const name = `ORCHEO_OTLP_${signal.toUpperCase()}`;
                const ca = [`${name}_CA_FILE`, `${caDir(signal)}/ca.crt`] as const;
                return [[`${name}_ENDPOINT`, endpoint], ...(authority.kind === "system" ? [] : [ca])];
            }),
        ),
        ...(tracing.kind === "otlp" && {
            ORCHEO_OTLP_TRACES_PERCENT: String(tracing.samplePercent),
            ...(tracing.continuedBy.length > 0 && { ORCHEO_OTLP_TRACES_HOSTS: tracing.continuedBy.join(",") }),
        }),
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
