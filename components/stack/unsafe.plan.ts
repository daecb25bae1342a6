/**
 * Settings that take a safe default away. Each is accepted, and each shows: in the preview as a resource, and before the policy
 * pack as a violation (`unsafe-choice`) until the stack's config names it as an exception, with a reason and an expiry date.
 */
import { holds } from "../config/addresses";
import { ownCluster, ownLoadBalancer, poolerOf } from "../config/kinds";
import type { Stack } from "../config/schema";
import { telemetryOf } from "../monitoring/monitoring.plan";

export interface UnsafeChoice {
    /** Below `orcheo:stack`. */
    readonly setting: string;
    readonly found: string;
    /** The consequence: the rest of a sentence that begins with the setting. */
    readonly consequence: string;
}

/** @returns nothing where all is as the defaults have it, or safer */
export function unsafeChoices(stack: Stack): readonly UnsafeChoice[] {
    return [
        ...unguardedCluster(stack),
        ...readByOthers(stack),
        ...openToAll(stack),
        ...runByCallers(stack),
        ...(stack.aws === undefined ? [] : production(stack, stack.aws)),
    ];
}

function choice(setting: string, found: unknown, consequence: string): UnsafeChoice {
    return { setting, found: JSON.stringify(found), consequence };
}

function unguardedCluster({ kubernetes: { admission } }: Pick<Stack, "kubernetes">): UnsafeChoice[] {
    const bypassed = "pods created without Pulumi, such as by kubectl run, are not held to the policies";
    if (admission.kind !== "enforce") return [choice("kubernetes.admission.kind", admission.kind, bypassed)];
    if (admission.warnOnly.length === 0) return [];
    return [choice("kubernetes.admission.warnOnly", admission.warnOnly, "the cluster lets pods in that break these")];
}

/** Connections without TLS. */
function readByOthers(stack: Stack): UnsafeChoice[] {
    const { registry, entrance, backup } = stack;
    return [
        ...(registry.plainHttp === true && !isLaptop(stack)
            ? [
                  choice(
                      "registry.plainHttp",
                      true,
                      "images and the registry's password can be read and replaced on the way",
                  ),
              ]
            : []),
        ...(backup?.plainHttp === true
            ? [choice("backup.plainHttp", true, "anyone on the network path can read the whole database")]
            : []),
        ...telemetryOf(stack)
            .filter(({ target }) => target.endpoint.startsWith("http://"))
            .map(({ section, target }) =>
                choice(
                    `${section}.endpoint`,
                    target.endpoint,
                    "what is sent there, and its headers, can be read on the way",
                ),
            ),
        ...(entrance.hstsSeconds === 0
            ? [
                  choice(
                      "entrance.hstsSeconds",
                      0,
                      "a browser's first request may be sent unencrypted, to any server that answers",
                  ),
              ]
            : []),
    ];
}

/** Who may connect, and what pods may reach. */
function openToAll(stack: Stack): UnsafeChoice[] {
    const { network, entrance, aws, database, cache, backup } = stack;
    const cluster = ownCluster(aws);
    const reach = Object.entries({ database, cache, backup }).flatMap(([section, settings]) =>
        settings !== undefined && "reach" in settings && settings.reach.kind === "addresses"
            ? [{ setting: `${section}.reach.cidrs`, cidrs: settings.reach.cidrs }]
            : [],
    );
    const ranges = [
        { setting: "network.ingressCidrs", cidrs: network.ingressCidrs },
        { setting: "network.dnsCidrs", cidrs: network.dnsCidrs },
        { setting: "network.privateCidrs", cidrs: network.privateCidrs },
        ...reach,
        ...(cluster === undefined ? [] : [{ setting: "aws.cluster.publicCidrs", cidrs: cluster.publicCidrs }]),
    ];
    return [
        ...ranges.flatMap(({ setting, cidrs }) => {
            const wide = cidrs.filter((cidr) => isWide(cidr) || holdsMetadata(cidr));
            const consequence = "it covers nearly every address, or the one where clouds serve credentials";
            return wide.length === 0 ? [] : [choice(setting, wide, consequence)];
        }),
        ...loadBalancer(entrance.controller),
    ];
}

