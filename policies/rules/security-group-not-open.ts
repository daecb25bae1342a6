import { called, control, notInCel, oneOrMore } from "../aws.ts";
import type { Resource, ResourceRule } from "../rule.ts";
import { at, list, number, text, UNKNOWN } from "../values.ts";

const world = ["0.0.0.0/0", "::/0"];
const rangeKeys = ["cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"];

/** The ingress rules that a resource holds: a group's inline ones, or itself. */
function ingress(resource: Resource): readonly unknown[] {
    if (resource.type === "aws:ec2/securityGroup:SecurityGroup") return list(at(resource.props, "ingress"));
    return at(resource.props, "type") === "egress" ? [] : [resource.props];
}

export const securityGroupNotOpen: ResourceRule = {
    name: "security-group-not-open",
    level: "mandatory",
    scope: "resource",
    types: (type) =>
        /^aws:(ec2\/securityGroup:SecurityGroup|ec2\/securityGroupRule:SecurityGroupRule|vpc\/securityGroupIngressRule:SecurityGroupIngressRule)$/.test(
            type,
        ),
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
            const open = rangeKeys.flatMap((key) => oneOrMore(at(rule, key))).filter((range) => world.includes(range));
            const [from, to] = [at(rule, "fromPort"), at(rule, "toPort")];
            if (open.length === 0 || from === UNKNOWN || to === UNKNOWN) return [];
            if (balancer && from === to && (number(from) === 80 || number(from) === 443)) return [];
            const ports =
                number(from) === undefined || number(from) === -1 ? "every port" : `port ${number(from)}-${number(to)}`;
            return [`${called(resource)} opens ${ports} to ${open.join(", ")}`];
        });
    },
};
