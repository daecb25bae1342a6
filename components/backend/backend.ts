import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Autoscaler } from "../autoscaler";
import type { Cloud } from "../aws/cloud";
import type { Cache } from "../cache";
import type { Authority } from "../certificates";
import type { Stack } from "../config/schema";
import type { Database } from "../database";
import { objectLabels } from "../labels";
import { planDisruptionBudget, planService, planServiceAccount } from "../objects.plan";
import { secretOf, type Secrets } from "../secrets";
import { planDeployment, planInitialisation, type BackendInputs } from "./backend.plan";
import { port, type SecretKey } from "./contract";

export interface BackendArgs {
    readonly stack: Stack;
    readonly namespace: pulumi.Input<string>;
    readonly image: pulumi.Input<string>;
    readonly database: Database;
    readonly cache: Cache;
    readonly secrets: Secrets;
    readonly authority: Authority;
    readonly cloud: Cloud;
}

/** Orcheo's own processes: initialisation first, then API, worker and beat. */
export class Backend extends pulumi.ComponentResource {
    /** Secret whose ca.crt signs the API. */
    readonly authoritySecret: pulumi.Output<string>;
    /** Secret with the bootstrap token. */
    readonly secretName: pulumi.Output<string>;

    constructor(name: string, args: BackendArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Backend", name, {}, opts);
        const { stack, namespace, image, database, cache, authority, cloud } = args;
        const { version } = stack;
        const child = { parent: this };
        const secret = secretOf(`${name}-secret`, filesOf(args), { namespace, version }, child);
        this.secretName = secret.metadata.name;
        this.authoritySecret = authority.serverCertificate("api", child);
        const inputs = {
            namespace,
            image,
            secretName: this.secretName,
            certificateSecret: this.authoritySecret,
            servers: { database, cache },
        };
        const runAs = (role: "init" | "api" | "worker" | "beat"): BackendInputs => {
            const plan = planServiceAccount(role, namespace, version, role === "beat" ? {} : cloud.annotations);
            const account = new k8s.core.v1.ServiceAccount(`${role}-account`, plan, child);
            return { ...inputs, serviceAccountName: account.metadata.name };
        };

        const initialised = new k8s.batch.v1.Job(`${name}-init`, planInitialisation(stack, runAs("init")), {
            ...child,
            dependsOn: [...database.resources, ...cache.resources],
            customTimeouts: { create: "12m" },
        });
        const after = { ...child, dependsOn: [initialised] };
        for (const role of ["api", "worker", "beat"] as const)
            new k8s.apps.v1.Deployment(role, planDeployment(role, stack, runAs(role)), after);

        const service = { role: "api" as const, namespace, version, port: { name: "https", number: port } };
        new k8s.core.v1.Service(
            "api-service",
            planService({ ...service, controller: stack.entrance.controller }),
            child,
        );
        for (const role of ["api", "worker"] as const)
            new k8s.policy.v1.PodDisruptionBudget(
                `${role}-disruption`,
                planDisruptionBudget(role, namespace, version),
                child,
            );
        const labels = objectLabels("api", version);
        new Autoscaler("api-autoscaler", { deployment: "api", namespace, labels, scaling: stack.api.scaling }, child);
        this.registerOutputs({});
    }
}

function filesOf({ database, cache, secrets }: BackendArgs): Partial<Record<SecretKey, pulumi.Output<string>>> {
    return {
        ...(database.url.kind === "value" && { "postgres-dsn": database.url.value }),
        ...(cache.url.kind === "value" && { "redis-url": cache.url.value }),
        "vault-encryption-key": secrets.vaultKey,
        "auth-bootstrap-service-token": secrets.bootstrapToken,
        "auth-jwt-secret": secrets.jwtSecret,
        "chatkit-token-signing-key": secrets.chatkitSigningKey,
    };
}
