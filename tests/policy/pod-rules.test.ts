import * as sdk from "@pulumi/policy";
import { describe, expect, test } from "vitest";

import { evaluate } from "../../policies/evaluate.ts";
import type { Rule } from "../../policies/rule.ts";
import { rules } from "../../policies/table.ts";
import { fields, unwrap } from "../../policies/values.ts";
import {
    compliant,
    container,
    debugged,
    ephemeralMutations,
    kinds,
    mutated,
    mutations,
    otherCompliantPods,
    templateOf,
    tokenOf,
    windowsPod,
    type Manifest,
} from "./pods.ts";

type PodRules = Extract<Rule, { scope: "container" | "pod" }>;
const podRules = rules.filter((rule): rule is PodRules => rule.scope === "container" || rule.scope === "pod");

const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

// Exported, but marked internal: it is what the SDK wraps a resource's inputs in.
const wrap: unknown = Reflect.get(sdk, "unknownCheckingProxy");

/** Messages by rule, evaluated as the engine hands the object over: behind the SDK's proxy. */
function broken(manifest: Manifest, settings: Readonly<Record<string, unknown>> = {}): Map<string, readonly string[]> {
    if (typeof wrap !== "function") throw new Error("the policy SDK has no unknownCheckingProxy any more");
    const proxied: unknown = Reflect.apply(wrap, undefined, [manifest]);
    const resource = { type: tokenOf(manifest), name: "api", urn: "urn", props: fields(unwrap(proxied)) };
    const found = podRules.map((rule) => [rule.name, evaluate(rule, resource, settings)] as const);
    return new Map(found.filter(([, messages]) => messages.length > 0));
}

describe.each(kinds)("%s", (kind) => {
    test("a compliant object breaks no rule", () => {
        expect(broken(compliant(kind))).toEqual(new Map());
    });

    const apt = mutations.filter((mutation) => mutation.kinds?.includes(kind) ?? true);
    test.each(apt.map((mutation) => [mutation.rule, mutation.change, mutation] as const))(
        "%s refuses %s and names offender and remedy",
        (name, _change, mutation) => {
            const rule = podRules.find((each) => each.name === name);
            const messages =
                broken(mutated(mutation, kind, "api"), mutation.settings)
                    .get(name)
                    ?.join("\n") ?? "";
            expect(messages).toContain(`${kind} "api"`);
            expect(messages).toContain(mutation.says);
            expect(messages).toContain(rule?.remedy);
        },
    );
});

test.each(otherCompliantPods().map((pod) => [pod.metadata.name, pod] as const))("a compliant pod: %s", (_, pod) => {
    expect(broken(pod, { registries: ["registry.example.com/orcheo/"] })).toEqual(new Map());
});

test.each([
    ["docker.io", "nginx"],
    ["docker.io/", "grafana/grafana"],
    ["docker.io/library", "nginx"],
    ["localhost:5000", "localhost:5000/a"],
    ["registry.example.com/team//", "registry.example.com/team/a"],
])("the registry %s allows %s", (registry, image) => {
    const pod = compliant("Pod");
    const spec = fields(pod["spec"]);
    const shown = { ...pod, spec: { ...spec, containers: [{ ...container("main"), image }], initContainers: [] } };
    expect(broken(shown, { registries: [registry] }).has("image-registry")).toBe(false);
    expect(broken(shown, { registries: ["registry.example.com/tea", "docker.io/other"] }).has("image-registry")).toBe(
        true,
    );
});

test("every pod rule has a mutation that breaks it", () => {
    expect(new Set(mutations.map((mutation) => mutation.rule))).toEqual(new Set(podRules.map((rule) => rule.name)));
});

test("a Windows pod is not asked for fields that the API server refuses it", () => {
    expect(broken(windowsPod())).toEqual(new Map());
    const privileged = { ...windowsPod(), spec: { ...fields(windowsPod()["spec"]), hostNetwork: true } };
    expect([...broken(privileged).keys()]).toEqual(["no-host-namespaces"]);
});

const everywhere = podRules.filter((rule) => rule.scope === "container" && rule.containers === "all");
const inEphemeral = ephemeralMutations.filter(({ rule }) => everywhere.some(({ name }) => name === rule));
test.each(inEphemeral.map((each) => [each.rule, each.change, each] as const))(
    "%s refuses %s of an ephemeral container",
    (name, _change, { ephemeral, settings, says }) => {
        const found = broken(debugged(ephemeral), settings).get(name)?.join() ?? "";
        expect(found).toContain(`Pod "debugged", container "debug" ${says}`);
    },
);

test("every rule on all containers was seen to refuse an ephemeral one, and a good one breaks none", () => {
    expect(new Set(inEphemeral.map(({ rule }) => rule))).toEqual(new Set(everywhere.map(({ name }) => name)));
    // The API has no resources for ephemeral containers.
    expect(broken(debugged({ ...container("debug"), resources: undefined }))).toEqual(new Map());
});

test("lists and custom resources with a pod template are searched", () => {
    const bad = compliant("Deployment");
    templateOf(bad)["spec"] = { containers: [{ name: "x", image: "nginx" }] };
    const list = { apiVersion: "v1", kind: "List", metadata: { name: "all" }, items: [compliant("Pod"), bad] };
    expect(broken(list).get("image-by-digest")?.join()).toContain('Deployment "good-deployment", container "x"');
    const rollout = { ...bad, apiVersion: "argoproj.io/v1alpha1", kind: "Rollout" };
    expect(broken(rollout).get("image-by-digest")?.join()).toContain("Rollout");
});

test("an unknown value breaks nothing and hides nothing in the next container", () => {
    const deployment = compliant("Deployment");
    const spec = fields(templateOf(deployment)["spec"]);
    const unknown = { ...container("later"), image: unknownText, securityContext: unknownText };
    templateOf(deployment)["spec"] = { ...spec, containers: [unknown, { ...container("now"), image: "nginx" }] };
    const found = broken(deployment);
    expect([...found.keys()]).toEqual(["image-by-digest"]);
    expect(found.get("image-by-digest")?.join()).toContain('container "now" uses image "nginx"');
});

test.each([
    ["spec is text", { spec: "x" }],
    ["spec is null", { spec: null }],
    ["template is a list", { spec: { template: [] } }],
    ["containers is a map", { spec: { template: { spec: { containers: { a: 1 } } } } }],
    ["containers hold null and text", { spec: { template: { spec: { containers: [null, "x", 7, []] } } } }],
    ["env is text", { spec: { template: { spec: { containers: [{ name: 1, env: "x", ports: 3, args: {} }] } } } }],
    ["everything is unknown", { spec: unknownText }],
    ["prototype names as keys", { spec: { template: { spec: { containers: [{ constructor: 1, toString: 2 }] } } } }],
])("a malformed Deployment never crashes a rule: %s", (_, parts) => {
    const manifest = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "odd" }, ...parts };
    for (const messages of broken(manifest).values()) expect(messages.join()).not.toContain("cannot be evaluated");
});

test("messages never carry the secret itself", () => {
    for (const mutation of mutations.filter((each) => each.rule === "no-secret-literals")) {
        const found = broken(mutated(mutation, "Pod", "api"));
        expect(found.size).toBeGreaterThan(0);
        expect([...found.values()].flat().join()).not.toContain("hunter2");
    }
});
