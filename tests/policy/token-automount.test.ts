/** no-token-automount: programs that call the API are not advised, or made, to do without a token. */
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { describe, expect, test } from "vitest";

import { findings } from "../../policies/findings.ts";
import { evaluate, unlessExcused } from "../../policies/evaluate.ts";
import { policyPack } from "../../policies/pack.ts";
import { resourcesIn } from "../../policies/read.ts";
import { remediated } from "../../policies/remediation.ts";
import { settingsOf } from "../../policies/rule.ts";
import { noTokenAutomount } from "../../policies/rules/no-token-automount.ts";
import { unknownText } from "../../policies/values.ts";
import { asResource } from "./cases.ts";
import { compliant, templateOf, tokenOf, type Manifest, type Mutable } from "./pods.ts";

const name = noTokenAutomount.name;
const namespace = "shop";

/** A Deployment that is compliant but for what is said of tokens. */
function deployment(spec: Mutable, kind = "Deployment"): Manifest {
    const manifest = compliant(kind);
    const template = templateOf(manifest);
    const rest = { ...(template["spec"] as Mutable) };
    delete rest["automountServiceAccountToken"];
    template["spec"] = { ...rest, ...spec };
    return { ...manifest, metadata: { name: "operator", namespace } };
}

const subject = { kind: "ServiceAccount", name: "operator", namespace };
const binding = (subjects: unknown, kind = "ClusterRoleBinding"): Manifest => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind,
    metadata: { name: "operator", namespace },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
    subjects,
});
const account = (fields: Mutable, of = namespace): Manifest => ({
    ...{ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "operator", namespace: of } },
    ...fields,
});
const own = { serviceAccountName: "operator" };

const found = (...manifests: readonly Manifest[]): readonly string[] =>
    findings(resourcesIn(JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }), "stack.json"), [
        noTokenAutomount,
    ])
        .filter((each) => each.rule === name)
        .map((each) => each.resource);

describe("a pod whose service account is bound in the stack", () => {
    test.each<[string, Manifest, Manifest]>([
        ["by a ClusterRoleBinding", deployment(own), binding([subject])],
        ["by a RoleBinding", deployment(own), binding([subject], "RoleBinding")],
        ["and that says so itself", deployment({ ...own, automountServiceAccountToken: true }), binding([subject])],
        ["by the field's old name", deployment({ serviceAccount: "operator" }), binding([subject])],
        ["as a user", deployment(own), binding([{ kind: "User", name: "system:serviceaccount:shop:operator" }])],
        ["beside others", deployment(own), binding([{ ...subject, name: "other" }, subject])],
        ["of a subject that is yet unknown", deployment(own), binding([{ ...subject, name: unknownText }])],
        ["of subjects that are yet unknown", deployment(own), binding(unknownText)],
        ["and yet unknown", deployment({ serviceAccountName: unknownText }), binding([subject])],
        ["in a Job", deployment(own, "Job"), binding([subject])],
    ])("%s: no finding", (_, pod, bound) => {
        expect(found(pod)).toEqual([`${pod.kind}::operator`]);
        expect(found(pod, bound)).toEqual([]);
    });

    test.each<[string, Manifest, Manifest]>([
        ["another account", deployment(own), binding([{ ...subject, name: "other" }])],
        ["an account of another namespace", deployment(own), binding([{ ...subject, namespace: "other" }])],
        ["a user of that name", deployment(own), binding([{ kind: "User", name: "operator" }])],
        [
            "a user of another namespace",
            deployment(own),
            binding([{ kind: "User", name: "system:serviceaccount:x:operator" }]),
        ],
        ["a group", deployment(own), binding([{ kind: "Group", name: "operator" }])],
        ["the default account", deployment({}), binding([{ ...subject, name: "default" }])],
        [
            "the default account by name",
            deployment({ serviceAccountName: "default" }),
            binding([{ ...subject, name: "default" }]),
        ],
        ["nobody", deployment(own), binding(undefined)],
    ])("%s: a finding", (_, pod, bound) => {
        expect(found(pod, bound)).toEqual(["Deployment::operator"]);
    });
});

