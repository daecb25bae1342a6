import type { Input } from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { CustomObject } from "../objects.plan";
import { planGatewayApi } from "./gateway.plan";
import { planIngress, type Ingress } from "./ingress.plan";
import { planBalancerIngress } from "./load-balancer.plan";
import { planRoutes, type Server } from "./routes.plan";
import { planTraefik, planTraefikIngresses } from "./traefik.plan";

export interface EntrancePlan {
    /** The controller's own objects, and those of the Gateway API. */
    readonly objects: Readonly<Record<string, CustomObject>>;
    /** None with the Gateway API. */
    readonly ingresses: Readonly<Record<string, Ingress>>;
}

/** @param authorities  Secrets whose ca.crt signs each server */
export function planEntrance(
    stack: Stack,
    namespace: Input<string>,
    authorities: Record<Server, Input<string>>,
): EntrancePlan {
    const { controller } = stack.entrance;
    switch (controller.kind) {
        case "traefik":
            return {
                objects: planTraefik(stack, namespace, authorities),
                ingresses: planTraefikIngresses(stack, namespace),
            };
        case "awsLoadBalancer":
            return { objects: {}, ingresses: planBalancerIngress(stack, controller, namespace) };
        case "standard": {
            const { plain, streams } = planRoutes(stack);
            const paths = { ...plain, ...streams };
            return {
                objects: {},
                ingresses: { orcheo: planIngress("orcheo", stack, namespace, paths, controller.annotations) },
            };
        }
        case "traefikGateway":
        case "envoyGateway":
        case "awsGateway":
            return { objects: planGatewayApi(stack, controller, namespace, authorities), ingresses: {} };
    }
}
