import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Cloud } from "../aws/aws";
import type { Cache } from "../cache/cache";
import { privateCaFiles } from "../config/kinds";
import { ports } from "../config/ports";
import type { Stack } from "../config/schema";
import type { Database } from "../database/database";
import { Autoscaler } from "../kubernetes/autoscaler";
import type { Authority } from "../kubernetes/certificates";
import { planDisruptionBudget } from "../kubernetes/disruption-budget.plan";
import { objectLabels } from "../kubernetes/labels";
import { secretOf } from "../kubernetes/secret";
import { serviceAccount, type AccountSettings } from "../kubernetes/service-account";
import { planService } from "../kubernetes/service.plan";
import { privateCaKey } from "../kubernetes/trust.plan";
import { machine } from "../machine";
import type { Secrets } from "../secrets/secrets";
import { trustOf } from "../servers/servers";
import { keyNames, externalName, planExternalSecret } from "../secrets/secrets.plan";
import {
    measuredProcesses,
    planPodMonitor,
    scraperOf,
    telemetryOf,
    type TelemetryTrust,
} from "../monitoring/monitoring.plan";
import { planDeployment, planInitialisation, type BackendInputs, type BackendSettings } from "./backend.plan";
import type { SecretKey } from "./contract";

export interface BackendArgs {
    readonly stack: BackendSettings & AccountSettings & Pick<Stack, "entrance">;
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
    /** ConfigMap of private authorities, where there are such. */
    readonly trustConfigMap?: pulumi.Output<string>;
    readonly bootstrapToken: SecretValue;

    constructor(name: string, args: BackendArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Backend", name, {}, opts);
        const { stack, namespace, image, database, cache, authority, cloud } = args;
        const child = { parent: this };
        const secret = secretOf(`${name}-secret`, filesOf(args), namespace, child);
        const secretName = secret.metadata.name;
        const applicationSecret = secretElsewhere(`${name}-application`, args, child);
        const tokenKey = "auth-bootstrap-service-token";
        this.bootstrapToken = {
            secretName: applicationSecret?.secretName ?? secretName,
            key: applicationSecret?.keys[tokenKey] ?? tokenKey,
        };
        this.authoritySecret = authority.serverCertificate("api", child);
        const metrics = metricsSecrets(args, this.authoritySecret, child);
        this.trustConfigMap = trustConfigMap(`${name}-private-ca`, args, child);
        const inputs = {
            namespace,
            image,
            secretName,
            applicationSecret,
            trustConfigMap: this.trustConfigMap,
            certificateSecret: this.authoritySecret,
            servers: { database, cache },
            telemetryTrust: telemetryTrust(name, args, child),
        };
        const runAs = (role: "init" | "api" | "worker" | "beat"): BackendInputs => ({
            ...inputs,
            ...(metrics !== undefined &&
                (role === "worker" || role === "beat") && { metricsCertificateSecret: metrics[role] }),
            serviceAccountName: serviceAccount(
                `${role}-account`,
                role,
                { stack, namespace, annotations: role === "beat" ? {} : cloud.annotations },
                child,
            ),
        });

        const initialised = new k8s.batch.v1.Job(`${name}-init`, planInitialisation(stack, runAs("init")), {
            ...child,
            dependsOn: [...database.resources, ...cache.resources],
            customTimeouts: { create: "12m" },
        });
        const after = { ...child, dependsOn: [initialised] };
        for (const role of ["api", "worker", "beat"] as const)
            new k8s.apps.v1.Deployment(role, planDeployment(role, stack, runAs(role)), after);

        const service = { role: "api" as const, namespace, port: { name: "https", number: ports.api } };
        new k8s.core.v1.Service(
            "api-service",
            planService({ ...service, controller: stack.entrance.controller }),
            child,
        );
        for (const role of ["api", "worker"] as const)
            new k8s.policy.v1.PodDisruptionBudget(`${role}-disruption`, planDisruptionBudget(role, namespace), child);
        if (stack.monitoring.kind === "prometheusOperator" && metrics !== undefined)
            for (const role of measuredProcesses) {
                const plan = planPodMonitor(role, stack.monitoring, { namespace, certificateSecret: metrics[role] });
                new k8s.apiextensions.CustomResource(`${role}-metrics`, plan, child);
            }
        const labels = objectLabels("api");
        new Autoscaler("api-autoscaler", { deployment: "api", namespace, labels, scaling: stack.api.scaling }, child);
        this.registerOutputs({});
    }
}

function filesOf({ database, cache, secrets }: BackendArgs): Partial<Record<SecretKey, pulumi.Output<string>>> {
    return {
        ...(database.url.kind === "value" && { "postgres-dsn": database.url.value }),
        ...(cache.url.kind === "value" && { "redis-url": cache.url.value }),
        ...secrets.application,
    };
}

/** The Secret with Orcheo's own secrets, when the stack does not make them; known once it is there. */
function secretElsewhere(
    name: string,
    { stack, namespace }: BackendArgs,
    opts: pulumi.CustomResourceOptions,
): (BackendInputs["applicationSecret"] & { readonly secretName: pulumi.Output<string> }) | undefined {
    const { secrets } = stack;
    if (secrets.kind === "pulumi") return undefined;
    const keys = keyNames(secrets);
    if (secrets.kind === "existing") return { secretName: pulumi.output(secrets.name), keys };
    const plan = planExternalSecret(secrets, namespace);
    const written = new k8s.apiextensions.CustomResource(name, plan, opts);
    return { secretName: written.id.apply(() => externalName), keys };
}

/** Auto-named: another file rolls the pods, which read it at start. */
function trustConfigMap(
    name: string,
    { stack, namespace }: BackendArgs,
    opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> | undefined {
    const files = privateCaFiles(stack);
    if (files.length === 0) return undefined;
    const metadata = { namespace, labels: objectLabels() };
    const data = { [privateCaKey]: files.map((file) => machine.read(file)).join("\n") };
    return new k8s.core.v1.ConfigMap(name, { metadata, data }, opts).metadata.name;
}

function telemetryTrust(
    name: string,
    { stack, namespace }: BackendArgs,
    opts: pulumi.CustomResourceOptions,
): TelemetryTrust {
    const trusts = telemetryOf(stack).map(({ signal, target }) => [
        signal,
        trustOf(`${name}-${signal}-ca`, target.authority, namespace, opts),
    ]);
    return Object.fromEntries(trusts) as TelemetryTrust;
}

/** The Secret of the certificate that each process serves its metrics with; undefined when nobody reads them. */
function metricsSecrets(
    { stack, authority }: BackendArgs,
    api: pulumi.Output<string>,
    opts: pulumi.CustomResourceOptions,
): Readonly<Record<(typeof measuredProcesses)[number], pulumi.Output<string>>> | undefined {
    if (scraperOf(stack) === undefined) return undefined;
    return {
        api,
        worker: authority.serverCertificate("worker", opts),
        beat: authority.serverCertificate("beat", opts),
    };
}

/** Where a value is in the cluster. */
export interface SecretValue {
    readonly secretName: pulumi.Output<string>;
    readonly key: string;
}
