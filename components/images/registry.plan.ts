/** How pods pull: credentials, and mirrors in front of public registries. */
import type { Stack } from "../config/schema";

/**
 * The image as its mirror has it. The longest prefix wins; names without a registry are Docker Hub's.
 *
 * `debian:trixie-slim` with {"docker.io": "mirror.example.com/hub"} is `mirror.example.com/hub/library/debian:trixie-slim`.
 */
export function mirrored(image: string, { registry }: Pick<Stack, "registry">): string {
    const full = qualified(image);
    const [prefix = ""] = Object.keys(registry.mirrors)
        .filter((each) => full.startsWith(`${each}/`))
        .sort((one, other) => other.length - one.length);
    const mirror = registry.mirrors[prefix];
    return mirror === undefined ? image : `${mirror}${full.slice(prefix.length)}`;
}

/** With registry and, on Docker Hub, `library`. */
function qualified(image: string): string {
    const [first = "", ...rest] = image.split("/");
    if (rest.length === 0) return `docker.io/library/${image}`;
    return first === "localhost" || /[.:]/.test(first) ? image : `docker.io/${image}`;
}

/** `http` only if configured, or on the loopback interface. */
export function registryScheme({
    prefix,
    plainHttp,
}: Pick<Stack["registry"], "prefix" | "plainHttp">): "http" | "https" {
    const onLoopback = /^(127(\.\d+){3}|localhost)(:|\/)/.test(prefix);
    return (plainHttp ?? onLoopback) ? "http" : "https";
}
