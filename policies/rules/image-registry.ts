import { hardeningGuide, type ContainerRule } from "../rule.ts";
import { at, strings, text, UNKNOWN } from "../values.ts";

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
            description: "Prefixes of allowed images, such as `registry.example.com/team`; none allows all.",
            default: [],
        },
    },
    found(container, _pod, settings) {
        const registries = strings(settings["registries"]);
        const image = at(container.spec, "image");
        if (image === UNKNOWN || registries.length === 0) return undefined;
        const found = text(image) ?? "";
        return registries.some((registry) => found.startsWith(`${registry}/`)) ? undefined : `uses image "${found}"`;
    },
    cel: {
        variables: (settings) => ({ registries: JSON.stringify(strings(settings["registries"])) }),
        broken:
            `variables.registries.size() > 0 && ` +
            `!variables.registries.exists(r, c.?image.orValue("").startsWith(r + "/"))`,
        found: `"uses image \\"" + c.?image.orValue("") + "\\""`,
    },
};
