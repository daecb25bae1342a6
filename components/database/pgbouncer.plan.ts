import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { clientsAtPeak, type ClientSettings } from "../config/connections";
import { ports } from "../config/ports";
import type { Pgbouncer as Settings } from "../config/schema.pooler";
import type { Stack } from "../config/schema";
import { objectLabels, selector } from "../kubernetes/labels";
import { planPod, probe, processProbes, type PodSettings } from "../kubernetes/pod.plan";
import * as volumes from "../kubernetes/volumes.plan";
import { reachOf, type ReachSettings } from "../network/network.plan";
import { caDir, trustFile, type Server, type Slot } from "../servers/servers.plan";

export type PgbouncerSettings = ClientSettings & PodSettings & ReachSettings & Pick<Stack, "leaveSeconds" | "worker">;

export interface PgbouncerInputs {
    readonly namespace: Input<string>;
    readonly image: Input<string>;
    readonly serviceAccountName: Input<string>;
    /** Holds `userlist.txt`, and `postgres-dsn` where the program knows the URL. */
    readonly secretName: Input<string>;
    readonly certificateSecret: Input<string>;
    readonly server: Pick<Server, "url" | "trust">;
}

/** What its clients call the database; the URL of the server says its real name. */
export const pooledDatabase = "orcheo";
export const pooledLogin = ({ slot }: Slot): string => `orcheo_${slot}`;

/** Passwords consist of letters and digits alone: they need no quoting. */
export const planUserlist = (logins: readonly { readonly login: string; readonly password: string }[]): string =>
    logins.map(({ login, password }) => `"${login}" "${password}"\n`).join("");

/** In steps: each change of the number replaces the pods. */
const clientStep = 256;

/** Any one replica may have to serve all of them. */
export const planClients = (stack: ClientSettings): number => Math.ceil(clientsAtPeak(stack) / clientStep) * clientStep;

/** After the longest run: seconds for clients to leave (images/pgbouncer/entrypoint.sh), and some to spare. */
const leaveClientsSeconds = 50;

/** The server's URL with its password, which the pooler alone reads. */
function planFiles({ secretName, server: { url } }: PgbouncerInputs): volumes.SecretFiles[] {
    return url.kind === "secret"
        ? [
              { secretName, keys: ["userlist.txt"] },
              { secretName: url.secretName, keys: [{ key: url.key, path: "postgres-dsn" }] },
          ]
        : [{ secretName, keys: ["userlist.txt", "postgres-dsn"] }];
}

/** @see https://www.pgbouncer.org/config.html */
export function planPgbouncer(
    stack: PgbouncerSettings,
    settings: Settings,
    inputs: PgbouncerInputs,
): types.input.apps.v1.Deployment {
    const { trust } = inputs.server;
    const responds = { exec: { command: ["pgbouncer-probe"] } };
    return {
        metadata: { name: "pgbouncer", namespace: inputs.namespace, labels: objectLabels("pgbouncer") },
        spec: {
            replicas: settings.replicas,
            selector: { matchLabels: selector("pgbouncer") },
            strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
            template: planPod({
                role: "pgbouncer",
                serviceAccountName: inputs.serviceAccountName,
                stack,
                terminationGraceSeconds: stack.leaveSeconds + stack.worker.longestRunSeconds + leaveClientsSeconds,
                containers: [
                    {
                        name: "pgbouncer",
                        image: inputs.image,
                        env: {
                            PGBOUNCER_POOL: String(settings.connectionsPerReplica),
                            PGBOUNCER_CLIENTS: String(planClients(stack)),
                            POSTGRES_PORT_OPEN: String(reachOf(stack, "database").port),
                            PGBOUNCER_RUN_SECONDS: String(stack.worker.longestRunSeconds),
                            PGSSLROOTCERT: trustFile("database", trust),
                        },
                        port: { name: "pgbouncer", number: ports.pgbouncer },
                        resources: settings.resources,
                        mounts: [
                            volumes.secretFiles(planFiles(inputs)),
                            volumes.serverCertificate(inputs.certificateSecret),
                            ...(trust.kind === "stack" ? [volumes.stackCa(inputs.certificateSecret)] : []),
                            ...volumes.trusted("database-ca", trust, caDir("database")),
                            // The password passes through it.
                            volumes.scratch("tmp", "/tmp", 16, "Memory"),
                        ],
                        probes: {
                            startup: probe(responds, { everySeconds: 2, failures: 30, timeoutSeconds: 5 }),
                            ...processProbes(responds),
                        },
                        preStopSeconds: stack.leaveSeconds,
                    },
                ],
            }),
        },
    };
}
