/**
 * The project's own stacks pass its own pack: `pulumi preview --policy-pack policies`, on the cluster, with no exception.
 * Of prod its Kubernetes half, with a database of someone else's: aws.test.ts has the whole.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { expect, test } from "vitest";
import { parse } from "yaml";

import { at, fields } from "../../policies/values.ts";
import { previewProgram } from "./engine.ts";
import { published } from "./own-stack.ts";

/** What is AWS' own is a database of someone else's and the cluster's cache. */
function kubernetesHalf(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    if (settings["aws"] === undefined) return settings;
    const rest = Object.entries(settings).filter(([key]) => key !== "aws");
    const database = { kind: "external", url: { kind: "secret", name: "database" } };
    return { ...Object.fromEntries(rest), database, cache: { kind: "valkey" } };
}

test.each(["dev", "prod"])("%s", async (stack) => {
    const file: unknown = parse(readFileSync(new URL(`../../Pulumi.${stack}.yaml`, import.meta.url), "utf8"));
    const settings = kubernetesHalf(fields(at(file, "config", "orcheo:stack")));
    const context = execFileSync("kubectl", ["config", "current-context"], { encoding: "utf8" }).trim();
    const { violations, types, exitCode, output } = await previewProgram({
        ...settings,
        // Other files' stacks are in the same cluster.
        kubernetes: { ...fields(settings["kubernetes"]), context, namespace: "program" },
        // Nothing is built: only the references matter to the pack.
        images: { kind: "published", ...published },
    });
    expect(exitCode, output.slice(-4000)).toBe(0);
    expect(violations.filter(({ level }) => level === "mandatory")).toEqual([]);
    expect(new Set(violations.map(({ rule }) => rule))).toEqual(new Set(["volume-class"]));
    expect(types.filter((type) => type.endsWith(":ValidatingAdmissionPolicyBinding")).length).toBeGreaterThan(20);
    console.log(`${stack}: ${types.length} resources, ${violations.length} advisory violations`);
});
