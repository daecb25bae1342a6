import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";

const installers =
    /^kubernetes:(helm\.sh\/v3:Release|helm\.cattle\.io\/\w+:HelmChart(Config)?|helm\.toolkit\.fluxcd\.io\/\w+:HelmRelease|kustomize\.toolkit\.fluxcd\.io\/\w+:Kustomization|argoproj\.io\/\w+:(Application|ApplicationSet))$/;
/** Pulumi's resources that change an object of someone else: the object itself, with the change in it, is never seen. */
const patches = /^kubernetes:(core|apps|batch|autoscaling|policy|[\w.]+\.k8s\.io)\/\w+:\w+Patch$/;

export const noOpaqueResources: ResourceRule = {
    name: "no-opaque-resources",
    level: "mandatory",
    scope: "resource",
    types: (type) => installers.test(type) || patches.test(type),
    description: "What a cluster installs by itself, or what is patched from afar, passes by every rule here.",
    remedy: "Render it (helm.sh/v4 Chart, yaml/v2 ConfigGroup), so that each object is evaluated; own what you patch.",
    reference: {
        title: "Pulumi Kubernetes: choosing the right Helm resource",
        url: "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/choosing-the-right-helm-resource-for-your-use-case/",
    },
    notInCel: "only pod rules are deployed to the cluster, where they evaluate what an installer creates",
    found: (resource) => [
        `${called(resource)} ${patches.test(resource.type) ? "changes an object that is not shown" : "hides the objects it makes"}`,
    ],
};
