/** A stack whose state is in S3, its secrets encrypted by KMS: set up as docs/aws.md says, then what both workflows run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { pulumiDir } from "../../../local/platform.ts";
import { run } from "../../../local/process.ts";
import { linkPlugins, readStackFile } from "../../../local/pulumi.ts";
import { merge, type Settings, settingsOf } from "../../../local/settings.ts";
import { copyCheckout } from "../../local/checkout.ts";
import { at } from "../orcheo.ts";
import { block } from "../docs.ts";
import { type Aws, startAws } from "./aws.ts";
import {
    artifacts,
    attemptIn,
    env,
    kube,
    NAMESPACE,
    type Outcome,
    pulumi,
    putSettings,
    spec,
    STACK,
    toolchain,
} from "./harness.ts";

const PORT = 26566;
const ACCOUNT = "111122223333";
const object = `s3://orcheo-state-${ACCOUNT}/.pulumi/stacks/orcheo/${STACK}.json`;

export function stateOnAws(): void {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-checkout-"));
    const checkout = join(folder, "orcheo");
    const configFile = join(checkout, `Pulumi.${STACK}.yaml`);
    let aws: Aws;
    let settings: Settings;
    let token = "";

    /** As a runner of GitHub's does it: in a checkout, by bash, with these variables. */
    const inCheckout = (script: string): Promise<Outcome> =>
        attemptIn(checkout, "bash", ["-eo", "pipefail", "-c", script], {
            ...aws.env,
            ACCOUNT,
            PULUMI_STACK: STACK,
            RUNNER_TEMP: folder,
            GITHUB_OUTPUT: join(folder, "output"),
            GITHUB_STEP_SUMMARY: join(folder, "summary"),
        });
    const ran = async (script: string): Promise<string> => {
        const { code, output } = await inCheckout(script);
        expect(code, output.slice(-3000)).toBe(0);
        return output;
    };
    const said = (name: "output" | "summary"): string => readFileSync(join(folder, name), "utf8");

    beforeAll(async () => {
        await copyCheckout(checkout);
        linkPlugins(folder, toolchain);
        // Nothing of the embedded cluster's own way to run Pulumi.
        const { KUBECONFIG, BUILDX_CONFIG, PATH } = env;
        const plugins = {
            PULUMI_HOME: join(folder, "home"),
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
        };
        aws = await startAws(PORT, "eu-central-1", join(artifacts, "moto.log"), {
            HOME: process.env.HOME,
            ...{ KUBECONFIG, BUILDX_CONFIG, PATH, ...plugins },
        });
        const file = join(pulumiDir(spec), `Pulumi.${STACK}.yaml`);
        settings = settingsOf(readStackFile(file), file);
        writeFileSync(configFile, stringify({ config: { "orcheo:stack": settings } }));
    });

    afterAll(() => {
        aws.server.kill();
        rmSync(folder, { recursive: true, force: true });
    });

    test("the state moves into the bucket; what is secret there, KMS has encrypted", async () => {
        await ran(block("aws.md", "aws s3api create-bucket"));
        const init = block("aws.md", "npm ci")
            .split("\n")
            .find((line) => line.startsWith("pulumi stack init"));
        await ran(String(init).replace(" prod ", ` ${STACK} `));
        const { code, output } = await pulumi("stack", "export", "--file", join(checkout, "state.json"));
        expect(code, output).toBe(0);
        const passphrase = join(pulumiDir(spec), "passphrase");
        await ran(
            `export PULUMI_CONFIG_PASSPHRASE_FILE=${passphrase}\n${block("drift-and-previews.md", "pulumi stack import")}`,
        );
        rmSync(join(checkout, "state.json"));
        const stored: unknown = JSON.parse(await ran(`aws s3 cp ${object} -`));
        expect(at(stored, "checkpoint", "latest", "secrets_providers")).toMatchObject({
            type: "cloud",
            state: { url: "awskms://alias/orcheo-pulumi?region=eu-central-1" },
        });
        const tellToken = await pulumi("stack", "output", "bootstrapToken");
        token = await run("bash", ["-c", tellToken.output], { env });
        expect(token).toMatch(/^\S{32,}$/);
        expect(JSON.stringify(stored)).toContain("ciphertext");
        expect(JSON.stringify(stored)).not.toContain(token);
    });

    test("a pull request's comment says what it would change, and nothing does yet", async () => {
        const plan = join(folder, "plan.json");
        await ran(`export PLAN=${plan}\nbash .github/preview.sh`);
        expect(said("output")).toContain(`Preview of \`${STACK}\`: passed`);
        expect(said("output")).toMatch(/^Nothing changes; \d+ unchanged\.$/m);
        expect(said("output")).toMatch(/^changes=0$/m);
        const [, sha256 = ""] = /^plan-sha256=(\w+)$/m.exec(said("output")) ?? [];
        expect(readFileSync(plan, "utf8")).toContain("ciphertext");
        expect(readFileSync(plan, "utf8")).not.toContain(token);
        rmSync(join(folder, "output"));
        const deploy = (of: string): Promise<Outcome> =>
            inCheckout(`export PLAN=${plan} PLAN_SHA256=${of}\nbash .github/deploy.sh`);
        const approved = await deploy(sha256);
        expect(approved.code, approved.output.slice(-3000)).toBe(0);
        putSettings(configFile, merge(settings, { api: { scaling: { maxReplicas: 5 } } }));
        await ran("bash .github/preview.sh");
        expect(said("output")).toContain(
            "- **update** `kubernetes:autoscaling/v2:HorizontalPodAutoscaler api-autoscaler`",
        );
        expect(said("output")).toMatch(/`spec\.maxReplicas`: `\d` becomes `5`/);
        expect(said("output")).not.toContain(token);
        // What was approved is not what this commit would do.
        const other = await deploy(sha256);
        expect(other.code).not.toBe(0);
        expect(other.output).toContain("violates plan");
        expect((await deploy(`${sha256.slice(1)}0`)).output).toContain("is not the plan that was approved");
        const most = await kube("get", "hpa", "-o", "jsonpath={.items[*].spec.maxReplicas}");
        expect(most.split(" ")).not.toContain("5");
        putSettings(configFile, settings);
        rmSync(join(folder, "summary"));
    });

    test("the daily look finds what was changed by hand, and writes nothing", async () => {
        const look = "bash .github/drift.sh";
        await ran(look);
        expect(said("summary")).toContain("Nothing was changed by hand.");
        rmSync(join(folder, "summary"));
        const before = await ran(
            `aws s3api list-object-versions --bucket orcheo-state-${ACCOUNT} --query 'length(Versions)'`,
        );
        const scale = (replicas: string) => kube("scale", "deployment/worker", `--replicas=${replicas}`);
        const replicas = await kube("get", "deployment", "worker", "-o", "jsonpath={.spec.replicas}");
        await scale("2");
        await kube("annotate", "service", "canvas", "note=by-hand");
        const { code } = await inCheckout(look);
        await scale(replicas);
        await kube("annotate", "service", "canvas", "note-");
        expect(code).not.toBe(0);
        expect(said("summary")).toContain("Something is not as Pulumi left it:");
        expect(said("summary")).toMatch(/replicas\s*: 1 => 2/);
        expect(said("summary")).toContain(
            `Deployment ${NAMESPACE}/worker was changed outside of Pulumi: spec.replicas: 2`,
        );
        expect(said("summary")).toContain(
            `Service ${NAMESPACE}/canvas was changed outside of Pulumi: metadata.annotations.note was added (kubectl-annotate`,
        );
        expect(
            await ran(`aws s3api list-object-versions --bucket orcheo-state-${ACCOUNT} --query 'length(Versions)'`),
        ).toBe(before);
    });
}
