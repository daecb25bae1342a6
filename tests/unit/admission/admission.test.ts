import { describe, expect, it } from "vitest";
import manifest from "../../../policies/admission.json";
import { admissionRules, planAdmission } from "../../../components/admission/admission.plan";
import { parseStack } from "../../../components/stack/read";
import type { Stack } from "../../../components/config/schema";
import { rules } from "../../../policies/table";
import { runBoth, settingsOf } from "../../harness";

function parsed(kubernetes: object) {
    const dev = settingsOf("dev");
    const json = JSON.stringify({ ...dev, kubernetes: { ...(dev["kubernetes"] as object), ...kubernetes } });
    return parseStack({ stack: "dev", keys: [], json, secret: false });
}

function stackOf(kubernetes: object = {}): Stack {
    const { stack, problems } = parsed(kubernetes);
    if (stack === undefined) throw new Error(JSON.stringify(problems));
    return stack;
}

describe("the plan", () => {
    // What others start in the namespace, such as the solver of cert-manager, complies with no advice of ours.
    const advice = rules.filter(({ level }) => level === "advisory").map(({ name }) => name);

    it("has every policy of policies/admission.json, and denies by default what a mandatory rule refuses", () => {
        const planned = planAdmission(stackOf());
        const declared = manifest.items.filter((each) => each.kind === "ValidatingAdmissionPolicy");
        expect(planned.map(({ policy }) => policy.spec)).toEqual(declared.map((each) => each.spec));
        for (const { rule, policy, binding } of planned) {
            expect(policy.metadata).toMatchObject({ name: `orcheo.${rule}` });
            expect(binding).toMatchObject({
                metadata: { name: `orcheo.${rule}` },
                spec: {
                    policyName: `orcheo.${rule}`,
                    validationActions: [advice.includes(rule) ? "Warn" : "Deny", "Audit"],
                    matchResources: { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "orcheo" } } },
                },
            });
        }
    });

    it("of two stacks on a cluster shares no name", () => {
        const names = ["a", "a-no"].flatMap((namespace) =>
            planAdmission(stackOf({ namespace })).map(({ policy }) => JSON.stringify(policy.metadata)),
        );
        expect(new Set(names).size).toBe(names.length);
    });

    it("only warns where it is told to", () => {
        const some = planAdmission(stackOf({ admission: { kind: "enforce", warnOnly: ["no-host-path"] } }));
        const warned = some.filter(({ binding }) => JSON.stringify(binding.spec).includes('"Warn"'));
        expect(warned.map(({ rule }) => rule)).toEqual(["no-host-path", "ephemeral-storage-limits"]);
        for (const { binding } of planAdmission(stackOf({ admission: { kind: "warn" } })))
            expect(binding.spec).toMatchObject({ validationActions: ["Warn", "Audit"] });
        expect(planAdmission(stackOf({ admission: { kind: "off" } }))).toEqual([]);
    });

    it("lets images come only from the registries that are named, the stack's own among them", () => {
        const registries = ["127.0.0.1:5000/orcheo", "quay.io/jetstack"];
        const [rule] = planAdmission(stackOf({ admission: { kind: "enforce", registries } })).filter(
            (each) => each.rule === "image-registry",
        );
        expect(rule?.policy.spec).toMatchObject({
            variables: expect.arrayContaining([
                { name: "registries", expression: JSON.stringify(registries) },
            ]) as unknown,
        });
        const { problems } = parsed({ admission: { kind: "enforce", registries: ["quay.io/jetstack"] } });
        expect(problems).toEqual([
            {
                at: "orcheo:stack.kubernetes.admission.registries",
                found: `found nothing that covers ${["backend", "canvas", "postgres", "valkey"].map((name) => `127.0.0.1:5000/orcheo/${name}`).join(", ")}`,
                remedy: "accepted: a list that covers the stack's own images too",
            },
        ]);
    });

    it("lets ACME's solver have its answer as an argument, and nothing else of it", () => {
        const tls = { kind: "acme", email: "ops@example.com", solver: { kind: "http01" } } as const;
        const selectors = (stack: Stack) =>
            planAdmission(stack).flatMap(({ rule, binding }) =>
                JSON.stringify(binding.spec).includes("objectSelector") ? [rule] : [],
            );
        const json = JSON.stringify({ ...settingsOf("dev"), entrance: { tls } });
        const { stack } = parseStack({ stack: "dev", keys: [], json, secret: false });
        expect(stack && selectors(stack)).toEqual(["no-secret-literals"]);
        expect(selectors(stackOf())).toEqual([]);
    });

    it("refuses a rule that is none", () => {
        const { problems } = parsed({ admission: { kind: "enforce", warnOnly: ["no-host-path", "no-hostpath"] } });
        expect(problems).toEqual([
            {
                at: "orcheo:stack.kubernetes.admission.warnOnly[1]",
                found: 'found "no-hostpath"',
                remedy: `accepted: ${admissionRules.join(", ")}`,
            },
        ]);
    });
});

describe("the program", () => {
    it("declares a policy and its binding for each rule, before the workloads", async () => {
        const { resources } = await runBoth({ stack: "dev" });
        const of = (kind: string) => resources.filter(({ type }) => type.endsWith(`:${kind}`));
        // Registration takes its time by what is in a policy: in no order.
        const declared = of("ValidatingAdmissionPolicy").map(({ name }) => name.slice("admission-".length));
        expect(declared.sort()).toEqual([...admissionRules].sort());
        expect(of("ValidatingAdmissionPolicyBinding")).toHaveLength(admissionRules.length);
        const waiting = resources.filter(({ options }) => options.after.includes("Admission"));
        expect(waiting.map(({ name }) => name).sort()).toEqual(["backend", "canvas", "postgres", "valkey"]);
    });

    it("declares none when switched off", async () => {
        const kubernetes = { ...(settingsOf("dev")["kubernetes"] as object), admission: { kind: "off" } };
        const { resources } = await runBoth({ stack: "dev", settings: { ...settingsOf("dev"), kubernetes } });
        expect(resources.filter(({ type }) => type.includes("admissionregistration"))).toEqual([]);
    });
});
