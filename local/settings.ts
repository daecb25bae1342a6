/** The settings of a stack as `make up` passes them to Pulumi: the committed file plus settings of this machine. */
import type { ClusterInfo } from "./cluster/cluster.ts";

/** The context that stands for the embedded cluster in Pulumi.<stack>.yaml; any other is the user's own cluster. */
export const EMBEDDED_CONTEXT = "orcheo-local";

export type Settings = Readonly<Record<string, unknown>>;

/** A parsed Pulumi.<stack>.yaml; `encryptionsalt` and similar keys belong to Pulumi. */
export interface StackFile {
    readonly config?: Settings;
    readonly [key: string]: unknown;
}

const KEY = "orcheo:stack";

export const isSettings = (value: unknown): value is Settings =>
    typeof value === "object" && value !== null && !Array.isArray(value);

/** `orcheo:stack` of a stack file. @throws when it is not a mapping */
export function settingsOf(file: unknown, name: string): Settings {
    const settings = isSettings(file) && isSettings(file.config) ? file.config[KEY] : undefined;
    if (!isSettings(settings))
        throw new Error(`${name}: config.${KEY} is not a mapping; docs/config.md lists the settings`);
    return settings;
}

/** The kube context that the settings name. */
export function contextOf(settings: Settings): string | undefined {
    const context = isSettings(settings.kubernetes) ? settings.kubernetes.context : undefined;
    return typeof context === "string" ? context : undefined;
}

/** Merges mappings key by key and replaces everything else; `undefined` changes nothing. */
export function merge(base: Settings, over: Settings): Settings {
    const merged = new Map<string, unknown>(Object.entries(base));
    for (const [key, value] of Object.entries(over)) {
        const old = merged.get(key);
        // Different kinds of a union share no keys: another kind replaces the whole mapping.
        const both = isSettings(old) && isSettings(value);
        const replaced = both && old.kind !== undefined && value.kind !== undefined && old.kind !== value.kind;
        if (value !== undefined) merged.set(key, both && !replaced ? merge(old, value) : value);
    }
    return Object.fromEntries(merged);
}

/** Settings that depend on the machine. */
export interface Machine {
    readonly cluster: Pick<ClusterInfo, "context" | "kubeconfig" | "registry" | "builder">;
    /** The Ingress' https port on the host. */
    readonly httpsPort: number;
    /** Directory of an Orcheo source tree; without it the committed source is used. */
    readonly canvasDirectory?: string;
    /** PEM file with the additional CAs of this network. */
    readonly caBundleFile?: string;
    /** `auth.signIn` with the cluster's own identity provider, for a stack whose settings leave it out. */
    readonly signIn?: Settings;
    /** `monitoring` with the cluster's own monitoring. */
    readonly monitoring?: Settings;
    /** `tracing` with the cluster's own collector, for a stack that sends its traces nowhere. */
    readonly tracing?: Settings;
}

/** Whether a stack leaves to the embedded cluster how people sign in. */
export const leavesSignIn = ({ auth }: Settings): boolean => !isSettings(auth) || auth.signIn === undefined;

/** The settings for the embedded cluster. Published images are left unchanged. */
export function embeddedSettings(committed: Settings, machine: Machine): Settings {
    const { cluster, httpsPort, canvasDirectory, caBundleFile, signIn, monitoring, tracing } = machine;
    const images = isSettings(committed.images) ? committed.images : {};
    const builds = images.kind === undefined || images.kind === "build";
    const source = canvasDirectory === undefined ? undefined : { kind: "directory", path: canvasDirectory };
    return merge(committed, {
        kubernetes: { context: cluster.context, kubeconfig: cluster.kubeconfig },
        registry: { prefix: `${cluster.registry}/orcheo` },
        entrance: { port: httpsPort },
        auth: signIn !== undefined && leavesSignIn(committed) ? { signIn } : undefined,
        monitoring,
        tracing: isSettings(committed.tracing) && committed.tracing.kind === "otlp" ? undefined : tracing,
        images: builds
            ? { kind: "build", builder: cluster.builder, caBundleFile, ...(source && { canvas: { source } }) }
            : undefined,
    });
}

/** The content for `pulumi --config-file`; keys that Pulumi wrote into the `own` file before are kept. */
export function stackFile(settings: Settings, committed: StackFile, own: unknown): StackFile {
    const kept = isSettings(own) ? Object.fromEntries(Object.entries(own).filter(([key]) => key !== "config")) : {};
    const config = isSettings(committed.config) ? committed.config : {};
    return { ...committed, ...kept, config: { ...config, [KEY]: settings } };
}

/** Arguments of `npm run status` that lead to a stack's cluster and namespace; `alerts`: where the embedded cluster is asked for them. */
export function stackArguments(
    settings: Settings,
    cluster: Pick<ClusterInfo, "context" | "kubeconfig" | "caFile">,
    alerts?: string,
): string[] {
    const { namespace, kubeconfig } = isSettings(settings.kubernetes) ? settings.kubernetes : {};
    const context = contextOf(settings);
    const own = typeof kubeconfig === "string" ? ["--kubeconfig", kubeconfig] : [];
    return [
        ...(typeof namespace === "string" ? ["--namespace", namespace] : []),
        ...(context !== undefined && context !== EMBEDDED_CONTEXT
            ? ["--context", context, ...own]
            : [
                  ...["--context", cluster.context, "--kubeconfig", cluster.kubeconfig],
                  // The entrance is a port of this machine, whatever the host resolves to.
                  ...["--ca-file", cluster.caFile, "--address", "127.0.0.1"],
                  ...(alerts === undefined ? [] : ["--alerts", alerts]),
              ]),
    ];
}
