import { basename, dirname } from "node:path";
import { poolerOf, type Pooled } from "../config/kinds";
import { canonicalPackage } from "../config/schema.images";
import type { Stack } from "../config/schema";
import { proxyEnvironment, type ProxySettings } from "../kubernetes/proxy.plan";
import { publishedImage } from "./published.plan";
import { mirrored, registryScheme } from "./registry.plan";
export { publishedImage } from "./published.plan";
export { registryScheme } from "./registry.plan";

const always = ["backend", "canvas", "postgres", "valkey"] as const;
export type ImageName = (typeof always)[number] | "pgbouncer" | "backup";

/** Images that the stack runs. `backup`: undefined if it makes no dumps. */
export function imageNames(stack: Pooled & { readonly backup?: unknown }): readonly ImageName[] {
    const optional = [
        ...(poolerOf(stack) === undefined ? [] : ["pgbouncer" as const]),
        ...(stack.backup === undefined ? [] : ["backup" as const]),
    ];
    return [...always, ...optional];
}

/** Their Dockerfiles mount the secret `ca-bundle`. */
const downloads: ReadonlySet<ImageName> = new Set(["backend", "canvas"]);

export type ImageSettings = ProxySettings &
    Pick<Stack, "backup" | "database" | "images" | "registry" | "release" | "version" | "worker">;
type Build = Extract<Stack["images"], { kind: "build" }>;

const certificates = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The CAs of a bundle that are not public, or undefined if all are. Many systems keep both in one file of 220 KB, which
 * the state would hold for each image and every preview would read.
 *
 * @param bundle  PEM
 * @param known  PEM, one certificate each
 */
export function additionalCas(bundle: string, known: readonly string[]): string | undefined {
    const bare = (certificate: string): string => certificate.replaceAll(/\s/g, "");
    const usual = new Set(known.map(bare));
    const others = (bundle.match(certificates) ?? []).filter((certificate) => !usual.has(bare(certificate)));
    return others.length === 0 ? undefined : `${others.join("\n")}\n`;
}

/** How one image comes about. */
export type ImagePlan =
    | { readonly kind: "published"; readonly ref: string }
    | {
          readonly kind: "build";
          /** Build context, a directory of this project. */
          readonly context: string;
          /** Further contexts of the Dockerfile: name and location. */
          readonly named: Readonly<Record<string, { location: string }>>;
          readonly args: Readonly<Record<string, string>>;
          /** Stage of the Dockerfile; undefined for its last. */
          readonly target: string | undefined;
          /** PEM bundle of the network's CAs, for images whose build downloads over TLS. */
          readonly caBundleFile: string | undefined;
          readonly repository: string;
          /** Semver tag. */
          readonly tag: string;
          /** What pods name before the digest. */
          readonly name: string;
          readonly output: string;
      };

/**
 * Pure: which image is built from what, or pulled from where.
 *
 * @throws for a published stack without one of its images, which the config refuses before
 */
export function planImage(name: ImageName, stack: ImageSettings): ImagePlan {
    const { images } = stack;
    if (images.kind === "published") {
        const ref = publishedImage(name, stack);
        if (ref === undefined) throw new Error(`images.${name} is missing`);
        return { kind: "published", ref: mirrored(ref, stack) };
    }
    const { source } = images.canvas;
    const repository = `${stack.registry.prefix}/${name}`;
    const plugins = name === "backend" && images.plugins.length > 0;
    if (name === "canvas" && source.kind === "image") return { kind: "published", ref: mirrored(source.ref, stack) };
    return {
        kind: "build",
        context: `images/${name}`,
        named: {
            ...(name === "canvas" && { orcheo: { location: canvasLocation(source) } }),
            ...(plugins && { plugins: { location: dirname(images.pluginLock) } }),
        },
        args: { ...buildArgs(name, stack, images), ...(plugins && pluginArgs(images)) },
        target: name === "backend" ? backendTarget(plugins, stack.worker.browser) : undefined,
        caBundleFile: downloads.has(name) ? images.caBundleFile : undefined,
        repository,
        tag: stack.version,
        name: holdsConnections(name) ? repository : `${repository}:${stack.version}`,
        // Time stamps of files are rewritten as well: the same input gives the same digest.
        output: [
            "type=image",
            "push=true",
            "rewrite-timestamp=true",
            "oci-mediatypes=true",
            ...(registryScheme(stack.registry) === "http" ? ["registry.insecure=true"] : []),
        ].join(","),
    };
}

/** API and worker run the same image, and both execute nodes. */
function backendTarget(plugins: boolean, browser: boolean): string | undefined {
    if (browser) return plugins ? "with-browser-and-plugins" : "with-browser";
    return plugins ? "with-plugins" : undefined;
}

/**
 * An image of a server that pods are connected to knows nothing of the stack's version: a release with the same server is
 * the same digest and the same reference, and restarts nothing.
 */
const holdsConnections = (name: ImageName): boolean => ["postgres", "pgbouncer", "valkey"].includes(name);

function canvasLocation(source: Build["canvas"]["source"]): string {
    switch (source.kind) {
        case "git":
            return `${source.url}#${source.ref}`;
        case "directory":
            return source.path;
        case "image":
            return "";
    }
}

function buildArgs(name: ImageName, stack: ImageSettings, images: Build): Record<string, string> {
    const { version, release } = stack;
    return {
        // Known to BuildKit: neither in the image nor part of its cache's key.
        ...proxyEnvironment(stack),
        ...images.buildArgs,
        BASE_IMAGE: mirrored(images.baseImage, stack),
        SOURCE_DATE_EPOCH: String(images.sourceDateEpoch),
        CREATED: new Date(images.sourceDateEpoch * 1000).toISOString().replace(".000Z", "Z"),
        ...(!holdsConnections(name) && { VERSION: version, REVISION: images.revision }),
        ...(name === "backend" && { ORCHEO_RELEASE: release }),
    };
}

const pluginArgs = ({ plugins, pluginLock }: Build): Record<string, string> => ({
    PLUGIN_LOCK: basename(pluginLock),
    PLUGINS: plugins.map((each) => `${canonicalPackage(each.package)}==${each.version}`).join(" "),
});
