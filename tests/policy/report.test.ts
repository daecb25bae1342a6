import { expect, test } from "vitest";

import { asMarkdown, asSarif, asText, findings, resourcesIn } from "../../policies/report.ts";
import { rules } from "../../policies/table.ts";
import { at, list } from "../../policies/values.ts";
import { compliant } from "./pods.ts";

const pod = `apiVersion: v1
kind: Pod
metadata: { name: tool }
spec: { containers: [{ name: a, image: "nginx|x" }] }
`;

test("manifests, lists, exports and previews are read resource by resource", () => {
    const state = { type: "aws:kms/key:Key", urn: "urn:pulumi:s::p::aws:kms/key:Key::k", inputs: {} };
    const files = [
        `${pod}---\n${JSON.stringify(compliant("Job"))}\n---\n# nothing\n`,
        JSON.stringify({ apiVersion: "v1", kind: "List", items: [compliant("Pod"), compliant("Job")] }),
        JSON.stringify({ deployment: { resources: [state] } }),
        JSON.stringify({ steps: [{ op: "create", newState: state }, { op: "delete" }] }),
    ];
    const names = files.map((file) =>
        resourcesIn(file, "f").map(({ resource }) => `${resource.type} ${resource.name}`),
    );
    expect(names).toEqual([
        ["kubernetes:core/v1:Pod tool", "kubernetes:batch/v1:Job good-job"],
        ["kubernetes:core/v1:Pod good-pod", "kubernetes:batch/v1:Job good-job"],
        ["aws:kms/key:Key k"],
        ["aws:kms/key:Key k"],
    ]);
});

test("a file that is no YAML is named", () => {
    expect(() => resourcesIn("a: [", "broken.yaml")).toThrow(/^broken\.yaml: /);
});

test("each report names rule, resource, what was found and the remedy", () => {
    const located = resourcesIn(pod, "pod.yaml");
    const all = findings(located, rules);
    const one = all.find((each) => each.rule === "image-by-digest");
    expect(one).toMatchObject({ level: "mandatory", resource: "Pod::tool", file: "pod.yaml" });
    expect(asText(all, 1)).toContain('image-by-digest [mandatory]\n  Pod "tool", container "a" uses image "nginx|x"');
    expect(asText(all, 1)).toContain("-> Pin the image as repository@sha256:<digest>.");
    const row = asMarkdown(all, 1)
        .split("\n")
        .find((line) => line.includes("image-by-digest"));
    expect(row).toContain(String.raw`| Pod::tool | Pod "tool", container "a" uses image "nginx\|x" | Pin the image`);
    const [run] = list(at(asSarif(all, rules), "runs"));
    expect(list(at(run, "tool", "driver", "rules"))).toHaveLength(rules.length);
    expect(list(at(run, "results"))).toHaveLength(all.length);
});

test("a clean file says so", () => {
    const located = resourcesIn(JSON.stringify(compliant("Pod")), "pod.json");
    expect(asText(findings(located, rules), 1)).toBe("1 resources judged: 0 mandatory and 0 advisory violations.");
});
