import type { ContainerRule } from "../rule.ts";
import { at, text, UNKNOWN } from "../values.ts";

const digest = "@sha256:[0-9a-f]{64}$";
const pattern = new RegExp(digest);

export const imageByDigest: ContainerRule = {
    name: "image-by-digest",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "A tag can be moved to another image; a digest cannot.",
    remedy: "Pin the image as repository@sha256:<digest>.",
    reference: {
        title: "Kubernetes: images",
        url: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
    },
    found(container) {
        const image = at(container.spec, "image");
        if (image === UNKNOWN || pattern.test(text(image) ?? "")) return undefined;
        return `uses image "${text(image) ?? ""}"`;
    },
    cel: {
        broken: `!c.?image.orValue("").matches("${digest}")`,
        found: `"uses image \\"" + c.?image.orValue("") + "\\""`,
    },
};
