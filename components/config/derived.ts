/** What follows from settings alone. */
import type { Stack, Sections } from "./schema";
import { s3, type S3 } from "./schema.backup";

/** Its kubeconfig is an output of AWS, or of another stack: not known before resources are registered. */
export function madeByAws({ aws }: Partial<Sections>): boolean {
    if (aws?.cluster.kind === "stackReference") return aws.cluster.kubeconfigOutput !== undefined;
    return aws?.cluster.kind === "new";
}

/** `kubectl` for the stack's namespace. */
export function kubectlOf({ kubernetes }: Stack): string {
    const { context, namespace, kubeconfig } = kubernetes;
    const file = kubeconfig === undefined ? "" : ` --kubeconfig ${kubeconfig}`;
    return `kubectl${file} --context ${context} --namespace ${namespace}`;
}

/** `https://host[:port]`: where browsers find the stack. */
export function publicUrl({ host, entrance }: Pick<Stack, "host" | "entrance">): string {
    return entrance.port === 443 ? `https://${host}` : `https://${host}:${entrance.port}`;
}

/** Where dumps go; undefined where none are made. */
export function backupOf({ backup, aws }: Pick<Stack, "backup" | "aws">): S3 | undefined {
    if (backup === undefined) return aws === undefined ? undefined : s3.parse({ kind: "s3" });
    return backup.kind === "none" ? undefined : backup;
}

export const prefixOf = ({ prefix }: S3, { kubernetes }: Pick<Stack, "kubernetes">): string =>
    prefix ?? `backups/${kubernetes.namespace}/`;

/** Ports on the way to the store: its own, and the proxy's. */
export function storePorts({ endpoint, port, plainHttp }: S3, { outbound }: Pick<Stack, "outbound">): number[] {
    const portOf = (url: string) => Number(new URL(url).port || (url.startsWith("https:") ? 443 : 80));
    const proxy = plainHttp ? outbound.proxy?.httpUrl : outbound.proxy?.httpsUrl;
    const own = port ?? (endpoint === undefined ? 443 : portOf(endpoint));
    return [...new Set([own, ...(proxy === undefined ? [] : [portOf(proxy)])])];
}

/** Seconds in which a stopping pod is still asked: a load balancer learns of it later than proxies in the cluster. */
export function leaveSeconds({ entrance }: Pick<Stack, "entrance">): number {
    return entrance.controller.kind.startsWith("aws") ? 20 : 5;
}

export const ownClass = "orcheo-gp3";

/** The class of a volume: the configured one, that of a new cluster on AWS, which has none of its own, or the cluster's default. */
export function storageClassOf({ aws }: Pick<Stack, "aws">, configured: string | undefined): string | undefined {
    return configured ?? (aws?.cluster.kind === "new" ? ownClass : undefined);
}

/** Whether anything asks for a volume of that class. */
export function needsStorageClass({ aws, database, cache }: Pick<Stack, "aws" | "database" | "cache">): boolean {
    const claims = [database.kind === "statefulset" && database, cache.kind === "valkey" && cache];
    return claims.some((claim) => claim !== false && storageClassOf({ aws }, claim.storageClass) === ownClass);
}
