import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { ports } from "../config/ports";
import type { Stack } from "../config/schema";
import { objectLabels } from "../kubernetes/labels";
import { tlsSecretName, type Paths } from "./routes.plan";

export type Ingress = types.input.networking.v1.Ingress;

export type IngressSettings = Pick<Stack, "entrance" | "host">;

export function planIngress(
    name: string,
    stack: IngressSettings,
    namespace: Input<string>,
    paths: Paths,
    annotations: Readonly<Record<string, Input<string>>>,
): Ingress {
    const { entrance, host } = stack;
    const secretName = tlsSecretName(stack.entrance.tls);
    const usual = entrance.controller.kind === "awsLoadBalancer" ? "alb" : "traefik";
    return {
        metadata: {
            name,
            namespace,
            labels: objectLabels(),
            // Not every controller writes the address that Pulumi would wait for.
            annotations: { "pulumi.com/skipAwait": "true", ...annotations },
        },
        spec: {
            ingressClassName: entrance.className ?? usual,
            ...(secretName !== undefined && { tls: [{ hosts: [host], secretName }] }),
            rules: [
                {
                    host,
                    http: {
                        paths: Object.entries(paths).map(([path, server]) => ({
                            path,
                            pathType: "Prefix",
                            backend: { service: { name: server, port: { number: ports[server] } } },
                        })),
                    },
                },
            ],
        },
    };
}
