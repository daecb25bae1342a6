import type { types } from "@pulumi/kubernetes";
import { interpolate, type Input } from "@pulumi/pulumi";
import { isTraefik } from "../config/kinds";
import type { Stack } from "../config/schema";
import { objectLabels, selector, type Role } from "./labels";

export interface ServiceArgs {
    readonly role: Role;
    readonly namespace: Input<string>;
    readonly port: { readonly name: string; readonly number: number };
    /** Set for Services behind the ingress controller. */
    readonly controller?: Stack["entrance"]["controller"];
}

/** The fixed name is what certificates are issued for. */
export function planService(args: ServiceArgs): types.input.core.v1.Service {
    const { role, namespace, port, controller } = args;
    return {
        metadata: {
            name: role,
            namespace,
            labels: objectLabels(role),
            annotations: {
                // Its pods are waited for where they are declared.
                "pulumi.com/skipAwait": "true",
                // By Gateway, BackendTLSPolicies say it; but what its Ingress needs stays during a move between both.
                ...(controller && isTraefik(controller) && verifiedByTraefik(role, namespace)),
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

/** Path of the load balancer's health check. */
export const healthPath = (role: Role) => (role === "api" ? "/healthz/ready" : "/healthz");

function checkedByLoadBalancer(role: Role): Record<string, string> {
    return { "alb.ingress.kubernetes.io/healthcheck-path": healthPath(role) };
}
