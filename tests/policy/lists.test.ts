/** Lists taken apart: each item as an object of its own kind, and each finding at the list that was given. */
import { expect, test } from "vitest";

import { itemType, isMixedList, tokenOf } from "../../policies/kinds.ts";
import { itemsOf, ownerOf, withItems } from "../../policies/lists.ts";
import type { Resource } from "../../policies/rule.ts";
import { asResource } from "./cases.ts";

const list = (items: unknown, type = "kubernetes:core/v1:List", name = "all"): Resource =>
    asResource({ type, name, props: { items } });
const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "tool" } };
const told = (resource: Resource): readonly string[] => itemsOf(resource).map(({ type, name }) => `${type} ${name}`);

test("an item has its own kind, or that of the list if it names none", () => {
    expect(told(list([pod, { ...pod, metadata: {} }]))).toEqual([
        "kubernetes:core/v1:Pod tool",
        "kubernetes:core/v1:Pod all[1]",
    ]);
    expect(told(list([{ metadata: { name: "a" } }, pod], "kubernetes:apps/v1:DeploymentList"))).toEqual([
        "kubernetes:apps/v1:Deployment a",
        "kubernetes:core/v1:Pod tool",
    ]);
    expect(
        told(
            list([
                { ...pod, kind: undefined },
                { ...pod, apiVersion: undefined },
            ]),
        ),
    ).toEqual([]);
    expect(told(list([{ ...pod, kind: undefined }], "kubernetes:apps/v1:DeploymentList"))).toEqual([
        "kubernetes:apps/v1:Deployment tool",
    ]);
});

test("objects without a list stay as they are", () => {
    const single = asResource({ type: "kubernetes:core/v1:Pod", name: "p", props: { items: [pod] } });
    expect(itemsOf(single)).toEqual([single]);
    for (const items of [undefined, "pods", { 0: pod }]) {
        const none = list(items);
        expect(itemsOf(none)[0]).toBe(none);
    }
    expect(itemsOf(list([]))).toEqual([]);
});

test("nested lists are unpacked, up to a limit", () => {
    const nested = (depth: number): unknown =>
        depth === 0 ? pod : { apiVersion: "v1", kind: "List", items: [nested(depth - 1)] };
    expect(told(list([nested(8)]))).toEqual(["kubernetes:core/v1:Pod tool"]);
    expect(told(list([nested(40)]))).toEqual(["kubernetes:core/v1:List all[0][0][0][0][0][0][0][0][0]"]);
});

test("a finding about an item is reported for the resource that contains it", () => {
    const outer = list([{ apiVersion: "v1", kind: "PodList", items: [pod] }]);
    const [item] = itemsOf(outer);
    expect(item?.name).toBe("tool");
    expect(item === undefined ? undefined : ownerOf(item)).toBe(outer);
    expect(ownerOf(outer)).toBe(outer);
    const stack = [outer];
    expect(withItems(stack)).toBe(withItems(stack));
    expect(withItems(stack).map(({ name }) => name)).toEqual(["tool"]);
});

test("only tokens of Kubernetes name kinds and lists", () => {
    expect(tokenOf("kubernetes:core/v1:Pod")).toEqual({ group: "core", version: "v1", kind: "Pod" });
    expect(tokenOf("kubernetes:yaml:ConfigFile")).toEqual({ group: "core", version: "yaml", kind: "ConfigFile" });
    for (const other of [
        "aws:kubernetes:core/v1:Pod",
        "kubernetes:core/v1:Pod:x",
        "pulumi:providers:kubernetes",
        "kubernetes:x",
    ]) {
        expect(tokenOf(other), other).toBeUndefined();
    }
    expect(itemType("kubernetes:apps/v1:DeploymentList")).toBe("kubernetes:apps/v1:Deployment");
    for (const none of ["kubernetes:core/v1:List", "kubernetes:core/v1:Pod", "aws:x/y:List"]) {
        expect(itemType(none), none).toBeUndefined();
    }
    expect(isMixedList("kubernetes:core/v1:List")).toBe(true);
    for (const none of ["kubernetes:core/v1:PodList", "aws:x/y:List"]) expect(isMixedList(none), none).toBe(false);
});
