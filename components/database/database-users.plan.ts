/**
 * The users of a managed PostgreSQL, made by psql as the master: one role owns the database, and two logins take turns
 * (components/rotation.plan.ts). Running it again changes nothing but a new password.
 */
import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { ports } from "../config/ports";
import { objectLabels } from "../kubernetes/labels";
import { planPod, initResources, type PodSettings } from "../kubernetes/pod.plan";
import * as volumes from "../kubernetes/volumes.plan";
import type { Trust } from "../kubernetes/volumes.plan";
import { caDir, trustFile, type Slot } from "../servers/servers.plan";
import { databaseName, masterName } from "./rds.plan";

/** Owns all tables, so that both logins may use and change them. */
const owner = databaseName;

export const loginOf = ({ slot }: Slot): string => `${owner}_${slot}`;

/** Passwords consist of letters and digits alone: they need no quoting. */
export function planUsers(logins: readonly { readonly login: string; readonly password: string }[]): string {
    const create = (role: string, options: string) =>
        `SELECT 'CREATE ROLE ${role} ${options}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') \\gexec`;
    return [
        "\\set ON_ERROR_STOP on",
        create(owner, "NOLOGIN"),
        `GRANT ${owner} TO CURRENT_USER;`,
        `ALTER DATABASE ${databaseName} OWNER TO ${owner};`,
        ...logins.flatMap(({ login, password }) => [
            create(login, "NOLOGIN"),
            `ALTER ROLE ${login} LOGIN PASSWORD '${password}';`,
            `GRANT ${owner} TO ${login};`,
            // Whatever either creates belongs to both.
            `ALTER ROLE ${login} SET role = '${owner}';`,
        ]),
        "",
    ].join("\n");
}

/** How psql connects as the master. libpq reads a service file, unlike a password file, whatever its mode. */
export function planService(host: string, password: string, trust: Pick<Trust, "kind">): string {
    return [
        "[master]",
        `host=${host}`,
        `port=${ports.postgres}`,
        `dbname=${databaseName}`,
        `user=${masterName}`,
        `password=${password}`,
        "sslmode=verify-full",
        `sslrootcert=${trustFile("database", trust)}`,
        "connect_timeout=10",
        "",
    ].join("\n");
}

export const files = ["service.conf", "users.sql"] as const;

export type UsersSettings = PodSettings;

export interface UsersInputs {
    readonly namespace: Input<string>;
    readonly image: Input<string>;
    readonly serviceAccountName: Input<string>;
    /** Holds `files`; its name changes with a password, and the Job runs anew. */
    readonly secretName: Input<string>;
    readonly trust: Trust;
}

export function planUsersJob(stack: UsersSettings, inputs: UsersInputs): types.input.batch.v1.Job {
    const [service, sql] = files.map((file) => `${volumes.secretsDir}/${file}`);
    return {
        metadata: {
            namespace: inputs.namespace,
            labels: objectLabels("init"),
            annotations: { "pulumi.com/replaceUnready": "true" },
        },
        spec: {
            backoffLimit: 4,
            activeDeadlineSeconds: 300,
            template: planPod({
                role: "init",
                serviceAccountName: inputs.serviceAccountName,
                stack,
                terminationGraceSeconds: 30,
                restartPolicy: "Never",
                containers: [
                    {
                        name: "users",
                        image: inputs.image,
                        command: ["psql"],
                        args: ["service=master", "--no-psqlrc", "--quiet", `--file=${sql ?? ""}`],
                        env: { PGSERVICEFILE: service ?? "" },
                        resources: initResources,
                        mounts: [
                            volumes.secretFiles([{ secretName: inputs.secretName, keys: files }]),
                            ...volumes.trusted("database-ca", inputs.trust, caDir("database")),
                            volumes.scratch("tmp", "/tmp", 16),
                        ],
                    },
                ],
            }),
        },
    };
}
