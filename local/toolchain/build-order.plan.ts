/** In which order tools are built, two at a time. */
import type { Tool } from "./tools.ts";

/** Builds that take minutes on one core, the longest first: started late, they would run alone at the end. */
const LONGEST = [
    "pulumi-resource-aws",
    "kube-apiserver",
    "envoy-gateway",
    "pulumi-resource-kubernetes",
    "kube-controller-manager",
    "pulumi",
    "traefik",
    "external-secrets",
    "helm",
    "cert-manager",
    "metrics-server",
    "coredns",
    "pulumi-resource-docker-build",
];

/** The table's order, with the longest builds first. */
export function inBuildOrder(tools: readonly Tool[]): Tool[] {
    const rank = ({ name }: Tool): number => (LONGEST.includes(name) ? LONGEST.indexOf(name) : LONGEST.length);
    return [...tools].sort((a, b) => rank(a) - rank(b));
}

/** Which of the queue to start beside the running builds; undefined when each has to wait for one of them. */
export function nextBuild(
    queue: readonly Tool[],
    running: readonly Tool[],
    compilerOf: (tool: Tool) => string,
    /** The compilers that have finished a build, so that the standard library is compiled. */
    proven: ReadonlySet<string>,
): Tool | undefined {
    // Go's cache has only what is finished: two builds that start together compile what they share twice.
    const repeats = (tool: Tool, other: Tool): boolean =>
        tool.module === other.module || (compilerOf(tool) === compilerOf(other) && !proven.has(compilerOf(tool)));
    return queue.find((tool) => !running.some((other) => repeats(tool, other)));
}
