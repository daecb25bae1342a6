/**
 * Destinations that bypass the proxy, in the forms that every client interprets alike: urllib, requests, httpx, aiohttp, curl and
 * Node. docs/kubernetes.md has the table; images/backend/tests/test_proxies.py asks the clients.
 */
import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { addressesIn, isHostName } from "./addresses";

/** Ranges up to this many addresses are expanded; a longer list would be slow in httpx. */
const mostAddresses = 16;

/** The form of a setting in NO_PROXY, or what to configure instead. */
export function exceptionOf(entry: string): { readonly entries: readonly string[] } | { readonly remedy: string } {
    const text = entry.toLowerCase();
    const [address = "", length] = text.split("/");
    const bare = address.replace(/^\[(.*)\](:\d+)?$/, "$1");
    if (text === "*") return { remedy: "no proxy at all, for which the setting proxy is left out" };
    if (isIPv6(bare))
        return {
            remedy: "a host name: IPv6 addresses and ranges mean something to some clients only, and httpx fails on them",
        };
    if (isIPv4(address) && length === undefined) return { entries: [address] };
    if (isIPv4(address) && /^(\d|[12]\d|3[0-2])$/.test(length ?? "")) {
        const all = addressesIn(text, mostAddresses);
        if (all !== undefined) return { entries: all };
        return {
            remedy: "host names, or a domain such as .example.com: httpx, aiohttp, urllib and Node read no range of addresses; a /28 and smaller is written out",
        };
    }
    if (/^[^:/]+:\d+$/.test(text))
        return { remedy: `${text.replace(/:\d+$/, "")}, without a port: curl and aiohttp read none` };
    const name = text.replace(/^\*?\./, "");
    if (!isHostName(name)) return { remedy: "a host name, a domain such as .example.com, or an IPv4 address" };
    return { entries: [name === text ? name : `.${name}`] };
}

export function proxyException() {
    return z
        .string({ error: "a host name, a domain such as .example.com, or an IPv4 address" })
        .superRefine((value, context) => {
            const read = exceptionOf(value);
            if ("remedy" in read) context.addIssue({ code: "custom", message: read.remedy });
        })
        .meta({ accepted: "a host name, a domain such as .example.com, an IPv4 address, or a range of at most 16" });
}
