/** Finds the pod templates that a resource carries, with every container in them. */
import { kindOf, templatePathOf, templatePaths, tokenOf } from "./kinds.ts";
import { searchPods, type Container } from "./shapes.ts";
import { at, fields, list, text, UNKNOWN, unknownText, type Fields } from "./values.ts";

export interface Pod {
    /** The object that carries the template, as messages name it: `Deployment "api"`. */
    readonly owner: string;
    readonly spec: Fields;
    readonly metadata: Fields;
    readonly containers: readonly Container[];
}

export { kindOf, templatePathOf, templatePaths };
export type { Container };

/** The containers of a pod spec, all three sorts of them. */
function containersOf(spec: Fields): Container[] {
    const sorts = [
        ["containers", "container"],
        ["initContainers", "initContainer"],
        ["ephemeralContainers", "ephemeralContainer"],
    ] as const;
    return sorts.flatMap(([key, role]) =>
        list(at(spec, key)).map((each, index) => ({
            name: text(at(each, "name")) ?? `#${index}`,
            role,
            spec: fields(each),
        })),
    );
}

function podAt(owner: string, object: unknown, path: readonly string[]): Pod | undefined {
    const template = at(object, ...path);
    const spec = at(template, "spec");
    if (spec === UNKNOWN || spec === undefined || typeof spec !== "object") return undefined;
    const podSpec = fields(spec);
    const metadata = at(template, "metadata");
    const unknown = { labels: unknownText, annotations: unknownText };
    return {
        ...{ owner, spec: podSpec, containers: containersOf(podSpec) },
        metadata: metadata === UNKNOWN ? unknown : fields(metadata),
    };
}

// Each rule on pods asks the same of each resource.
const known = new WeakMap<Fields, { readonly type: string; readonly name: string; readonly pods: readonly Pod[] }>();

/**
 * Every pod in a resource: the template of a built-in kind, and whatever has the shape of a pod in a custom resource.
 * `name` is the resource's own, for objects that leave `metadata.name` to Pulumi. Lists are taken apart before (kinds.ts).
 */
export function podsOf(type: string, name: string, props: Fields): readonly Pod[] {
    const earlier = known.get(props);
    if (earlier?.type === type && earlier.name === name) return earlier.pods;
    const pods = podsIn(type, name, props);
    known.set(props, { type, name, pods });
    return pods;
}

function podsIn(type: string, name: string, props: Fields): readonly Pod[] {
    const token = tokenOf(type);
    if (token === undefined) return [];
    const owner = `${token.kind} "${text(at(props, "metadata", "name")) ?? name}"`;
    const path = templatePathOf(type);
    if (path !== undefined) {
        const pod = podAt(owner, props, path);
        return pod === undefined ? [] : [pod];
    }
    if (kindOf(type) !== undefined) return [];
    return searchPods(type, props).shapes.map(({ path: where, ...pod }) => ({
        ...pod,
        owner: where === "" ? owner : `${owner} (${where})`,
    }));
}

/** The container's security setting, or else the pod's; UNKNOWN when either that decides is unknown. */
export function effective(container: Container, pod: Pod, ...path: readonly string[]): unknown {
    const own = at(container.spec, "securityContext", ...path);
    return own === undefined ? at(pod.spec, "securityContext", ...path) : own;
}

/** The images that a pod mounts as volumes. */
export function imageVolumes(pod: Pod): readonly { readonly name: string; readonly image: unknown }[] {
    return list(at(pod.spec, "volumes"))
        .filter((volume) => at(volume, "image") !== undefined)
        .map((volume) => ({ name: text(at(volume, "name")) ?? "", image: at(volume, "image", "reference") }));
}

/** Every image of a pod, with its user. */
export function imagesOf(pod: Pod): readonly { readonly user: string; readonly image: unknown }[] {
    return [
        ...pod.containers.map(({ name, spec }) => ({ user: `container "${name}"`, image: at(spec, "image") })),
        ...imageVolumes(pod).map(({ name, image }) => ({ user: `volume "${name}"`, image })),
    ];
}
