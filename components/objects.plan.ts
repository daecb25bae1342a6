import type { types } from "@pulumi/kubernetes";
import { interpolate, type Input } from "@pulumi/pulumi";
import type { Stack } from "./config/schema";
import { objectLabels, selector, type Role } from "./labels";

/** An object of a kind that only its controller knows. */
export interface CustomObject {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: {
        readonly name: string;
        readonly namespace?: Input<string>;
        readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec: object;
}

export interface StorageArgs {
    readonly role: Role;
    readonly namespace: Input<string>;
    readonly version: string;
    readonly storageGiB: number;
    readonly storageClass?: string;
}

/** A volume of its own, not a template of the StatefulSet's: so it can grow in place and be protected. */
export function planClaim({
    role,
    namespace,
    version,
    storageGiB,
    storageClass,
}: StorageArgs): types.input.core.v1.PersistentVolumeClaim {
    return {
        metadata: {
            name: `${role}-data`,
            namespace,
            labels: objectLabels(role, version),
            // It is bound when its first pod is scheduled; waiting here would wait for ever.
            annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
            accessModes: ["ReadWriteOnce"],
            ...(storageClass !== undefined && { storageClassName: storageClass }),
            resources: { requests: { storage: `${storageGiB}Gi` } },
        },
    };
}

export interface ServiceArgs {
    readonly role: Role;
    readonly namespace: Input<string>;
    readonly version: string;
    readonly port: { readonly name: string; readonly number: number };
    /** Set for what the ingress controller talks to. */
    readonly controller?: Stack["entrance"]["controller"];
}

/** The fixed name is what certificates are issued for. */
export function planService(args: ServiceArgs): types.input.core.v1.Service {
    const { role, namespace, version, port, controller } = args;
    return {
        metadata: {
            name: role,
            namespace,
            labels: objectLabels(role, version),
            annotations: {
                // Its pods are waited for where they are declared.
                "pulumi.com/skipAwait": "true",
                // By Gateway, BackendTLSPolicies say it; but what its Ingress needs stays during a move between both.
                ...((controller?.kind === "traefik" || controller?.kind === "traefikGateway") &&
                    verifiedByTraefik(role, namespace)),
                ...(controller?.kind === "awsLoadBalancer" && checkedByLoadBalancer(role)),
            },
        },
        spec: {
            type: "ClusterIP",
            // One address where the cluster has one family, two on a dual-stack cluster.
            ipFamilyPolicy: "PreferDualStack",
            selector: selector(role),
            ports: [{ name: port.name, port: port.number, targetPort: port.number, protocol: "TCP" }],
        },
    };
}

/** Traefik speaks https to the pods and verifies them with the ServersTransport of the same name (entrance.plan.ts). */
function verifiedByTraefik(role: Role, namespace: Input<string>): Record<string, Input<string>> {
    return {
        "traefik.ingress.kubernetes.io/service.serversscheme": "https",
        "traefik.ingress.kubernetes.io/service.serverstransport": interpolate`${namespace}-${role}@kubernetescrd`,
    };
}

/** What a load balancer asks a pod before it sends anyone there. */
export const healthPath = (role: Role) => (role === "api" ? "/healthz/ready" : "/healthz");

function checkedByLoadBalancer(role: Role): Record<string, string> {
    return { "alb.ingress.kubernetes.io/healthcheck-path": healthPath(role) };
}

/** One pod at a time may be evicted. Never `minAvailable`, which with one replica would block a drain for ever. */
export function planDisruptionBudget(
    role: Role,
    namespace: Input<string>,
    version: string,
): types.input.policy.v1.PodDisruptionBudget {
    return {
        metadata: { name: role, namespace, labels: objectLabels(role, version) },
        spec: { maxUnavailable: 1, selector: { matchLabels: selector(role) } },
    };
}

/** A role's own identity; pods get no token of it. */
export function planServiceAccount(
    role: Role,
    namespace: Input<string>,
    version: string,
    annotations: Readonly<Record<string, Input<string>>> = {},
): types.input.core.v1.ServiceAccount {
    const annotated = Object.keys(annotations).length > 0;
    return {
        metadata: {
            name: role,
            namespace,
            labels: objectLabels(role, version),
            ...(annotated && { annotations: { ...annotations } }),
        },
        automountServiceAccountToken: false,
    };
}
