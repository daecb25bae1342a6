/** Lists (`DeploymentList`, `List`) taken apart: each item is evaluated as an object of its own kind. */
import { isMixedList, itemType, typeOf } from "./kinds.ts";
import type { Resource } from "./rule.ts";
import { at, fields, list, text } from "./values.ts";

const owners = new WeakMap<Resource, Resource>();
const expandedStacks = new WeakMap<readonly Resource[], readonly Resource[]>();
/** Lists inside lists are taken apart this far; nobody writes them deeper. */
const deepestList = 8;

/** The objects of a list, each as a resource of its own kind; the resource itself where it is none. */
export function itemsOf(resource: Resource, depth = 0): readonly Resource[] {
    const own = itemType(resource.type);
    if ((own === undefined && !isMixedList(resource.type)) || depth > deepestList) return [resource];
    const items = Object.hasOwn(resource.props, "items") ? resource.props["items"] : undefined;
    if (!Array.isArray(items)) return [resource];
    return list(items).flatMap((item, index) => {
        const [apiVersion, kind] = [text(at(item, "apiVersion")), text(at(item, "kind"))];
        const type = apiVersion === undefined || kind === undefined ? own : typeOf(apiVersion, kind);
        if (type === undefined) return [];
        const name = text(at(item, "metadata", "name")) ?? `${resource.name}[${index}]`;
        const one: Resource = { ...resource, type, name, props: fields(item) };
        owners.set(one, ownerOf(resource));
        return itemsOf(one, depth + 1);
    });
}

/** The resource that the engine or a file gave: the list of an item, or the resource itself. */
export function ownerOf(resource: Resource): Resource {
    return owners.get(resource) ?? resource;
}

/** A stack with its lists taken apart; the same array for the same stack, which stack.ts keeps indexes of. */
export function withItems(resources: readonly Resource[]): readonly Resource[] {
    const found = expandedStacks.get(resources) ?? resources.flatMap((each) => itemsOf(each));
    expandedStacks.set(resources, found);
    return found;
}
