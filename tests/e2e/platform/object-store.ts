/** An S3 store of the tests' own in the cluster, and a stack's settings for it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { buildAndPush } from "../../../local/cluster/images.ts";
import { registryOf } from "../../../local/cluster/spec.ts";
import { caBundleFile, logFile, projectDir } from "../../../local/paths.ts";
import { run } from "../../../local/process.ts";
import type { Settings } from "../../../local/settings.ts";
import { apply, env, NAMESPACE, spec, toolchain } from "./harness.ts";

export const STORE = "store";
export const BUCKET = "orcheo-data";
const host = `s3.${STORE}.svc`;
/** set-up.py makes it. */
export const kmsKeyId = "alias/backups";
const folder = join(projectDir, "tests", "e2e", "store");
export const labels = { app: "s3" };

export interface Keys {
    readonly id: string;
    readonly secret: string;
}
/** What docs/config.md asks for. */
const policy = {
    Version: "2012-10-17",
    Statement: [
        {
            Effect: "Allow",
            Action: ["s3:PutObject", "s3:AbortMultipartUpload"],
            Resource: `arn:aws:s3:::${BUCKET}/backups/*`,
        },
    ],
};

export type Store = Readonly<Record<"backup" | "operator", Keys>>;

/** moto behind https, with a certificate of the local authority. */
const objects = (image: string): readonly object[] => [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: STORE } },
    {
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: { name: "s3", namespace: STORE },
        spec: {
            secretName: "s3-tls",
            dnsNames: [host, "localhost"],
            issuerRef: { group: "cert-manager.io", kind: "ClusterIssuer", name: "orcheo-local-ca" },
        },
    },
    {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "s3", namespace: STORE },
        spec: { selector: labels, ports: [{ port: 443, targetPort: 8443 }] },
    },
    {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "s3", namespace: STORE },
        spec: {
            selector: { matchLabels: labels },
            template: {
                metadata: { labels },
                spec: {
                    containers: [
                        {
                            name: "s3",
                            image,
                            env: Object.entries({
                                AWS_ENDPOINT_URL: "https://localhost:8443",
                                AWS_CA_BUNDLE: "/tls/ca.crt",
                                AWS_DEFAULT_REGION: "eu-central-1",
                                AWS_ACCESS_KEY_ID: "nobody",
                                AWS_SECRET_ACCESS_KEY: "nobody",
                                // s3.store.svc is no bucket of the name s3.
                                S3_IGNORE_SUBDOMAIN_BUCKETNAME: "true",
                            }).map(([name, value]) => ({ name, value })),
                            readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
                            volumeMounts: [{ name: "tls", mountPath: "/tls" }],
                        },
                    ],
                    volumes: [{ name: "tls", secret: { secretName: "s3-tls" } }],
                },
            },
        },
    },
];

export async function startStore(): Promise<Store> {
    const digest = await buildAndPush(spec, toolchain, folder, `${registryOf(spec)}/test/store:1`, {
        log: logFile("image-store"),
        args: caBundleFile === undefined ? [] : ["--secret", `id=ca-bundle,src=${caBundleFile}`],
    });
    await apply(objects(`${registryOf(spec)}/test/store@${digest}`));
    const inStore = ["--namespace", STORE];
    await run("kubectl", [...inStore, "rollout", "status", "deployment/s3", "--timeout=120s"], { env });
    const made = await run(
        "kubectl",
        [...inStore, "exec", "-i", "deployment/s3", "--", "python3", "-", JSON.stringify(policy)],
        {
            env,
            input: readFileSync(join(folder, "set-up.py"), "utf8"),
        },
    );
    return JSON.parse(made) as Store;
}

/** The section `backup` of a stack that writes there. */
export const backupToStore: Settings = {
    kind: "s3",
    bucket: BUCKET,
    region: "eu-central-1",
    endpoint: `https://${host}`,
    authority: { kind: "file", path: clusterInfo(spec).caFile },
    port: 8443,
    reach: { kind: "pods", namespace: STORE, podLabels: labels },
    credentials: { kind: "secret", name: "backup-s3" },
    kmsKeyId,
};

/** The keys that the stack's backups have. */
export async function useKeys({ id, secret }: Keys): Promise<void> {
    const data = { "access-key-id": id, "secret-access-key": secret };
    const object = { apiVersion: "v1", kind: "Secret", metadata: { name: "backup-s3", namespace: NAMESPACE } };
    await run("kubectl", ["apply", "-f", "-"], { env, input: JSON.stringify({ ...object, stringData: data }) });
}

/** Whom the store's Service leads to. */
export const endpoint = (selector: object): Promise<string> =>
    run(
        "kubectl",
        ["--namespace", STORE, "patch", "service", "s3", "--patch", JSON.stringify({ spec: { selector } })],
        { env },
    );
