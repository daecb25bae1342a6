/**
 * The workflows of the stack from event to end: act runs each job's steps as they are written, on this machine. Pulumi, the policy pack and the
 * scripts are the real ones, the stack is the one file of stack/. The actions of others are those of actions/, which refuse what they do not know.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { run } from "../../local/process.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { tools } from "../../local/toolchain/tools.ts";
import { GitHub } from "../local/github.ts";
import { Act, ours } from "./run-act.ts";

const token = "planted-token-77ab";
const role = "arn:aws:iam::111122223333:role/orcheo-watch";
let workflows: Act;
let github: GitHub;
let greeting: string;
let artefacts: string;
let variables: Readonly<Record<string, string>>;

/** Commits settings of the stack with this greeting. */
async function commit(content: string): Promise<void> {
    const file = join(workflows.repository, "Pulumi.prod.yaml");
    const { encryptionsalt } = parse(readFileSync(file, "utf8")) as { encryptionsalt: string };
    writeFileSync(file, stringify({ encryptionsalt, config: { "files:greeting": { path: greeting, content } } }));
    await workflows.commit(content);
}

beforeAll(async () => {
    const names = ["act", "pulumi", "pulumi-language-nodejs"];
    const table = tools.filter(({ name }) => names.includes(name));
    const toolchain = await ensureToolchain(["workflows", "pulumi"], consoleReport(), { table });
    github = await GitHub.start(token);
    workflows = await Act.start(toolchain, github, token);
    const { env, folder, repository } = workflows;
    artefacts = workflows.artefacts;
    greeting = join(folder, "greeting.txt");
    // As docs/drift-and-previews.md lists them. The state is in a folder: S3 and KMS take part in tests/e2e/platform/state-on-aws.ts.
    variables = {
        PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
        PULUMI_STACK: "prod",
        AWS_ROLE_ARN: role,
        AWS_REGION: "eu-central-1",
        EKS_CLUSTER: "orcheo",
        KUBE_CONTEXT: "orcheo-prod",
        DEPLOY_ENVIRONMENTS: '["staging","production"]',
    };
    Object.assign(env, {
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
    });
    mkdirSync(join(folder, "state"));
    cpSync(join(import.meta.dirname, "stack", "Pulumi.yaml"), join(repository, "Pulumi.yaml"));
    rmSync(join(repository, "Pulumi.prod.yaml"));
    const own = { ...env, PATH: `${toolchain.path}${delimiter}${env.PATH ?? ""}` };
    await run(toolchain.bin("pulumi"), ["stack", "init", "prod", "--non-interactive"], {
        cwd: repository,
        env: { ...own, PULUMI_BACKEND_URL: variables.PULUMI_BACKEND_URL },
    });
    await commit("good morning");
});

beforeEach(() => {
    github.comments = [];
    rmSync(artefacts, { recursive: true, force: true });
});

afterAll(() => {
    workflows.end();
});

/** What act says of a workflow that an event starts, and whether its jobs succeeded. */
const act = (
    event: string,
    workflow: string,
    payload: object,
    changed: Readonly<Record<string, string>> = {},
): Promise<{ succeeded: boolean; output: string }> =>
    workflows.run(event, workflow, payload, { ...variables, ...changed }, changed);

const push = { ref: "refs/heads/main" };
const pullRequest = (head: string): object => ({
    number: 7,
    pull_request: { number: 7, head: { ref: "change", repo: { full_name: head } }, base: { ref: "main" } },
});

const said = (): string[] => github.comments.map(({ body }) => body);
const applied = "Success - Main Apply the approved plan";

test("a merge is deployed by its plan, once: a second environment that has nothing to do is left alone", async () => {
    const { succeeded, output } = await act("push", "deploy", push);
    expect(succeeded, output).toBe(true);
    expect(readFileSync(greeting, "utf8")).toBe("good morning");
    const review = readFileSync(join(artefacts, "plan-staging", "preview.md"), "utf8");
    expect(review).toContain("- **create** `files:index:File greeting`");
    expect(output).toContain("artefact `plan-staging` of [this run](https://github.com/o/r/actions/runs/");
    expect(readFileSync(join(artefacts, "plan-production", "preview.md"), "utf8")).toContain(
        "Nothing changes; 2 unchanged.",
    );
    expect(output.split(applied)).toHaveLength(2);
});

test("nothing is deployed of a public repository, whose artefacts are everyone's", async () => {
    await commit("good evening");
    const { succeeded, output } = await act("push", "deploy", { ...push, repository: { ...ours, private: false } });
    expect(succeeded, output).toBe(true);
    expect(readFileSync(greeting, "utf8")).toBe("good morning");
    expect(existsSync(artefacts)).toBe(false);
});

test("a pull request has one comment on what it changes, written anew after the next commit", async () => {
    await commit("good afternoon");
    const first = await act("pull_request", "preview", pullRequest("o/r"));
    expect(first.succeeded, first.output).toBe(true);
    expect(said()).toEqual([expect.stringContaining("### Preview of `prod`: passed")]);
    expect(said()[0]).toContain("- **update** `files:index:File greeting`");
    expect(said()[0]).toContain("`content`: `good morning` becomes `good afternoon`");
    expect(said()[0]).toContain("artefact `preview` of [this run](https://github.com/o/r/actions/runs/");
    expect(existsSync(join(artefacts, "preview", "preview.md"))).toBe(true);

    await commit("good night");
    const second = await act("pull_request", "preview", pullRequest("o/r"));
    expect(second.succeeded, second.output).toBe(true);
    expect(said()).toEqual([expect.stringContaining("`content`: `good morning` becomes `good night`")]);
    expect(readFileSync(greeting, "utf8")).toBe("good morning");
});

test("a pull request that cannot be previewed fails, and its comment says why", async () => {
    const { succeeded, output } = await act("pull_request", "preview", pullRequest("o/r"), { PULUMI_STACK: "gone" });
    expect(succeeded).toBe(false);
    expect(output).toContain("no stack named 'gone' found");
    expect(said()).toEqual([expect.stringContaining("### Preview of `gone`: failed")]);
});

test("nothing runs for a pull request of a fork", async () => {
    const { succeeded, output } = await act("pull_request", "preview", pullRequest("somebody/r"));
    expect(succeeded, output).toBe(true);
    expect(output).not.toContain("Run Main");
    expect(said()).toEqual([]);
});

test("a plan that is not the one that was planned changes nothing", async () => {
    const exchanged = { DEPLOY_ENVIRONMENTS: '["production"]', TEST_EXCHANGED: "plan-production" };
    const { succeeded, output } = await act("push", "deploy", push, exchanged);
    expect(succeeded).toBe(false);
    expect(output).toContain("is not the plan that was approved");
    expect(readFileSync(greeting, "utf8")).toBe("good morning");
});

test("the daily run passes while nothing is changed by hand, and names what was", async () => {
    expect((await act("push", "deploy", push)).succeeded).toBe(true);
    const undisturbed = await act("schedule", "drift", {});
    expect(undisturbed.succeeded, undisturbed.output).toBe(true);
    expect(undisturbed.output).toContain("Nothing was changed by hand.");
    writeFileSync(greeting, "bad news");
    const disturbed = await act("schedule", "drift", {});
    expect(disturbed.succeeded).toBe(false);
    expect(disturbed.output).toContain("Something is not as Pulumi left it:");
    expect(disturbed.output).toMatch(/content *: "good night" => "bad news"/);
    expect(readFileSync(greeting, "utf8")).toBe("bad news");
});