type Controller = Stack["entrance"]["controller"];

function loadBalancer(controller: Controller): UnsafeChoice[] {
    const own = ownLoadBalancer(controller);
    if (own === undefined) return [];
    const { scheme, inboundCidrs, webAclArn, sslPolicy } = own.settings;
    const everyone = inboundCidrs.length === 0 || inboundCidrs.some(isWide);
    return [
        ...(scheme === "internet-facing" && everyone && webAclArn === undefined
            ? [
                  choice(
                      `${own.at}.scheme`,
                      scheme,
                      "everyone may connect, with neither inboundCidrs nor a webAclArn in between",
                  ),
              ]
            : []),
        ...(/^ELBSecurityPolicy-TLS13-1-[23]-/.test(sslPolicy)
            ? []
            : [choice(`${own.at}.sslPolicy`, sslPolicy, "clients may come with less than TLS 1.2")]),
    ];
}

function runByCallers(stack: Stack): UnsafeChoice[] {
    const { auth, worker } = stack;
    return [
        ...(auth.clientUploads && !isLaptop(stack)
            ? [choice("auth.clientUploads", true, "anyone with a token can run their own code in the workers")]
            : []),
        ...(worker.browser
            ? [
                  choice(
                      "worker.browser",
                      true,
                      "a page that breaks out of Chromium, which runs without its own sandbox, has the worker's files with the stack's secrets",
                  ),
              ]
            : []),
    ];
}

/** On AWS, nothing depends on one machine, and alarms have a recipient. */
function production(stack: Stack, aws: NonNullable<Stack["aws"]>): UnsafeChoice[] {
    const { database, cache, api, worker, canvas } = stack;
    const alone = "it is on one machine: with that it is gone until another one has taken over";
    const pooler = poolerOf(stack);
    const replicas = [
        { setting: "api.scaling.minReplicas", found: api.scaling.minReplicas },
        { setting: "worker.replicas", found: worker.replicas },
        { setting: "canvas.replicas", found: canvas.replicas },
        ...(pooler === undefined ? [] : [{ setting: "database.pooler.replicas", found: pooler.replicas }]),
        ...(aws.cluster.kind === "new" && aws.cluster.nodes.kind === "managed"
            ? [{ setting: "aws.cluster.nodes.minNodes", found: aws.cluster.nodes.minNodes }]
            : []),
    ];
    return [
        ...replicas.filter(({ found }) => found < 2).map(({ setting, found }) => choice(setting, found, alone)),
        ...(database.kind === "statefulset" ? [choice("database.kind", database.kind, alone)] : []),
        ...(cache.kind === "valkey" ? [choice("cache.kind", cache.kind, alone)] : []),
        ...(aws.network.kind === "new" && !aws.network.natPerZone
            ? [choice("aws.network.natPerZone", false, "if one zone fails, all lose outbound access")]
            : []),
        ...(aws.alarmEmails.length === 0 ? [choice("aws.alarmEmails", [], "alarms have no recipient")] : []),
        ...(stack.backup === undefined && database.kind !== "external"
            ? [choice("backup.kind", "none", "only RDS' own copies are left, which no other server can read")]
            : []),
    ];
}

/** Only this machine's browser reaches it. */
function isLaptop({ host }: Pick<Stack, "host">): boolean {
    return host.endsWith(".localhost");
}

/** An IPv4 range of more than 16 million addresses, or an IPv6 one of more than a /20. */
function isWide(cidr: string): boolean {
    const [address = "", length = ""] = cidr.split("/");
    return Number(length) < (address.includes(":") ? 20 : 8);
}

/** Addresses at which AWS, Azure, Google and others serve a node's credentials; over IPv6, AWS and Google. */
const metadataAddresses = ["169.254.169.254", "fd00:ec2::254", "fd20:ce::254"];

const holdsMetadata = (cidr: string): boolean => metadataAddresses.some((address) => holds(cidr, address));
