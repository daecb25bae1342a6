/** Volumes, each with the place where a container sees it. */
import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { mebibytes } from "./quantity";

type Volume = types.input.core.v1.Volume;
type VolumeMount = types.input.core.v1.VolumeMount;

export interface Mounted {
    readonly volume: Volume & { name: string };
    readonly mount: VolumeMount;
    /** Part of the node's disk that it may fill. */
    readonly diskMiB?: number;
}

export const secretsDir = "/run/secrets/orcheo";
export const caFile = "/etc/orcheo/ca/ca.crt";
const readableByGroup = 0o440;

/** An empty directory that lives as long as the pod. */
export function scratch(name: string, mountPath: string, sizeMiB: number, medium?: "Memory"): Mounted {
    return {
        volume: { name, emptyDir: { sizeLimit: mebibytes(sizeMiB), ...(medium && { medium }) } },
        mount: { name, mountPath },
        ...(medium === undefined && { diskMiB: sizeMiB }),
    };
}

/** A part of a Secret to be mounted: only these keys reach the pod. */
export interface SecretFiles {
    readonly secretName: Input<string>;
    /** A file has its key's name, unless it is given another. */
    readonly keys: readonly (string | { readonly key: string; readonly path: string })[];
}

/** Keys of one or more Secrets as files below /run/secrets/orcheo. */
export function secretFiles(secrets: readonly SecretFiles[]): Mounted {
    const sources = secrets.map(({ secretName, keys }) => ({
        secret: {
            name: secretName,
            items: keys.map((each) => (typeof each === "string" ? { key: each, path: each } : each)),
        },
    }));
    return {
        volume: { name: "secrets", projected: { sources, defaultMode: readableByGroup } },
        mount: { name: "secrets", mountPath: secretsDir, readOnly: true },
    };
}

/** The server's own certificate, key and CA. */
export function serverCertificate(secretName: Input<string>): Mounted {
    return {
        volume: { name: "tls", secret: { secretName, defaultMode: readableByGroup } },
        mount: { name: "tls", mountPath: "/etc/orcheo/tls", readOnly: true },
    };
}

/** Only the CA of a certificate Secret, which is all a client needs. */
export function stackCa(secretName: Input<string>): Mounted {
    const items = [{ key: "ca.crt", path: "ca.crt" }];
    return {
        volume: { name: "ca", secret: { secretName, items, defaultMode: readableByGroup } },
        mount: { name: "ca", mountPath: "/etc/orcheo/ca", readOnly: true },
    };
}

/** CA of a server outside the stack; nothing for CAs that every pod of the backend trusts anyway. */
export function trusted(name: string, trust: Trust, mountPath: string): Mounted[] {
    if (trust.kind === "stack" || trust.kind === "system") return [];
    const file = { items: [{ key: trust.key, path: "ca.crt" }], defaultMode: readableByGroup };
    const volume =
        trust.kind === "secret"
            ? { name, secret: { secretName: trust.name, ...file } }
            : { name, configMap: { name: trust.name, ...file } };
    return [{ volume, mount: { name, mountPath, readOnly: true } }];
}

export function configFiles(name: string, configMap: Input<string>, mountPath: string): Mounted {
    return {
        volume: { name, configMap: { name: configMap, defaultMode: readableByGroup } },
        mount: { name, mountPath, readOnly: true },
    };
}

/** One key of a ConfigMap that may appear later, and whose changes appear without a restart. */
export function laterFile(name: string, configMap: string, key: string, mountPath: string): Mounted {
    const items = [{ key, path: key }];
    return {
        volume: { name, configMap: { name: configMap, items, optional: true, defaultMode: readableByGroup } },
        mount: { name, mountPath, readOnly: true },
    };
}

export function claim(name: string, claimName: Input<string>, mountPath: string): Mounted {
    return { volume: { name, persistentVolumeClaim: { claimName } }, mount: { name, mountPath } };
}

/** Location of the CA that signed the server's certificate. */
export type Trust =
    /** The stack's own, which every pod of the backend has at /etc/orcheo/ca. */
    | { readonly kind: "stack" }
    /** Those that the backend image brings along (Debian's ca-certificates). */
    | { readonly kind: "system" }
    | { readonly kind: "secret" | "configMap"; readonly name: Input<string>; readonly key: string };
