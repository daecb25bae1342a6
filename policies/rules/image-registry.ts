import { hardeningGuide, type ContainerRule, type Settings } from "../rule.ts";
import { at, strings, text, UNKNOWN } from "../values.ts";
import { imageVolumes } from "../workloads.ts";

// The first part of a reference is a registry when it looks like a host; else the image is of Docker Hub.
const host = "^([^/]*[.:][^/]*|localhost)/";
const pattern = new RegExp(host);

/** The image with its registry: `nginx` is docker.io/library/nginx. */
function whole(image: string): string {
    if (pattern.test(image)) return image;
    return image.includes("/") ? `docker.io/${image}` : `docker.io/library/${image}`;
}

/** The allowed prefixes, each with one slash at its end. */
function prefixes(settings: Settings): readonly string[] {
    return strings(settings["registries"])
        .map((registry) => registry.replace(/\/+$/, ""))
        .filter((registry) => registry !== "")
        .map((registry) => `${registry}/`);
}

function allowed(image: unknown, settings: Settings): boolean {
    const registries = prefixes(settings);
    if (image === UNKNOWN || registries.length === 0) return true;
    return registries.some((registry) => whole(text(image) ?? "").startsWith(registry));
}

/** CEL that tells whether an image, a CEL expression, comes from elsewhere. */
const elsewhere = (image: string): string =>
    `variables.registries.size() > 0 && !variables.registries.exists(r, ` +
    `((${image}.matches("${host}") ? "" : ${image}.contains("/") ? "docker.io/" : "docker.io/library/") + ${image}).startsWith(r))`;
const mounted = `variables.pod.?volumes.orValue([]).filter(v, has(v.image) && (${elsewhere('v.image.?reference.orValue("")')}))`;

export const imageRegistry: ContainerRule = {
    name: "image-registry",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "An image from a registry that nobody vouched for runs code that nobody vouched for.",
    remedy: "Mirror the image into an allowed registry, or add its registry to the rule's setting.",
    reference: hardeningGuide("Building secure container images"),
    settings: {
        registries: {
            type: "array",
            items: { type: "string" },
            description:
                "Prefixes of allowed images, such as `registry.example.com/team`; `docker.io` covers short names as well; none allows all.",
            default: [],
        },
    },
    found(container, _pod, settings) {
        const image = at(container.spec, "image");
        return allowed(image, settings) ? undefined : `uses image "${text(image) ?? ""}"`;
    },
    cel: {
        variables: (settings) => ({ registries: JSON.stringify(prefixes(settings)) }),
        broken: elsewhere(`c.?image.orValue("")`),
        found: `"uses image \\"" + c.?image.orValue("") + "\\""`,
    },
    ofPod: {
        found(pod, settings) {
            const found = imageVolumes(pod).filter(({ image }) => !allowed(image, settings));
            return found.length > 0
                ? `mounts ${found.map(({ name, image }) => `image "${text(image) ?? ""}" as volume "${name}"`).join(", ")}`
                : undefined;
        },
        cel: {
            broken: `${mounted}.size() > 0`,
            found: `"mounts " + ${mounted}.map(v, "image \\"" + v.image.?reference.orValue("") + "\\" as volume \\"" + v.name + "\\"").join(", ")`,
        },
    },
};
