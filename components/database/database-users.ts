import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { objectLabels } from "../kubernetes/labels";
import { secretOf } from "../kubernetes/secret";
import type { Trust } from "../kubernetes/volumes.plan";
import type { SlotPassword } from "../servers/servers";
import { loginOf, planService, planUsers, planUsersJob, type UsersSettings } from "./database-users.plan";

export interface DatabaseUsersArgs {
    readonly stack: UsersSettings;
    readonly namespace: pulumi.Input<string>;
    readonly image: pulumi.Input<string>;
    readonly trust: Trust;
    readonly host: pulumi.Output<string>;
    readonly master: pulumi.Output<string>;
    readonly passwords: { readonly current: SlotPassword; readonly previous?: SlotPassword };
}

/** A Job that makes the users; the only pod that ever sees the master's password. */
export class DatabaseUsers extends pulumi.ComponentResource {
    /** The login that the backend is to use. */
    readonly current: string;
    readonly resources: readonly pulumi.Resource[];

    constructor(name: string, args: DatabaseUsersArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:DatabaseUsers", name, {}, opts);
        const { stack, namespace, image, trust, host, master, passwords } = args;
        const child = { parent: this };
        const { current, previous } = passwords;
        this.current = loginOf(current);
        const logins = [current, ...(previous === undefined ? [] : [previous])];
        const sql = pulumi
            .all(logins.map(({ password }) => password))
            .apply((values) =>
                planUsers(logins.map((login, index) => ({ login: loginOf(login), password: values[index] ?? "" }))),
            );
        const service = pulumi
            .all([host, master])
            .apply(([address, password]) => planService(address, password, trust));
        const secret = secretOf(
            `${name}-secret`,
            { "service.conf": pulumi.secret(service), "users.sql": pulumi.secret(sql) },
            namespace,
            child,
        );
        const account = new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            {
                metadata: { name: "database-users", namespace, labels: objectLabels("init") },
                automountServiceAccountToken: false,
            },
            child,
        );
        const job = new k8s.batch.v1.Job(
            name,
            planUsersJob(stack, {
                namespace,
                image,
                serviceAccountName: account.metadata.name,
                secretName: secret.metadata.name,
                trust,
            }),
            child,
        );
        this.resources = [job];
        this.registerOutputs({});
    }
}
