/** docs/falco-rules.yaml was never run: what it takes for granted about the stack's pods, and its own names. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { runBoth, settingsOf } from "../harness";

interface Entry {
    readonly macro?: string;
    readonly rule?: string;
    readonly condition: string;
}
const entries = parse(readFileSync("docs/falco-rules.yaml", "utf8")) as readonly Entry[];
const macros = new Map(entries.flatMap(({ macro, condition }) => (macro === undefined ? [] : [[macro, condition]])));
const conditionOf = (name: string): string => macros.get(name) ?? "";

it("every rule is about the stack's pods, by macros that exist", () => {
    expect(conditionOf("orcheo_pod")).toContain(
        `k8s.ns.name = "${(settingsOf("dev")["kubernetes"] as { namespace?: string }).namespace ?? "orcheo"}"`,
    );
    for (const { condition } of entries)
        for (const [name] of condition.matchAll(/\borcheo_\w+/g)) expect([...macros.keys()]).toContain(name);
    for (const { condition, rule } of entries)
        if (rule !== undefined) expect(condition, rule).toMatch(/\borcheo_(pod|starts_program)\b/);
});

it("nothing that a pod can write to is where programs of the image are", async () => {
    const programs = [...conditionOf("orcheo_program_of_image").matchAll(/startswith (\S+?)\)?(?: |$)/g)].map(
        ([, path = ""]) => path,
    );
    expect(programs).toContain("/usr/");
    const settings = {
        ...settingsOf("prod"),
        aws: undefined,
        database: { kind: "statefulset" },
        cache: { kind: "valkey" },
    };
    const { resources } = await runBoth({ stack: "prod", settings });
    const mounts = resources
        .map(({ inputs }) => inputs as { spec?: { template?: { spec?: PodSpec } } })
        .flatMap(({ spec }) => spec?.template?.spec?.containers ?? [])
        .flatMap(({ volumeMounts = [] }) => volumeMounts)
        .filter(({ readOnly }) => readOnly !== true)
        .map(({ mountPath }) => mountPath);
    expect(mounts).toContain("/tmp");
    expect(mounts.filter((path) => programs.some((each) => `${path}/`.startsWith(each)))).toEqual([]);
});

interface PodSpec {
    readonly containers: readonly { readonly volumeMounts?: readonly { mountPath: string; readOnly?: boolean }[] }[];
}
