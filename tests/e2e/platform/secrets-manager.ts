/** AWS Secrets Manager as moto has it, on the node, and the External Secrets Operator that reads it into the cluster. */
import { join } from "node:path";
import { inNode } from "../../../local/cluster/node.ts";
import { NODE_IP, pathsOf } from "../../../local/cluster/spec.ts";
import { run } from "../../../local/process.ts";
import { awsPackages } from "./python.ts";
import { apply, applyFiles, env, eventually, spec, toolchain } from "./harness.ts";
import { serve, strictNamespace } from "./servers.ts";

const region = "eu-central-1";
const endpoint = `http://${NODE_IP}:4566`;
/** moto takes any. */
const credentials = { id: "test", key: "test" };

/** It runs beside the cluster's services, where pods reach it, and ends with them. */
export async function startSecretsManager(): Promise<void> {
    const log = join(pathsOf(spec).logs, "moto.log");
    const server = `PYTHONPATH='${await awsPackages()}' setsid python3 -m moto.server --host ${NODE_IP} --port 4566`;
    await inNode(spec, ["sh", "-c", `${server} >'${log}' 2>&1 </dev/null &`]);
    const answers = (): Promise<boolean> =>
        inNode(spec, ["curl", "--silent", "--fail", `${endpoint}/moto-api/data.json`]).then(
            () => true,
            () => false,
        );
    if (!(await eventually(60, answers, (up) => up))) throw new Error(`moto does not answer; its log: ${log}`);
}

async function call(action: string, body: object): Promise<void> {
    await inNode(spec, [
        ...["curl", "--silent", "--show-error", "--fail-with-body", "--user", `${credentials.id}:${credentials.key}`],
        ...["--aws-sigv4", `aws:amz:${region}:secretsmanager`, "--header", `X-Amz-Target: secretsmanager.${action}`],
        ...["--header", "Content-Type: application/x-amz-json-1.1", "--data", JSON.stringify(body), endpoint],
    ]);
}

type Values = Readonly<Record<string, string>>;

export const createSecret = (name: string, values: Values): Promise<void> =>
    call("CreateSecret", { Name: name, SecretString: JSON.stringify(values) });
export const rotateSecret = (name: string, values: Values): Promise<void> =>
    call("PutSecretValue", { SecretId: name, SecretString: JSON.stringify(values) });

/** The operator, and a store of the whole cluster with credentials that lie in a Secret. */
export async function installExternalSecrets(store: string): Promise<void> {
    const namespace = "external-secrets";
    const definitions = toolchain.share("external-secrets-crds.yaml");
    await applyFiles(definitions);
    const own = "external-secrets.io";
    const look = ["get", "list", "watch"];
    const write = [...look, "create", "update", "patch", "delete"];
    const unused = ["push-secret", "cluster-external-secret", "cluster-push-secret"];
    await apply([strictNamespace(namespace)]);
    await serve({
        name: "external-secrets",
        namespace,
        args: unused.map((name) => `--enable-${name}-reconciler=false`),
        environment: { AWS_SECRETSMANAGER_ENDPOINT: endpoint },
        rules: [
            {
                apiGroups: [own],
                resources: ["clustersecretstores", "externalsecrets", "secretstores"].flatMap((name) => [
                    name,
                    `${name}/status`,
                    `${name}/finalizers`,
                ]),
                verbs: [...look, "update", "patch"],
            },
            { apiGroups: [`generators.${own}`], resources: ["generatorstates"], verbs: write },
            { apiGroups: [""], resources: ["namespaces", "serviceaccounts", "configmaps"], verbs: look },
            { apiGroups: [""], resources: ["secrets"], verbs: write },
            { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
        ],
    });
    const reference = (key: string) => ({ name: "aws", namespace, key });
    await apply([
        { apiVersion: "v1", kind: "Secret", metadata: { name: "aws", namespace }, stringData: credentials },
        {
            apiVersion: `${own}/v1`,
            kind: "ClusterSecretStore",
            metadata: { name: store },
            spec: {
                provider: {
                    aws: {
                        service: "SecretsManager",
                        region,
                        auth: {
                            secretRef: {
                                accessKeyIDSecretRef: reference("id"),
                                secretAccessKeySecretRef: reference("key"),
                            },
                        },
                    },
                },
            },
        },
    ]);
    await run("kubectl", ["wait", "--for=condition=Ready", `clustersecretstore/${store}`, "--timeout=60s"], { env });
}
