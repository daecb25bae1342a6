/**
 * Prod on AWS in Pulumi's engine, with the pack: the real program and the real AWS provider, which validates and plans every
 * resource, and its Kubernetes half on the cluster. AWS itself is moto (aws/account.ts).
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { at, fields, isObject, list } from "../../policies/values.ts";
import { otherStacks } from "../aws-mocks.ts";
import { awsPrograms, exampleOf, sizes } from "../aws-programs.ts";
import { settingsOf } from "../harness.ts";
import { makeRole } from "./aws/cli.ts";
import { paidAsDocumented } from "./aws/costs.ts";
import { makeStacks } from "./aws/other-stacks.ts";
import { podsMayDoTheirOwn } from "./aws/pods.ts";
import { nodeCounts, scaleNodes, setAws, upgraded } from "./aws/upgrade.ts";
import { withOwnStack } from "./own-stack.ts";

/** In a namespace that no other file's stack has: they share the cluster. */
function apart(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return { ...settings, kubernetes: { ...fields(settings["kubernetes"]), namespace: "on-aws" } };
}

/** The smallest is below: it is deployed. */
const larger = sizes.filter((size) => size !== "small");
const examples = larger.map((size) => [`examples/prod-${size}.yaml`, { settings: exampleOf(size), size }] as const);

test.each<readonly [string, { readonly settings?: unknown; readonly size?: string }]>([...awsPrograms, ...examples])(
    "%s",
    async (name, { settings, size }) => {
        const { violations, resources, types, exitCode, output } = await withOwnStack(
            "prod",
            apart(fields(settings ?? settingsOf("prod"))),
            async (stack) => {
                await makeStacks(stack.folder, otherStacks);
                return stack.evaluated();
            },
        );
        expect(violations).toEqual([]);
        expect(exitCode, output.slice(-4000)).toBe(0);
        if (size !== undefined) await paidAsDocumented(size, resources);
        const aws = types.filter((type) => type.startsWith("aws:")).length;
        console.log(`${name}: ${types.length} resources, ${aws} of them of AWS, no violation`);
    },
);

/** What a state of Pulumi's marks as secret, in clear. */
function secretsIn(state: unknown): readonly string[] {
    if (Array.isArray(state)) return list(state).flatMap(secretsIn);
    if (!isObject(state)) return [];
    const { plaintext } = state;
    return typeof plaintext === "string" ? [plaintext] : Object.values(state).flatMap(secretsIn);
}

test("a first production in a new account, by the steps of docs/aws.md", async () => {
    const docs = await readFile(new URL("../../docs/aws.md", import.meta.url), "utf8");
    const [, flags = ""] = /^ *pulumi up (--target .*)$/m.exec(docs) ?? [];
    const targets = flags.split(" ").map((flag) => flag.replaceAll("'", ""));
    expect(targets.length).toBeGreaterThan(3);

    const small = fields(exampleOf("small"));
    const older = { ...fields(at(small, "aws", "cluster")), version: "1.36" };
    const settings = { ...small, aws: { ...fields(small["aws"]), cluster: older } };
    // EKS lets nobody in who does not exist.
    for (const role of ["orcheo-deploy", "orcheo-second"]) await makeRole(role);
    await withOwnStack("prod", apart(settings), async (stack) => {
        await stack.run("up", "--yes", "--skip-preview", ...targets);
        const there = JSON.parse(await stack.run("stack", "export", "--show-secrets")) as unknown;
        const secrets = secretsIn(there).filter((secret) => secret.length > 10);
        expect(secrets.length).toBeGreaterThan(5);
        const state = await stack.run("stack", "export");
        expect(secrets.filter((secret) => state.includes(secret))).toEqual([]);

        const steps = (await stack.steps()).filter(({ urn }) => /(\$|::)aws:/.test(urn));
        const kept = steps.filter(({ op }) => op === "same");
        expect(kept.length).toBeGreaterThan(60);
        // Database and cache are left for the whole.
        expect(steps.filter(({ op }) => !["same", "create"].includes(op))).toEqual([]);

        const { violations, resources, exitCode, output } = await stack.evaluated();
        expect(violations).toEqual([]);
        expect(exitCode, output.slice(-4000)).toBe(0);
        await paidAsDocumented("small", resources);
        console.log(`${kept.length} resources of AWS are there, ${steps.length - kept.length} are to come`);

        await podsMayDoTheirOwn("orcheo-small", "on-aws", stack.folder);

        // Priced in the region of its provider, from a budget in the pack's config on.
        const packSettings = join(stack.folder, "pack.json");
        await writeFile(packSettings, JSON.stringify({ "monthly-cost-within-budget": { budgetUsd: 400 } }));
        const over = await stack.evaluated("--policy-pack-config", packSettings);
        expect(over.exitCode).not.toBe(0);
        expect(over.violations.map(({ rule, level }) => [rule, level])).toEqual([
            ["monthly-cost-within-budget", "mandatory"],
        ]);
        expect(over.violations[0]?.message).toMatch(
            /comes to \$5\d\d of \$400 a month at list prices of eu-central-1 \(most: /,
        );

        // A kubeconfig that the preview did not know would replace the provider, and with it the namespace and all in it.
        const second = "arn:aws:iam::111122223333:role/orcheo-second";
        await setAws(stack, { "deployerRoleArns[1]": second, "cluster.nodes.instanceTypes[0]": "t4g.xlarge" });
        const changes = (await stack.steps()).filter(({ op }) => !["same", "create"].includes(op));
        expect(changes.filter(({ urn }) => /(\$|::)kubernetes:/.test(urn))).toEqual([]);
        expect(changes.map(({ urn }) => urn.split("::").at(-1))).toContain("aws-eks-nodes");
        await setAws(stack, { "cluster.nodes.instanceTypes[0]": "t4g.large" });

        await setAws(stack, { "cluster.version": "1.38" });
        await expect(stack.steps()).rejects.toThrow(/found "1\.38", and the cluster runs 1\.36; accepted: "1\.37"/);
        // EKS takes no minimum above the number of nodes, which the program leaves alone otherwise.
        const limits = { "cluster.nodes.minNodes": "4", "cluster.nodes.maxNodes": "6" };
        await setAws(stack, { "cluster.version": "1.37", ...limits });
        const order = await upgraded(stack, targets);
        expect(order[0]).toBe("aws-eks");
        expect(order.slice(1, 4).sort()).toEqual(
            ["eks-pod-identity-agent", "kube-proxy", "vpc-cni"].map((addon) => `aws-eks-${addon}`),
        );
        expect(order[4]).toBe("aws-eks-nodes");
        expect(order.slice(5).sort()).toEqual(["aws-eks-coredns", "aws-eks-metrics-server"]);
        expect(await nodeCounts("orcheo-small")).toEqual({ minSize: 4, maxSize: 6, desiredSize: 4 });

        await scaleNodes("orcheo-small", 5);
        await setAws(stack, { "cluster.nodes.maxNodes": "8" });
        expect(await upgraded(stack, targets)).toEqual(["aws-eks-nodes"]);
        expect(await nodeCounts("orcheo-small")).toEqual({ minSize: 4, maxSize: 8, desiredSize: 5 });
    });
}, 900_000);
