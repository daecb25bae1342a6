import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { templatePaths } from "../workloads.ts";

const installers =
    /^kubernetes:(helm\.sh\/v3:Release|helm\.cattle\.io\/\w+:HelmChart(Config)?|helm\.toolkit\.fluxcd\.io\/\w+:HelmRelease|kustomize\.toolkit\.fluxcd\.io\/\w+:Kustomization|argoproj\.io\/\w+:(Application|ApplicationSet))$/;
const patches = Object.keys(templatePaths).map((kind) => `${kind}Patch`);

export const noOpaqueResources: ResourceRule = {
    name: "no-opaque-resources",
    level: "mandatory",
    scope: "resource",
    types: (type) =>
        installers.test(type) ||
        (type.startsWith("kubernetes:") && patches.includes(type.slice(type.lastIndexOf(":") + 1))),
    description: "What a cluster installs by itself, or what is patched from afar, passes by every rule here.",
    remedy: "Render it (helm.sh/v4 Chart, yaml/v2 ConfigGroup), so that each object is judged; own what you patch.",
    reference: {
        title: "Pulumi Kubernetes: choosing the right Helm resource",
        url: "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/choosing-the-right-helm-resource-for-your-use-case/",
    },
    notInCel: "only pod rules are deployed to the cluster, where they judge what an installer makes of it",
    found: (resource) => [`${called(resource)} hides the objects it makes`],
};
