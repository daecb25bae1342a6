/** Listeners of load balancers of AWS that serve without TLS. */
import type { Resource } from "./rule.ts";
import { called } from "./stack.ts";
import { at, holdsUnknown, isObject, list, number, text, UNKNOWN } from "./values.ts";

const listener = /^aws:(lb|alb)\/listener:Listener$/;
const classic = "aws:elb/loadBalancer:LoadBalancer";

export function isListener(type: string): boolean {
    return listener.test(type) || type === classic;
}

/** Whether an action sends the client to HTTPS, or answers by itself without passing anything on. */
function sendsOn(action: unknown): boolean {
    const type = at(action, "type");
    if (type === "fixed-response") return true;
    return type === "redirect" && text(at(action, "redirect", "protocol"))?.toUpperCase() === "HTTPS";
}

/** The listeners of a classic load balancer that speak HTTP. */
function ofClassic(resource: Resource): readonly string[] {
    const listeners = list(at(resource.props, "listeners"));
    return listeners
        .filter((each) => text(at(each, "lbProtocol"))?.toUpperCase() === "HTTP")
        .map((each) => `${called(resource)} listens on port ${number(at(each, "lbPort")) ?? "?"} without TLS`);
}

/** What is wrong with a load balancer's listeners. */
export function plainListeners(resource: Resource): readonly string[] {
    if (resource.type === classic) return ofClassic(resource);
    const { props } = resource;
    const [protocol, port, actions] = [at(props, "protocol"), number(at(props, "port")), at(props, "defaultActions")];
    if (protocol === UNKNOWN || holdsUnknown(actions)) return [];
    // Plain TCP may carry TLS of its own; on the port of HTTP it does not. Without a protocol the port decides.
    const named = text(protocol)?.toUpperCase() ?? (port === 80 ? "HTTP" : "");
    const plain = named === "HTTP" || (named === "TCP" && port === 80);
    const given = Array.isArray(actions) ? list(actions) : isObject(actions) ? [actions] : [];
    if (!plain || (given.length > 0 && given.every(sendsOn))) return [];
    return [`${called(resource)} passes on ${named} of port ${port ?? "?"} without TLS`];
}
