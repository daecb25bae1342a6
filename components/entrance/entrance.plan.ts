import type { Input } from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import type { CustomObject } from "../kubernetes/custom-object";
import { planGatewayObjects, planGatewayRoutes } from "./gateway.plan";
import { planIngress, type Ingress, type IngressSettings } from "./ingress.plan";
import { planBalancerIngress } from "./load-balancer.plan";
import { planRoutes, type FrontServer } from "./routes.plan";
import { planTraefik, planTraefikIngresses } from "./traefik.plan";

export type EntranceSettings = IngressSettings & Pick<Stack, "api" | "kubernetes" | "release">;

export interface EntrancePlan {
    /** The controller's own objects, a Gateway among them. */
    readonly objects: Readonly<Record<string, CustomObject>>;
    /** Those of the Gateway API, which its controller takes only when certificate and objects are there. */
    readonly routes: Readonly<Record<string, CustomObject>>;
    /** None with the Gateway API. */
    readonly ingresses: Readonly<Record<string, Ingress>>;
}

/** @param authorities  Secrets whose ca.crt signs each server */
export function planEntrance(
    stack: EntranceSettings,
    namespace: Input<string>,
    authorities: Record<FrontServer, Input<string>>,
): EntrancePlan {
    const { controller } = stack.entrance;
    switch (controller.kind) {
        case "traefik":
            return {
                objects: planTraefik(stack.entrance, namespace, authorities),
                routes: {},
                ingresses: planTraefikIngresses(stack, namespace),
            };
        case "awsLoadBalancer":
            return { objects: {}, routes: {}, ingresses: planBalancerIngress(stack, controller, namespace) };
        case "standard": {
            const { plain, streams } = planRoutes(stack.release);
            const paths = { ...plain, ...streams };
            return {
                objects: {},
                routes: {},
                ingresses: { orcheo: planIngress("orcheo", stack, namespace, paths, controller.annotations) },
            };
        }
        case "traefikGateway":
        case "envoyGateway":
        case "awsGateway":
            return {
                objects: planGatewayObjects(stack, controller, namespace, authorities),
                routes: planGatewayRoutes(stack, controller, namespace),
                ingresses: {},
            };
    }
}
