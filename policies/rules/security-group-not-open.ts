import { called, control, notInCel, oneOrMore } from "../aws.ts";
import type { Resource, ResourceRule } from "../rule.ts";
import { at, list, number, text, UNKNOWN } from "../values.ts";

/** `0.0.0.0/0` and `::/0`, also in halves or quarters. */
const world = /\/[0-7]$/;
const rangeKeys = ["cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"];

/** The ingress rules that a resource holds: a group's inline ones, or itself. */
function ingress(resource: Resource): readonly unknown[] {
    if (/SecurityGroup$/.test(resource.type)) return list(at(resource.props, "ingress"));
    return at(resource.props, "type") === "egress" ? [] : [resource.props];
}

/** The ports of a rule: all of them, one, or a range. */
function portsOf(rule: unknown): { readonly only?: number; readonly worded: string } {
    const protocol = at(rule, "protocol") ?? at(rule, "ipProtocol");
    const [from, to] = [number(at(rule, "fromPort")), number(at(rule, "toPort"))];
    // Without a protocol AWS takes no ports into account.
    if (protocol === "-1" || protocol === "all" || from === undefined || from === -1) return { worded: "every port" };
    return from === to ? { only: from, worded: `port ${from}` } : { worded: `ports ${from}-${String(to)}` };
}

/** ICMP, also by its numbers, or a protocol that is not known yet. */
function mayBeIcmp(rule: unknown): boolean {
    const protocol = at(rule, "protocol") ?? at(rule, "ipProtocol");
    return protocol === UNKNOWN || /^(icmp(v6)?|1|58)$/i.test(text(protocol) ?? String(number(protocol)));
}

export const securityGroupNotOpen: ResourceRule = {
    name: "security-group-not-open",
    level: "mandatory",
    scope: "resource",
    types: (type) =>
        /^aws:(ec2\/(defaultSecurityGroup|securityGroup|securityGroupRule)|vpc\/securityGroupIngressRule):/.test(type),
    description: "A port that is open to the world is tried by the whole internet within minutes.",
    remedy: "Name the source's group or range; only a load balancer's group may open 80 and 443 to the world.",
    reference: control("EC2.18"),
    settings: {
        loadBalancers: {
            type: "string",
            description: "Regular expression on the resource names of load balancers' groups.",
            default: "(^|-)(alb|nlb|lb|load-?balancer|entrance|ingress)(-|$)",
        },
    },
    notInCel,
    found(resource, settings) {
        const balancer = new RegExp(text(settings["loadBalancers"]) ?? "$^").test(resource.name);
        return ingress(resource).flatMap((rule) => {
            const open = rangeKeys.flatMap((key) => oneOrMore(at(rule, key))).filter((range) => world.test(range));
            // ICMP has types and codes and no ports: a group that answers to ping opens none.
            if (mayBeIcmp(rule)) return [];
            if (open.length === 0 || at(rule, "fromPort") === UNKNOWN || at(rule, "toPort") === UNKNOWN) return [];
            const { only, worded } = portsOf(rule);
            return balancer && (only === 80 || only === 443)
                ? []
                : [`${called(resource)} opens ${worded} to ${open.join(", ")}`];
        });
    },
};
