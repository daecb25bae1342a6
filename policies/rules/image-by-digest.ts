import type { ContainerRule } from "../rule.ts";
import { at, text, UNKNOWN } from "../values.ts";
import { imageVolumes } from "../workloads.ts";

const digest = "@sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$";
const pattern = new RegExp(digest);

const pinned = (image: unknown): boolean => image === UNKNOWN || pattern.test(text(image) ?? "");
const tagged = `variables.pod.?volumes.orValue([]).filter(v, has(v.image) && !v.image.?reference.orValue("").matches("${digest}"))`;

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
        return pinned(image) ? undefined : `uses image "${text(image) ?? ""}"`;
    },
    cel: {
        broken: `!c.?image.orValue("").matches("${digest}")`,
        found: `"uses image \\"" + c.?image.orValue("") + "\\""`,
    },
    ofPod: {
        found(pod) {
            const found = imageVolumes(pod).filter(({ image }) => !pinned(image));
            return found.length > 0
                ? `mounts ${found.map(({ name, image }) => `image "${text(image) ?? ""}" as volume "${name}"`).join(", ")}`
                : undefined;
        },
        cel: {
            broken: `${tagged}.size() > 0`,
            found: `"mounts " + ${tagged}.map(v, "image \\"" + v.image.?reference.orValue("") + "\\" as volume \\"" + v.name + "\\"").join(", ")`,
        },
    },
};
