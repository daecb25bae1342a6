/** Conflicts between settings of the ingress, the namespace and the pods. */
import { serviceAccountsOf } from "../aws/aws.plan";
import { acceptedTls, behindLoadBalancer, usesGateway } from "../config/kinds";
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import type { Workload } from "../kubernetes/labels";
import { ephemeralLimitOf, logsMiB } from "../kubernetes/scratch.plan";

const key = (rest: string): string => `orcheo:stack.${rest}`;
const quoted = (values: readonly string[]): string => values.map((value) => `"${value}"`).join(" or ");

function certificateMismatch({ entrance }: Pick<Stack, "entrance">): Problem[] {
    const { controller, tls } = entrance;
    const accepted = acceptedTls(controller);
    if (accepted.includes(tls.kind)) return [];
    const gateway = usesGateway(controller) ? ` and a Gateway of kind "${controller.gateway.kind}"` : "";
    const remedy = `accepted: ${quoted(accepted)} with controller "${controller.kind}"${gateway}`;
    return [{ at: key("entrance.tls.kind"), found: `found "${tls.kind}"`, remedy }];
}

/** The network policies would keep the controller out. */
function unreachable({ entrance, network }: Pick<Stack, "entrance" | "network">): Problem[] {
    const { controller } = entrance;
    const { kind } = controller;
    if (behindLoadBalancer(controller) && network.ingressCidrs.length === 0)
        return [
            {
                at: key("network.ingressCidrs"),
                found: `found none with controller "${kind}"`,
                remedy: "accepted: the ranges of the load balancer's subnets, from which it reaches the pods",
            },
        ];
    if (kind === "envoyGateway" && network.ingressPodLabels["app.kubernetes.io/name"] === "traefik")
        return [
            {
                at: key("network.ingressPodLabels"),
                found: 'found Traefik\'s with controller "envoyGateway"',
                remedy: "accepted: the labels of Envoy's pods, such as app.kubernetes.io/name: envoy, and their namespace in network.ingressNamespace",
            },
        ];
    return [];
}

function foreignQuota({ kubernetes }: Pick<Stack, "kubernetes">): Problem[] {
    const given = Object.keys(kubernetes.quota).length > 0;
    if (kubernetes.namespaceKind === "created" || !given) return [];
    const remedy =
        'accepted with kubernetes.namespaceKind "created": the quota of a namespace that exists is its owner\'s';
    return [{ at: key("kubernetes.quota"), found: `found ${JSON.stringify(kubernetes.quota)}`, remedy }];
}

const roles = ["api", "worker", "beat", "init", "canvas", "postgres", "pgbouncer", "valkey", "backup"] as const;

const volumesTwice =
    (role: Workload) =>
    (stack: Pick<Stack, "pods">): Problem[] => {
        const { all, [role]: own } = stack.pods;
        const volumes = [...all.volumes, ...own.volumes];
        return (["name", "mountPath"] as const).flatMap((field) => {
            const values = volumes.map((volume) => volume[field]);
            const twice = values.find((value, index) => values.indexOf(value) !== index);
            if (twice === undefined) return [];
            const remedy = `accepted: each ${field} once, those of pods.all included`;
            return [{ at: key(`pods.${role}.volumes`), found: `found ${field} "${twice}" twice`, remedy }];
        });
    };

/** The limit follows from the scratch directories; a request above it is refused by the API server. */
const diskOverLimit =
    (role: "api" | "worker" | "beat" | "canvas" | "backup") =>
    (stack: Stack): Problem[] => {
        const section = stack[role];
        if (section === undefined) return [];
        const most = ephemeralLimitOf(role, stack);
        const found = section.resources.ephemeralRequestMiB;
        if (found <= most) return [];
        const remedy = `accepted: at most ${most}, its scratch directories and ${logsMiB} MiB of logs`;
        return [{ at: key(`${role}.resources.ephemeralRequestMiB`), found: `found ${found}`, remedy }];
    };

/** The stack's own role is given to the accounts that the stack makes: another would run without it. */
function roleWithoutAccount({ aws, serviceAccounts }: Pick<Stack, "aws" | "serviceAccounts">): Problem[] {
    if (aws === undefined) return [];
    const identities = ["backend", "backup"] as const;
    return identities
        .filter((identity) => aws.roles[identity] === undefined)
        .flatMap((identity) => serviceAccountsOf[identity].map((account) => ({ identity, account })))
        .filter(({ account }) => serviceAccounts[account].kind === "existing")
        .map(({ identity, account }) => ({
            at: key(`serviceAccounts.${account}.kind`),
            found: 'found "existing" with a role of the stack\'s own',
            remedy: `accepted: "created", which gets the role; or name the role of that account in aws.roles.${identity}`,
        }));
}

export const kubernetesRules = [
    certificateMismatch,
    unreachable,
    foreignQuota,
    ...roles.map(volumesTwice),
    ...(["api", "worker", "beat", "canvas", "backup"] as const).map(diskOverLimit),
    roleWithoutAccount,
];
