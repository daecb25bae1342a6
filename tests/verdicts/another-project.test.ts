/**
 * The pack in someone else's project, as docs/policies.md says: the folder is copied and its packages installed; the project
 * has its own settings, registries and exceptions, and this checkout is out of reach. Its pull requests get our comment.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";

import { endurance } from "../e2e/endurance.ts";
import { exceptionsKey } from "../../policies/exceptions.ts";
import { nextMonth } from "../policy/cases.ts";
import { fields } from "../../policies/values.ts";
import { compliant, mutated, mutations, templateOf, tokenOf, type Mutation } from "../policy/pods.ts";
import { environment, previewIn, pulumi, type EngineRun } from "./engine.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

let folder: string;
let shop: string;
let env: NodeJS.ProcessEnv;

function mutationOf(rule: string): Mutation {
    const mutation = mutations.find((each) => each.rule === rule);
    if (mutation === undefined) throw new Error(`nothing breaks ${rule}`);
    return mutation;
}

/** A Deployment that breaks one rule. */
function breaking(rule: string, name: string): object {
    const manifest = mutated(mutationOf(rule), "Deployment", name);
    return { type: tokenOf(manifest), name, props: manifest };
}

const dataBucket = (tags: object): object => ({
    type: "aws:s3/bucket:Bucket",
    name: "data",
    props: { bucket: "shop-data", tags: { Project: "shop", Environment: "dev", ...tags } },
});
const satellite = (kind: string, props: object): object => ({
    type: `aws:s3/${kind.charAt(0).toLowerCase()}${kind.slice(1)}:${kind}`,
    name: "data",
    props: { bucket: "shop-data", ...props },
});
const satellites = [
    satellite("BucketVersioning", { versioningConfiguration: { status: "Enabled" } }),
    satellite("BucketServerSideEncryptionConfiguration", {
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" } }],
    }),
    satellite("BucketPublicAccessBlock", {
        ...{ blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    }),
    satellite("BucketPolicy", {
        policy: JSON.stringify({
            Statement: [
                {
                    ...{
                        Effect: "Deny",
                        Principal: "*",
                        Action: "s3:*",
                        Resource: ["arn:aws:s3:::shop-data", "arn:aws:s3:::shop-data/*"],
                    },
                    Condition: { Bool: { "aws:SecureTransport": "false" } },
                },
            ],
        }),
    }),
];

// The day stands in YAML as a person writes it, without quotes.
const exceptions = (expires = nextMonth): string =>
    `config:\n  ${exceptionsKey}:\n    - rule: no-host-path\n      resource: Deployment::web\n` +
    `      reason: reads the node's own metrics\n      expires: ${expires}\n`;

/** Options that the TypeScript in Pulumi's own runner does not know. */
const modern = JSON.stringify({
    compilerOptions: { target: "ES2022", module: "nodenext", moduleResolution: "nodenext", strict: true },
});

async function registers(...resources: readonly object[]): Promise<void> {
    await writeFile(join(folder, "fixtures.json"), JSON.stringify(resources));
}

const packed = ["--policy-pack", "policies", "--policy-pack-config", "policy-settings.json"];
const preview = (...flags: string[]): Promise<EngineRun> =>
    previewIn(shop, ["--stack", "dev", ...packed, ...flags], env, join(folder, "events.json"));
const told = ({ violations }: EngineRun): readonly string[] =>
    violations.map(({ rule, resource }) => `${rule} ${resource}`.trim());

beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "orcheo-shop-"));
    shop = join(folder, "shop");
    await mkdir(join(folder, "state"));
    env = { ...environment(join(folder, "state")), FIXTURES: join(folder, "fixtures.json") };
    await cp(join(root, "policies"), join(shop, "policies"), {
        recursive: true,
        filter: (path) => !path.includes("node_modules"),
    });
    await run("npm", ["install", "--prefix", "policies", "--no-audit", "--no-fund"], { cwd: shop });
    // The program of this project needs no other package than the pack.
    await symlink(join("policies", "node_modules"), join(shop, "node_modules"));
    await cp(join(import.meta.dirname, "components", "index.mjs"), join(shop, "index.mjs"));
    await writeFile(
        join(shop, "Pulumi.yaml"),
        stringify({ name: "shop", main: "index.mjs", runtime: { name: "nodejs", options: { typescript: false } } }),
    );
    await writeFile(join(shop, "package.json"), JSON.stringify({ name: "shop", type: "module" }));
    await writeFile(join(shop, "tsconfig.json"), modern);
    await writeFile(
        join(shop, "policy-settings.json"),
        JSON.stringify({
            "image-registry": { registries: ["registry.example.com/orcheo"] },
            "required-tags": { tags: ["Team"] },
            "secrets-as-files": "advisory",
        }),
    );
    await pulumi(shop, ["stack", "init", "dev"], env);
}, 300_000);

afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
});

test("its own registries, tags and levels hold", async () => {
    await writeFile(join(shop, "Pulumi.dev.yaml"), "config: {}\n");
    await registers(breaking("image-registry", "web"), breaking("secrets-as-files", "worker"), {
        type: "aws:kms/key:Key",
        name: "untagged",
        props: { enableKeyRotation: true },
    });
    const { violations, exitCode, output } = await preview();
    expect(exitCode, output.slice(-2000)).not.toBe(0);
    expect(violations.map(({ rule, resource, level }) => [rule, resource, level]).sort()).toEqual([
        ["image-registry", "web", "mandatory"],
        ["required-tags", "untagged", "mandatory"],
        ["secrets-as-files", "worker", "advisory"],
    ]);
    expect(violations.find(({ rule }) => rule === "required-tags")?.message).toContain("has no tag Team");
});

test("the settings that docs/policies.md shows are taken", async () => {
    const docs = await readFile(join(root, "docs/policies.md"), "utf8");
    const own = join(folder, "from-the-docs.json");
    await writeFile(own, /```json\n([^]*?)```/.exec(docs)?.[1] ?? "");
    await registers(breaking("no-token-automount", "web"));
    const flags = ["--stack", "dev", "--policy-pack", "policies", "--policy-pack-config", own];
    const run = await previewIn(shop, flags, env, join(folder, "events-of-docs.json"));
    expect(run.remediated.map(({ rule }) => rule)).toEqual(["no-token-automount"]);
    // The images of its containers are from another registry than that of the docs.
    expect(new Set(told(run))).toEqual(new Set(["image-registry web"]));
});

test("a pod that calls the API is accepted once its service account is bound in the same stack", async () => {
    const name = "operator";
    const manifest = mutated(mutationOf("no-token-automount"), "Deployment", name);
    templateOf(manifest)["spec"] = { ...fields(templateOf(manifest)["spec"]), serviceAccountName: name };
    const namespace = "shop";
    const metadata = { ...manifest.metadata, name, namespace };
    const operator = { type: tokenOf(manifest), name, props: { ...manifest, metadata } };
    const binding = (subject: string): object => ({
        type: "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        name,
        props: {
            metadata: { name, namespace },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "leases" },
            subjects: [{ kind: "ServiceAccount", name: subject, namespace }],
        },
    });
    const settings = join(folder, "no-remediation.json");
    await writeFile(settings, JSON.stringify({ "references-resolve": "disabled" }));
    const evaluated = async (...resources: readonly object[]): Promise<readonly string[]> => {
        await registers(...resources);
        const flags = ["--stack", "dev", "--policy-pack", "policies", "--policy-pack-config", settings];
        return told(await previewIn(shop, flags, env, join(folder, "events-of-tokens.json")));
    };
    expect(await evaluated(operator)).toEqual([`no-token-automount ${name}`]);
    expect(await evaluated(operator, binding("another"))).toEqual([`no-token-automount ${name}`]);
    expect(await evaluated(operator, binding(name))).toEqual([]);
});

test("exceptions in Pulumi.<stack>.yaml hold", async () => {
    await registers(breaking("no-host-path", "web"));
    await writeFile(join(shop, "Pulumi.dev.yaml"), "config: {}\n");
    expect(told(await preview())).toEqual(["no-host-path web"]);
    await writeFile(join(shop, "Pulumi.dev.yaml"), exceptions());
    const excepted = await preview();
    expect(told(excepted)).toEqual([]);
    expect(excepted.exitCode).toBe(0);
});

test("exceptions hold whichever file the config comes from", async () => {
    await registers(breaking("no-host-path", "web"));
    await writeFile(join(shop, "Pulumi.dev.yaml"), "config: {}\n");
    await writeFile(join(folder, "other.yaml"), exceptions());
    expect(told(await preview("--config-file", join(folder, "other.yaml")))).toEqual([]);
    await writeFile(join(folder, "other.yaml"), exceptions("2020-01-31"));
    const expired = await preview("--config-file", join(folder, "other.yaml"));
    expect(told(expired)).toContain("no-host-path web");
});

