import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { poolerOf } from "../config/kinds";
import { ports } from "../config/ports";
import type { Pgbouncer as Settings } from "../config/schema.pooler";
import type { Authority } from "../kubernetes/certificates";
import { planDisruptionBudget } from "../kubernetes/disruption-budget.plan";
import { secretOf } from "../kubernetes/secret";
import { planServiceAccount } from "../kubernetes/service-account.plan";
import { planService } from "../kubernetes/service.plan";
import { caFile, type Trust } from "../kubernetes/volumes.plan";
import { rotatingPasswords } from "../servers/servers";
import type { Server, ServerUrl } from "../servers/servers.plan";
import * as plan from "./pgbouncer.plan";

export interface PoolerArgs {
    readonly stack: plan.PgbouncerSettings;
    readonly namespace: pulumi.Input<string>;
    readonly image: pulumi.Input<string> | undefined;
    /** The database behind it. */
    readonly database: Server;
    readonly authority: Authority;
}

/** What Orcheo's own pods connect to: a pooler in front of the database, or the database itself. */
export function createPooler(name: string, args: PoolerArgs, opts: pulumi.ComponentResourceOptions): Server {
    const settings = poolerOf(args.stack);
    if (settings === undefined) return args.database;
    const pooler = new Pgbouncer(name, { ...args, settings }, opts);
    return settings.used ? pooler : args.database;
}

/**
 * PgBouncer in transaction mode, with TLS on both sides and its own password: only its pods have the database's.
 *
 * @throws where config lets a pooler pass without an image, which it does not
 */
class Pgbouncer extends pulumi.ComponentResource implements Server {
    readonly url: ServerUrl;
    readonly trust: Trust = { kind: "stack" };
    readonly resources: readonly pulumi.Resource[];

    constructor(name: string, args: PoolerArgs & { settings: Settings }, opts: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Pgbouncer", name, {}, opts);
        const { stack, settings, namespace, image, database, authority } = args;
        if (image === undefined) throw new Error("a pooler needs an image");
        const child = { parent: this };
        const certificateSecret = authority.serverCertificate("pgbouncer", child);
        const { current, previous } = rotatingPasswords(`${name}-password`, settings.passwordGeneration, child);
        const logins = [current, ...(previous === undefined ? [] : [previous])];
        const userlist = pulumi
            .all(logins.map(({ password }) => password))
            .apply((passwords) =>
                plan.planUserlist(
                    logins.map((each, index) => ({ login: plan.pooledLogin(each), password: passwords[index] ?? "" })),
                ),
            );
        const secret = secretOf(
            `${name}-secret`,
            {
                "userlist.txt": pulumi.secret(userlist),
                ...(database.url.kind === "value" && { "postgres-dsn": database.url.value }),
            },
            namespace,
            child,
        );
        const account = new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            planServiceAccount("pgbouncer", namespace),
            child,
        );
        const service = new k8s.core.v1.Service(
            `${name}-service`,
            planService({ role: "pgbouncer", namespace, port: { name: "pgbouncer", number: ports.pgbouncer } }),
            child,
        );
        const deployment = new k8s.apps.v1.Deployment(
            name,
            plan.planPgbouncer(stack, settings, {
                namespace,
                image,
                serviceAccountName: account.metadata.name,
                secretName: secret.metadata.name,
                certificateSecret,
                server: database,
            }),
            { ...child, dependsOn: [...database.resources] },
        );
        new k8s.policy.v1.PodDisruptionBudget(
            `${name}-disruption`,
            planDisruptionBudget("pgbouncer", namespace),
            child,
        );
        const value = pulumi.secret(
            pulumi.interpolate`postgresql://${plan.pooledLogin(current)}:${current.password}@${service.metadata.name}:${ports.pgbouncer}/${plan.pooledDatabase}?sslmode=verify-full&sslrootcert=${caFile}`,
        );
        this.url = { kind: "value", value };
        // A new password works once every replica knows it: what uses it waits for this.
        this.resources = [...database.resources, deployment, service];
        this.registerOutputs({});
    }
}
