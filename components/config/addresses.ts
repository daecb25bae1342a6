/** Addresses, ranges of addresses and hosts, checked by libraries. */
import { isIP, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { z } from "zod";

const ranges = z.union([z.cidrv4(), z.cidrv6()]);
const names = z.hostname();

/** The first address of a range, as the range should be written. */
function networkOf(range: string): string {
    const [address, length] = ipaddr.parseCIDR(range);
    const first =
        address.kind() === "ipv4"
            ? ipaddr.IPv4.networkAddressFromCIDR(range)
            : ipaddr.IPv6.networkAddressFromCIDR(range);
    return `${first.toString()}/${length}`;
}

/**
 * A range of addresses that every reader understands alike: no bits behind its length, no IPv4 address written as IPv6.
 *
 * @see https://github.com/kubernetes/enhancements/tree/master/keps/sig-network/4858-ip-cidr-validation
 */
export function cidr() {
    const accepted = "a CIDR such as 10.20.0.0/16";
    return z
        .string({ error: accepted })
        .superRefine((value, context) => {
            const parsed = ranges.safeParse(value).success ? ipaddr.parseCIDR(value) : undefined;
            if (parsed === undefined || (parsed[0] instanceof ipaddr.IPv6 && parsed[0].isIPv4MappedAddress())) {
                context.addIssue({ code: "custom", message: accepted });
                return;
            }
            const [address, length] = parsed;
            const network = networkOf(value);
            const [first = ""] = network.split("/");
            if (address.toString() === first) return;
            const alone = `${address.toString()}/${address.kind() === "ipv4" ? 32 : 128}`;
            const message = `${network} for the whole range, or ${alone} for the one address (/${length} leaves no bits for the rest)`;
            context.addIssue({ code: "custom", message });
        })
        .meta({ accepted });
}

/** Whether an address lies in a range that the schema accepted. */
export function holds(range: string, address: string): boolean {
    const [first, length] = ipaddr.parseCIDR(range);
    const other = ipaddr.parse(address);
    return first.kind() === other.kind() && other.match(first, length);
}

/** Whether a range is the whole or a part of another. */
export function within(inner: string, outer: string): boolean {
    const [address = "", length] = inner.split("/");
    return Number(length) >= Number(outer.split("/")[1]) && holds(outer, address);
}

/** All addresses of a range; undefined for an IPv6 one, or one of more than `most`. */
export function addressesIn(range: string, most: number): string[] | undefined {
    const [address, length] = ipaddr.parseCIDR(range);
    if (address.kind() !== "ipv4" || 2 ** (32 - length) > most) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.networkAddressFromCIDR(range).toByteArray();
    // Of a /24 or smaller only the last part counts up.
    return Array.from({ length: 2 ** (32 - length) }, (_, index) => [a, b, c, d + index].join("."));
}

export const isHostName = (host: string): boolean =>
    names.safeParse(host).success && !host.endsWith(".") && !/(^|\.)\d+$/.test(host);

/** The host of a URL: a name, or an address, of IPv6 in brackets. */
export const isUrlHost = (host: string): boolean =>
    host.startsWith("[") && host.endsWith("]") ? isIPv6(host.slice(1, -1)) : isIP(host) === 4 || isHostName(host);
