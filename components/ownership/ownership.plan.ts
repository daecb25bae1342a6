/** Whose an object of the cluster is. Names are fixed, and server-side apply takes over what already exists. */
import type { Problem } from "../config/problems";
import { objectPath, type KubernetesObject } from "../kubernetes/cluster-api";
import type { Recorded } from "../kubernetes/recorded.plan";

/** Annotation of every object with a fixed name: `<organization>/<project>/<stack>/<stack id>`. */
export const ownerKey = "orcheo.dev/owner";

/** A stack, as its objects name it. The id is made once and kept in the state: a stack of the same name is another one. */
export interface Owner {
    readonly organization: string;
    readonly project: string;
    readonly stack: string;
    /** Undefined before the first update. */
    readonly id: string | undefined;
}

export const markOf = ({ organization, project, stack }: Omit<Owner, "id">, id: string): string =>
    [organization, project, stack, id].join("/");

/** An object that the program declares under a fixed name. */
export interface Declared {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
}

export const pathOf = ({ apiVersion, kind, name, namespace }: Declared): string =>
    objectPath(apiVersion, kind, name, namespace);

export const asDeclared = ({
    apiVersion = "",
    kind = "",
    metadata: { name, namespace },
}: KubernetesObject): Declared => ({
    ...{ apiVersion, kind, name, namespace },
});

export interface ManagedFields {
    readonly manager?: string;
    readonly operation?: string;
    readonly subresource?: string;
    readonly time?: string;
    readonly fieldsV1?: unknown;
}

export const managersOf = ({ metadata }: KubernetesObject): readonly ManagedFields[] =>
    Array.isArray(metadata["managedFields"]) ? (metadata["managedFields"] as ManagedFields[]) : [];

export const isPulumi = (manager = ""): boolean => manager.startsWith("pulumi-kubernetes");

/**
 * Undefined when the object is this stack's; else its owner: the mark, `unmarked`, or `contested`.
 *
 * Releases before the mark left none. Their objects are the stack's when its state has the very object, and no other stack
 * has applied fields to it since.
 */
export function foreignOwner(object: KubernetesObject, { id, objects }: Recorded): string | undefined {
    const mark = object.metadata.annotations?.[ownerKey];
    if (mark !== undefined) return id !== undefined && mark.split("/").at(-1) === id ? undefined : mark;
    const known = objects.find(({ uid }) => uid !== undefined && uid === object.metadata.uid);
    if (known === undefined) return unmarked;
    const others = managersOf(object).filter(
        ({ manager }) => isPulumi(manager) && known.fieldManager !== undefined && manager !== known.fieldManager,
    );
    return others.length === 0 ? undefined : contested;
}

export const isNamed = (owner: string): boolean => owner !== unmarked && owner !== contested;
export const unmarked = "an owner that it does not name";
export const contested = "more than one Pulumi stack of an older release";

/** An existing object of another owner under a name that the program needs. */
export interface Foreign {
    readonly object: KubernetesObject;
    readonly owner: string;
}

/** What `kubernetes.adopt` has to be to take over an owner's objects: its mark, or the namespace's uid where there is none. */
export function adoptionOf({ owner, object }: Foreign, namespaceUid: string | undefined): string {
    if (isNamed(owner)) return owner;
    return `uid:${namespaceUid ?? object.metadata.uid ?? ""}`;
}

/**
 * One problem for each owner.
 *
 * @param adopt  the owner whose objects are taken over
 */
export function ownershipProblems(
    found: readonly Foreign[],
    adopt: string | undefined,
    namespaceUid: string | undefined,
): Problem[] {
    const byOwner = grouped(found, ({ owner }) => owner);
    return [...byOwner].flatMap(([owner, items]): Problem[] => {
        const [first] = items;
        const wanted = first === undefined ? undefined : adoptionOf(first, namespaceUid);
        if (wanted === undefined || adopt === wanted) return [];
        const objects = items.map(({ object }) => object);
        const taken = `${namesOf(objects)} ${objects.length === 1 ? "exists and belongs" : "exist and belong"} to ${owner}`;
        const remedy = [
            "use another namespace",
            `if that stack's state is lost, take its objects over with orcheo:stack.kubernetes.adopt: "${wanted}" (docs/runbooks/lost-state.md)`,
            ...(owner === contested
                ? ["never `pulumi destroy` the stack that is not to have them; forget it: `pulumi stack rm --force`"]
                : []),
        ].join("; ");
        return [{ at: "orcheo:stack.kubernetes.namespace", found: taken, remedy }];
    });
}

/** Objects that the program declares more than once: one of `extraObjects` has the name of one of the stack's own. */
export function declaredTwice(declared: readonly Declared[]): Problem[] {
    const same = grouped(declared, ({ apiVersion, kind, name, namespace }) =>
        [apiVersion.replace(/\/?[^/]*$/, ""), kind, namespace, name].join(" "),
    );
    return [...same.values()].flatMap(([first, ...others]): Problem[] => {
        if (first === undefined || others.length === 0) return [];
        const found = `${first.kind} "${first.name}" is the stack's own object`;
        return [
            {
                at: "orcheo:stack.extraObjects",
                found,
                remedy: "use another name, or a transform to change the stack's",
            },
        ];
    });
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
    const groups = new Map<string, T[]>();
    for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
    return groups;
}

/** The namespace comes first. */
const rank = ({ kind }: Pick<KubernetesObject, "kind">): number => (kind === "Namespace" ? 0 : 1);

/** Such as `Namespace orcheo, Deployment orcheo/api`; of many the first of each kind and how many more. */
export function namesOf(objects: readonly Pick<KubernetesObject, "kind" | "metadata">[]): string {
    const sorted = [...objects].sort((a, b) => rank(a) - rank(b));
    const byKind = grouped(sorted, ({ kind }) => kind ?? "object");
    return [...byKind]
        .map(([kind, all]) => {
            const [first] = all;
            const { name = "", namespace } = first?.metadata ?? {};
            const more = all.length > 1 ? ` (and ${all.length - 1} more)` : "";
            return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}${more}`;
        })
        .join(", ");
}