/** What .github/preview.sh would write into the pull request. */
async function comment(): Promise<string> {
    const output = join(folder, "output");
    await writeFile(output, "");
    const workflow = { RUNNER_TEMP: folder, GITHUB_OUTPUT: output, PULUMI_STACK: "dev" };
    await run("bash", [join(root, ".github/preview.sh")], { cwd: shop, env: { ...env, ...workflow } });
    return readFile(output, "utf8");
}

test("a pull request's comment knows the exceptions, and what does not change", async () => {
    await writeFile(join(shop, "Pulumi.dev.yaml"), exceptions());
    await registers(breaking("no-host-path", "web"), dataBucket({}), ...satellites);
    const { code, output } = await pulumi(shop, ["up", "--stack", "dev", "--yes", "--skip-preview"], env);
    expect(code, output).toBe(0);
    // Only the bucket's tags change; its encryption and the rest stay as they are.
    await registers(breaking("no-host-path", "web"), dataBucket({ Team: "shop" }), ...satellites);
    const said = await comment();
    expect(said).toContain("### Preview of `dev`: passed");
    expect(said).toContain("- **update** `aws:s3/bucket:Bucket data`");
    expect(said).toContain("`tags.Team`");
    expect(said).not.toContain("BucketVersioning data`");
    expect(said).toContain("Nothing breaks a rule.");
    await writeFile(join(shop, "Pulumi.dev.yaml"), "config: {}\n");
    await expect(comment()).rejects.toThrow("preview.sh");
    expect(await readFile(join(folder, "output"), "utf8")).toMatch(/- \*\*mandatory\*\* \[no-host-path\]\(.*\bweb\b/);
});

const installers: [string, string[]][] = [["npm", ["npm", "install", "--no-audit", "--no-fund", "--save-dev"]]];
if (endurance)
    installers.push(
        ["pnpm", ["npx", "-y", "pnpm@10.24.0", "add", "-D"]],
        ["yarn", ["npx", "-y", "yarn@1.22.22", "add", "-D"]],
        ["yarn-4", ["npx", "-y", "@yarnpkg/cli-dist@4.18.1", "add", "-D"]],
    );
test.each(installers)(
    "the package, installed by %s into a project of modern TypeScript, starts and reports",
    async (name, install) => {
        const project = join(folder, name);
        await mkdir(join(project, "state"), { recursive: true });
        await run("npm", ["pack", "--ignore-scripts=false", "--pack-destination", project], {
            cwd: join(root, "policies"),
        });
        await cp(join(shop, "index.mjs"), join(project, "index.mjs"));
        await cp(join(shop, "Pulumi.yaml"), join(project, "Pulumi.yaml"));
        await writeFile(join(project, "tsconfig.json"), modern);
        const own = { name, type: "module", dependencies: { "@pulumi/pulumi": "3.256.0" } };
        await writeFile(join(project, "package.json"), JSON.stringify(own));
        // As docs/policies.md says; the other package managers ignore the file.
        await writeFile(join(project, ".yarnrc.yml"), "nodeLinker: node-modules\n");
        const [command = "", ...words] = install;
        // Yarn 4 reads neither .npmrc nor npm's variables.
        const { stdout: registry } = await run("npm", ["config", "get", "registry"], { cwd: project });
        const mirror = { YARN_NPM_REGISTRY_SERVER: registry.trim().replace(/\/$/, ""), YARN_ENABLE_TELEMETRY: "0" };
        await run(command, [...words, join(project, "orcheo-policies-0.1.0.tgz")], {
            cwd: project,
            env: { ...process.env, ...mirror },
        });
        await registers(breaking("no-host-path", "web"));
        const ofProject = { ...env, ...environment(join(project, "state")), FIXTURES: join(folder, "fixtures.json") };
        await pulumi(project, ["stack", "init", "dev"], ofProject);
        const flags = ["--stack", "dev", "--policy-pack", "node_modules/orcheo-policies"];
        expect(told(await previewIn(project, flags, ofProject, join(project, "events.json")))).toEqual([
            "no-host-path web",
        ]);
        await writeFile(join(project, "pod.json"), JSON.stringify(compliant("Pod")));
        const { stdout } = await run("npx", ["orcheo-policies", "pod.json"], { cwd: project });
        expect(stdout).toContain("1 resources evaluated: 0 mandatory and 0 advisory violations");
    },
    600_000,
);
