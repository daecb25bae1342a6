/**
 * Stacks that are out there: the states of older programs (tests/fixtures/deployed-*.json) before today's program, in Pulumi's
 * engine. Whatever is protected in them stays what it is: no replacement, no deletion, under its own name or by an alias.
 *
 * A state is added with each new protected resource, by `RECORD=<name> npx vitest run --project verdicts tests/verdicts/deployed.test.ts`,
 * and an older one is never changed: what it has, somebody has.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { endurance } from "../e2e/endurance.ts";
import { at, fields, list, text } from "../../policies/values.ts";
import { replacing } from "../aws-mocks.ts";
import { everythingNew } from "../aws-programs.ts";
import { settingsOf } from "../harness.ts";
import { withOwnStack, type OwnStack } from "./own-stack.ts";

const root = join(import.meta.dirname, "../..");
const fixtures = join(root, "tests/fixtures");

/** The default of `aws.cluster.version` when the states were recorded: EKS upgrades one minor version at a time. */
const recordedEks = {
    ...everythingNew,
    aws: {
        ...fields(everythingNew["aws"]),
        cluster: { ...fields(at(everythingNew, "aws", "cluster")), version: "1.34" },
    },
};

/** By the fixture's first part: `deployed-<stack>.json`, `deployed-<stack>.<what is new in it>.json`. */
const stacks = {
    dev: { stack: "dev", settings: settingsOf("dev") },
    prod: { stack: "prod", settings: settingsOf("prod") },
    "prod-everything-new": { stack: "prod", settings: recordedEks },
} as const;

/** What is to be there before anything that holds data, and that. */
const holding = [
    ...["Ownership**", "Secrets**", "Aws**", "Cluster**", "NetworkPolicies**", "Admission**", "UnsafeChoices**"],
    // Without the Job that makes the database's users: it would wait for a database.
    ...["Rds::*", "Rds$aws:**", "Rds$random:**", "Elasticache::*", "Elasticache$aws:**", "Elasticache$random:**"],
    ...["Postgres::*", "Valkey::*"],
].map((pattern) => `**orcheo:index:${pattern}`);
const targets = [...holding, "**PersistentVolumeClaim::*"].flatMap((pattern) => ["--target", pattern]);

function kubectl(args: readonly string[], input = ""): string {
    return execFileSync("kubectl", args, { input, encoding: "utf8", maxBuffer: 1 << 26 });
}

/** Where the cluster is to be found differs from run to run: by what stands for it in the files. */
const places: Readonly<Record<string, () => string>> = {
    QVVUSE9SSVRZ: () =>
        kubectl([
            ...["config", "view", "--raw", "--minify", "--flatten"],
            ...["--output", "jsonpath={..certificate-authority-data}"],
        ]),
    "a-kubeconfig": () => process.env["KUBECONFIG"] ?? "",
};

/** Pods that the tests' cluster would start are of no use here: only the API server is asked. */
function cleanUp(): void {
    kubectl(["delete", "namespace", "orcheo", "--ignore-not-found", "--timeout=120s"]);
    // Other files' policies (server.ts) are in this cluster too; Pulumi does not manage those.
    const own = "app.kubernetes.io/part-of=orcheo,app.kubernetes.io/managed-by=pulumi";
    for (const kind of ["validatingadmissionpolicybinding", "validatingadmissionpolicy"])
        kubectl(["delete", kind, "--selector", own, "--ignore-not-found"]);
}

afterAll(cleanUp);

/** What of the state is protected or belongs to it: all of AWS, what it is a child of, and its providers. */
function kept(resources: readonly unknown[]): readonly unknown[] {
    const byUrn = new Map(resources.map((each) => [text(at(each, "urn")) ?? "", each]));
    const wanted = new Set<string>();
    const want = (urn: string | undefined): void => {
        if (urn === undefined || wanted.has(urn) || !byUrn.has(urn)) return;
        wanted.add(urn);
        const resource = byUrn.get(urn);
        want(text(at(resource, "parent")));
        want(text(at(resource, "provider"))?.replace(/::[^:]*$/, ""));
    };
    // A state without the nodes of a cluster would have the cluster's address unknown until there are some.
    const held = resources.filter(
        (each) => at(each, "protect") === true || /^(aws|random):/.test(String(at(each, "type"))),
    );
    for (const each of held) want(text(at(each, "urn")));
    return resources
        .filter((each) => wanted.has(text(at(each, "urn")) ?? ""))
        .map((each) => {
            // What it depended on is not kept, nor where the program stood.
            const without = [
                "dependencies",
                "propertyDependencies",
                "created",
                "modified",
                "sourcePosition",
                "stackTrace",
            ];
            const stack = at(each, "type") === "pulumi:pulumi:Stack" ? ["outputs"] : [];
            return Object.fromEntries(
                Object.entries(fields(each)).filter(([key]) => ![...without, ...stack].includes(key)),
            );
        });
}

/** The objects of the state, as the cluster then had them. */
function objectsIn(state: unknown): readonly object[] {
    return list(at(state, "deployment", "resources"))
        .filter((each) => text(at(each, "type"))?.startsWith("kubernetes:") === true)
        .map((each) => {
            const outputs = fields(at(each, "outputs"));
            const { name, namespace, labels, annotations } = fields(outputs["metadata"]);
            const { apiVersion, kind, spec } = outputs;
            return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
        });
}

