/** Who owns which field: what is missed here, an update does not take back, or takes from others. */
import { describe, expect, it } from "vitest";
import { leavesOf, lostPaths, owns, shownPath, valueAt } from "../../../components/kubernetes/managed-fields.plan";

const shown = (paths: readonly Parameters<typeof shownPath>[0][]): readonly string[] => paths.map(shownPath);
const container = (below: object) => ({ "f:containers": { 'k:{"name":"api"}': { ".": {}, "f:name": {}, ...below } } });
const containers = (more: object) => ({ containers: [{ name: "api", ...more }] });

describe("fields that the stack set and owns no more", () => {
    it.each<[string, unknown, readonly unknown[], readonly string[]]>([
        ["nothing set", { a: undefined, b: null }, [{}], []],
        ["a value that nobody owns", { a: 1 }, [{}], ["a"]],
        ["a value that is owned", { a: 1 }, [{ "f:a": {} }], []],
        ["by one of several managers", { a: 1, b: { c: 2 } }, [{ "f:a": {} }, { "f:b": { "f:c": {} } }], []],
        ["a map in part", { a: { b: 1, c: 2 } }, [{ "f:a": { ".": {}, "f:b": {} } }], ["a.c"]],
        ["a map that is owned as one", { a: { b: 1, c: 2 } }, [{ "f:a": {} }], []],
        ["a list that is owned as one", { args: ["x"] }, [{ "f:args": {} }], []],
        ["a list that nobody owns", { args: ["x"] }, [{ "f:b": {} }], ["args"]],
        ["members of a set", { finalizers: ["x", "y"] }, [{ "f:finalizers": { 'v:"x"': {}, 'v:"y"': {} } }], []],
        [
            "a set without one of them",
            { finalizers: ["x", "y"] },
            [{ "f:finalizers": { 'v:"x"': {} } }],
            ["finalizers"],
        ],
        ["an item's field", containers({ image: "i" }), [container({})], ["containers[api].image"]],
        ["an item's own fields", containers({ image: "i" }), [container({ "f:image": {} })], []],
        [
            "an item that was removed",
            { containers: [{ name: "api" }, { name: "web" }] },
            [container({})],
            ["containers[web]"],
        ],
        [
            "a port without its protocol, which is TCP",
            containers({ ports: [{ containerPort: 80, name: "http" }] }),
            [
                container({
                    "f:ports": {
                        'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:name": {} },
                    },
                }),
            ],
            [],
        ],
        [
            "a port of another number",
            containers({ ports: [{ containerPort: 81 }] }),
            [
                container({
                    "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
                }),
            ],
            ["containers[api].ports[81]"],
        ],
    ])("%s", (_, value, owned, lost) => {
        expect(shown(lostPaths(value, owned))).toEqual(lost);
    });
});

describe("a manager's fields", () => {
    it.each<[object, readonly string[]]>([
        [{}, []],
        [{ ".": {} }, []],
        [{ "f:spec": { "f:replicas": {} } }, ["spec.replicas"]],
        [{ "f:metadata": { "f:annotations": { ".": {}, "f:a.b/c": {} } } }, ["metadata.annotations.a.b/c"]],
        [container({ "f:image": {} }), ["containers[api]"]],
        [{ "f:containers": { 'k:{"name":"api"}': { "f:image": {} } } }, ["containers[api].image"]],
        [{ "f:finalizers": { 'v:"x"': {} } }, ["finalizers"]],
    ])("%j are shown as %j", (fields, paths) => {
        expect(shown(leavesOf(fields))).toEqual(paths);
    });

    const env = { "f:env": { 'k:{"name":"A"}': { "f:value": {} } } };
    const value = (name: string, field: string) => ["env", { key: { name } }, field];
    it.each<[string, unknown, Parameters<typeof owns>[1], boolean]>([
        ["the field", { "f:spec": { "f:replicas": {} } }, ["spec", "replicas"], true],
        ["something in it", { "f:spec": { "f:replicas": {} } }, ["spec"], true],
        ["all around it", { "f:spec": {} }, ["spec", "replicas"], true],
        ["its neighbour", { "f:spec": { "f:paused": {} } }, ["spec", "replicas"], false],
        ["nothing", undefined, ["spec"], false],
        ["an item's field", env, value("A", "value"), true],
        ["another item's", env, value("B", "value"), false],
        ["another field of the item", env, value("A", "valueFrom"), false],
    ])("own %s", (_, fields, path, own) => {
        expect(owns(fields, path)).toBe(own);
    });
});

it("a value is found by its keys, and nothing where there is none", () => {
    const object = { ports: [{ port: 80, protocol: "UDP" }, { port: 80 }], list: ["a"], text: "t" };
    const key = (port: number, protocol: string) => [{ key: { port, protocol } }];
    expect(valueAt(object, ["ports", ...key(80, "TCP")])).toEqual({ port: 80 });
    expect(valueAt(object, ["ports", ...key(80, "UDP")])).toEqual({ port: 80, protocol: "UDP" });
    expect(valueAt(object, ["ports", ...key(81, "TCP")])).toBeUndefined();
    for (const path of [
        ["none", "below"],
        ["text", "length"],
        ["list", { key: { name: "a" } }],
        ["text", { key: {} }],
    ])
        expect(valueAt(object, path)).toBeUndefined();
});
