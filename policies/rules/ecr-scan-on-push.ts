import { control, isTrue, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";

export const ecrScanOnPush: ResourceRule = {
    name: "ecr-scan-on-push",
    level: "mandatory",
    scope: "resource",
    types: ["aws:ecr/repository:Repository"],
    description: "An image that nobody scans carries its known holes into the cluster.",
    remedy: "Set imageScanningConfiguration.scanOnPush: true.",
    reference: control("ECR.1"),
    notInCel,
    found: (resource) => unless(resource, ["imageScanningConfiguration", "scanOnPush"], isTrue),
};
