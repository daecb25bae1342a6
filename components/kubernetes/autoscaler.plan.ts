import type { types } from "@pulumi/kubernetes";
import type { Stack } from "../config/schema";

type Scaling = Stack["api"]["scaling"];

/** @returns the spec of an autoscaler for the Deployment of that name */
export function planAutoscaler(
    deployment: string,
    scaling: Scaling,
): types.input.autoscaling.v2.HorizontalPodAutoscalerSpec {
    const utilization = (name: string, averageUtilization: number) => ({
        type: "Resource",
        resource: { name, target: { type: "Utilization", averageUtilization } },
    });
    const pace = (stabilizationWindowSeconds: number) => ({
        stabilizationWindowSeconds,
        selectPolicy: "Max",
        policies: [{ type: "Pods", value: scaling.podsPerMinute, periodSeconds: 60 }],
    });
    return {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
        minReplicas: scaling.minReplicas,
        maxReplicas: scaling.maxReplicas,
        metrics: [utilization("cpu", scaling.cpuPercent), utilization("memory", scaling.memoryPercent)],
        behavior: {
            scaleUp: pace(scaling.scaleUpStabilizationSeconds),
            scaleDown: pace(scaling.scaleDownStabilizationSeconds),
        },
    };
}