const recorded = readdirSync(fixtures).filter((file) => /^deployed-.*\.json$/.test(file));
const stackOf = (file: string) => {
    const name = file.replace(/^deployed-/, "").replace(/\..*$/, "");
    const found = Object.entries(stacks).find(([each]) => each === name)?.[1];
    if (found === undefined) throw new Error(`${file} is of no stack here: ${Object.keys(stacks).join(", ")}`);
    return found;
};
const raw = (file: string): string => readFileSync(join(fixtures, file), "utf8");
/** With today's cluster in it. */
const read = (file: string): string =>
    Object.entries(places).reduce((state, [stands, place]) => state.replaceAll(stands, place()), raw(file));

/** The state of a stack that made these very objects: a program owns what it has by uid. */
function withUids(state: unknown, applied: readonly unknown[]): unknown {
    const uids = new Map(applied.map((each) => [identity(each), at(each, "metadata", "uid")]));
    const resources = list(at(state, "deployment", "resources")).map((each) => {
        const outputs = fields(at(each, "outputs"));
        const uid = uids.get(identity(outputs));
        const metadata = { ...fields(outputs["metadata"]), uid };
        return uid === undefined ? each : { ...fields(each), outputs: { ...outputs, metadata } };
    });
    return { ...fields(state), deployment: { ...fields(at(state, "deployment")), resources } };
}
const identity = (object: unknown): string =>
    JSON.stringify([at(object, "kind"), at(object, "metadata", "namespace"), at(object, "metadata", "name")]);

/** With the stand-in for the AWS provider, which the states are from. */
const withStandIn = <Result>(
    name: string,
    settings: Readonly<Record<string, unknown>>,
    act: (stack: OwnStack) => Promise<Result>,
): Promise<Result> => withOwnStack(name, settings, act, "stand-in");

/** Begins with the state of the file, on the cluster and in Pulumi. */
async function replayed<Result>(
    file: string,
    settings: Readonly<Record<string, unknown>>,
    act: (stack: OwnStack) => Promise<Result>,
): Promise<Result> {
    cleanUp();
    const before: unknown = JSON.parse(read(file));
    const applied: unknown = JSON.parse(
        kubectl(
            ["apply", "--output", "json", "-f", "-"],
            JSON.stringify({ apiVersion: "v1", kind: "List", items: objectsIn(before) }),
        ),
    );
    const state = JSON.stringify(
        withUids(before, at(applied, "kind") === "List" ? list(at(applied, "items")) : [applied]),
    );
    return withStandIn(stackOf(file).stack, settings, async (stack) => {
        const path = join(stack.folder, "state.json");
        await writeFile(path, state);
        await stack.run("stack", "import", "--file", path);
        return act(stack);
    });
}

const record = process.env["RECORD"];
if (record !== undefined)
    test("records the states of today's program", async () => {
        for (const [name, { stack, settings }] of Object.entries(stacks)) {
            cleanUp();
            await withStandIn(stack, settings, async (own) => {
                await own.run("up", "--yes", "--skip-preview", ...targets);
                const state = fields(JSON.parse(await own.run("stack", "export")));
                const { manifest, secrets_providers: secrets, resources } = fields(state["deployment"]);
                const deployment = { manifest, secrets_providers: secrets, resources: kept(list(resources)) };
                const file = `deployed-${name}.${record}.json`;
                const written = Object.entries(places).reduce(
                    (whole, [stands, place]) => whole.replaceAll(place(), stands),
                    JSON.stringify({ ...state, deployment }, null, 1),
                );
                writeFileSync(join(fixtures, file), `${written}\n`);
            });
        }
    }, 600_000);

/** Every resource that some recorded state of a stack has. */
const everDeployed = (stack: string): ReadonlySet<string> =>
    new Set(
        recorded
            .filter((file) => stackOf(file).stack === stack)
            .flatMap((file) => list(at(JSON.parse(raw(file)), "deployment", "resources")))
            .map((each) => text(at(each, "urn")) ?? ""),
    );

/** Of each stack the newest; `make endurance` takes all. */
const replayable = endurance
    ? recorded
    : [...new Map(recorded.toSorted().map((file) => [stackOf(file), file])).values()];

test.each(replayable)("nothing that is protected in %s is replaced or deleted", async (file) => {
    const { stack, settings } = stackOf(file);
    const steps = await replayed(file, settings, (own) => own.steps());
    const held = steps.filter((step) => step.was.protected);
    expect(held.length).toBeGreaterThan(5);
    expect(held.filter(({ op }) => op !== "same" && op !== "update")).toEqual([]);
    expect(held.filter((step) => !step.will.protected)).toEqual([]);
    const changed = held.filter(({ op }) => op === "update").length;
    console.log(`${file}: ${held.length} protected, ${changed} of them changed in place`);
    // Of these the stand-in for AWS knows what replaces them.
    const types = held.map(({ urn }) => urn.split("::")[2]?.split("$").at(-1) ?? "");
    expect(types.filter((type) => type.startsWith("aws:") && replacing[type] === undefined)).toEqual([]);
    // What is protected since is in a newer state: record one, as the head of this file says.
    const there = everDeployed(stack);
    const created = steps.filter(({ op, will }) => op === "create" && will.protected);
    expect(created.filter(({ urn }) => !there.has(urn))).toEqual([]);
});

test("there are states of every stack", () => {
    expect(new Set(recorded.map(stackOf))).toEqual(new Set(Object.values(stacks)));
});

test("another name of what cannot be renamed is refused by the engine, for each that it would replace", async () => {
    const [file = ""] = recorded.filter((each) => each.startsWith("deployed-prod."));
    const { settings } = stackOf(file);
    const renamed = { ...settings, aws: { ...fields(at(settings, "aws")), name: "another" } };
    await expect(replayed(file, renamed, (stack) => stack.steps())).rejects.toThrow(
        /unable to replace resource "[^"]*\$aws:s3\/bucket:Bucket::aws-bucket"\s+as it is currently marked for protection/,
    );
});