test("an account without tokens is as good as the pod's own setting, which takes precedence", () => {
    const withholding = account({ automountServiceAccountToken: false });
    expect(found(deployment(own), withholding)).toEqual([]);
    expect(found(deployment(own), account({}))).toEqual(["Deployment::operator"]);
    expect(found(deployment(own), account({ automountServiceAccountToken: false }, "other"))).toHaveLength(1);
    expect(found(deployment({ ...own, automountServiceAccountToken: true }), withholding)).toHaveLength(1);
});

test("the API server, which sees the pod alone, accepts a projected token", () => {
    const volumes = [{ name: "token", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }];
    const pod = deployment({ ...own, automountServiceAccountToken: false, volumes });
    expect(evaluate(noTokenAutomount, asResource({ type: tokenOf(pod), name: "a", props: pod }))).toEqual([]);
    expect(noTokenAutomount.remedy).toContain("unless the pod calls the Kubernetes API");
});

describe("in the engine", () => {
    const urn = (manifest: Manifest): string => `urn:pulumi:s::p::${tokenOf(manifest)}::operator`;
    /** What the engine shows the pack: each resource, then all of them. */
    function run(...manifests: readonly Manifest[]): { early: string[]; late: (string | undefined)[] } {
        const { policies } = policyPack([noTokenAutomount], () => undefined);
        const early: string[] = [];
        const late: (string | undefined)[] = [];
        const shared = { getConfig: () => ({}), notApplicable: () => undefined, opts: { protect: false } };
        const resources = manifests.map((props) => ({
            ...shared,
            ...{ type: tokenOf(props), name: "operator", urn: urn(props), props, propertyDependencies: {} },
        }));
        const all = policies as readonly (ResourceValidationPolicy & StackValidationPolicy)[];
        for (const each of resources)
            for (const policy of all) {
                const validate = policy.validateResource as unknown as (args: unknown, report: unknown) => void;
                validate(each, () => early.push(each.urn));
            }
        for (const policy of all) {
            const validate = policy.validateStack as unknown as (args: unknown, report: unknown) => void;
            validate({ ...shared, resources }, (_: string, of?: string) => late.push(of));
        }
        return { early, late };
    }

    test("a pod of the default account is refused at once, one of its own account when all are known", () => {
        const [plain, bound] = [deployment({}), deployment(own)];
        expect(run(plain)).toEqual({ early: [urn(plain)], late: [] });
        expect(run(bound)).toEqual({ early: [], late: [urn(bound)] });
        expect(run(bound, binding([subject]))).toEqual({ early: [], late: [] });
        expect(run(binding([subject]), bound)).toEqual({ early: [], late: [] });
    });

    test("remediation leaves a pod with its own account as it is", () => {
        const fixed = (pod: Manifest): unknown =>
            remediated(
                noTokenAutomount,
                pod,
                asResource({ type: tokenOf(pod), name: "a", props: pod }),
                settingsOf(noTokenAutomount),
            );
        expect(fixed(deployment(own))).toBeUndefined();
        expect(fixed(deployment({}))).toMatchObject({
            spec: { template: { spec: { automountServiceAccountToken: false } } },
        });
    });
});

test("each item of a list is evaluated separately", () => {
    const list = {
        apiVersion: "v1",
        kind: "List",
        metadata: { name: "l" },
        items: [deployment(own), binding([subject])],
    };
    const resource = asResource({ type: "kubernetes:core/v1:List", name: "l", props: list });
    expect(evaluate(noTokenAutomount, resource)).toHaveLength(1);
    expect(evaluate(noTokenAutomount, resource, {}, unlessExcused(noTokenAutomount, [resource]))).toEqual([]);
});
