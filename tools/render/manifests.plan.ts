/** From the objects that Pulumi's provider wrote to the manifests of a repository: the same ones from the same settings. */
import { createHash } from "node:crypto";

export interface Manifest {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: {
        readonly name: string;
        readonly namespace?: string;
        readonly annotations?: Readonly<Record<string, string>>;
    };
}

export interface Rendered {
    readonly objects: readonly Manifest[];
    /** Not for a repository: with their values. */
    readonly secrets: readonly Manifest[];
}

/** Annotations that only Pulumi reads: its own, and whose the object is. */
const ofPulumi = /^pulumi\.com\/|^orcheo\.dev\/owner$/;
/** Objects with data, which the stack protects: neither tool deletes them, when their file is gone or with the application. */
const withData = ["Namespace", "PersistentVolumeClaim"];
const keepsData = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
};
const AUTONAMED = "pulumi.com/autonamed";

/** The record of updates by Pulumi, which has the time of the update in it. */
const isRecord = ({ kind, metadata: { name } }: Manifest): boolean => kind === "ConfigMap" && name === "updates";

/**
 * Names that Pulumi made up get the hash of their content instead, so that a change is a new object as with Pulumi; those of Secrets, whose
 * content is made elsewhere, get no suffix.
 */
export function manifestsOf(written: readonly Manifest[]): Rendered {
    const kept = written.filter((each) => !isRecord(each));
    const names = new Map<string, string>();
    // Secrets and ConfigMaps refer to nothing; what has a generated name beside them, such as a Job, may refer to them.
    const order = (each: Manifest): number => ["Secret", "ConfigMap"].indexOf(each.kind) >>> 0;
    for (const each of kept.filter(isAutonamed).sort((a, b) => order(a) - order(b)))
        names.set(each.metadata.name, stableName(renamed(each, names) as Manifest));
    const all = kept.map((each) => withoutMarks(renamed(each, names) as Manifest)).sort(byIdentity);
    return {
        objects: all.filter(({ kind }) => kind !== "Secret"),
        secrets: all.filter(({ kind }) => kind === "Secret"),
    };
}

const isAutonamed = ({ metadata }: Manifest): boolean => metadata.annotations?.[AUTONAMED] === "true";

function stableName(manifest: Manifest): string {
    const base = manifest.metadata.name.replace(/-[0-9a-f]{8}$/, "");
    if (manifest.kind === "Secret") return base;
    const content = withoutMarks({ ...manifest, metadata: { ...manifest.metadata, name: base } });
    const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex");
    return `${base}-${hash.slice(0, 8)}`;
}

/** The value with every whole text that is one of the names replaced. */
function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
    if (typeof value === "string") return names.get(value) ?? value;
    if (Array.isArray(value)) return value.map((each) => renamed(each, names));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renamed(each, names)]));
}

function withoutMarks(manifest: Manifest): Manifest {
    const { annotations = {}, ...metadata } = manifest.metadata;
    const own = Object.entries(annotations).filter(([key]) => !ofPulumi.test(key));
    const kept = [...own, ...(withData.includes(manifest.kind) ? Object.entries(keepsData) : [])];
    return {
        ...manifest,
        metadata: { ...metadata, ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }) },
    };
}

/** Kind and name, without the namespace, which all but the cluster's own objects share. */
export const fileOf = ({ apiVersion, kind, metadata: { name } }: Manifest): string => {
    const group = apiVersion.includes("/") ? `.${apiVersion.split("/")[0]}` : "";
    return `${kind.toLowerCase()}${group}-${name}.yaml`;
};

function byIdentity(a: Manifest, b: Manifest): number {
    return fileOf(a) < fileOf(b) ? -1 : 1;
}

/** What the repository does not have: each Secret's name with its keys. */
export function missingSecrets(secrets: readonly Manifest[]): string {
    const rows = secrets.map((secret) => {
        const { data, stringData, type } = secret as Manifest & {
            data?: object;
            stringData?: object;
            type?: string;
        };
        const keys = Object.keys({ ...data, ...stringData }).sort();
        return `| ${secret.metadata.name} | ${type ?? "Opaque"} | ${keys.join(", ")} |`;
    });
    return [
        "# Secrets",
        "",
        "These are not in this folder. Without them the pods do not start (docs/gitops.md).",
        "",
        "| name | type | keys |",
        "| --- | --- | --- |",
        ...rows,
        "",
    ].join("\n");
}
