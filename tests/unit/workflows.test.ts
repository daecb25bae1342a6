/** Rules that GitHub does not enforce. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

interface Workflow {
    readonly permissions: Readonly<Record<string, string>>;
    readonly jobs: Readonly<
        Record<
            string,
            {
                readonly permissions: Readonly<Record<string, string>>;
                readonly "timeout-minutes"?: number;
                readonly steps?: Step[];
                /** Another workflow, in place of steps. */
                readonly uses?: string;
            }
        >
    >;
}
interface Step {
    readonly uses?: string;
    readonly with?: Readonly<Record<string, unknown>>;
    readonly run?: string;
    readonly name?: string;
}

const folder = ".github/workflows";

/** A step, or those of the repository's own action that it uses: they have to keep the same rules. */
function expanded(step: Step): readonly Step[] {
    if (step.uses?.startsWith("./") !== true) return [step];
    const action = parse(readFileSync(`${step.uses}/action.yml`, "utf8")) as {
        readonly runs: { readonly steps: Step[] };
    };
    return action.runs.steps.flatMap(expanded);
}

describe.each(readdirSync(folder))("%s", (file) => {
    const text = readFileSync(`${folder}/${file}`, "utf8");
    const workflow = parse(text) as Workflow;
    const jobs = Object.values(workflow.jobs);
    const steps = jobs.flatMap((job) => job.steps ?? []).flatMap(expanded);

    it("gives no right that a job does not ask for", () => {
        expect(workflow.permissions).toEqual({});
        for (const { permissions } of jobs) expect(permissions).toBeDefined();
    });

    it("takes actions by commit, and leaves no token behind", () => {
        const used = steps.flatMap(({ uses, with: options }) => (uses === undefined ? [] : [{ uses, options }]));
        for (const { uses, options } of used) {
            expect(uses).toMatch(/^(actions|aws-actions|pulumi)\/[a-z-]+@[0-9a-f]{40}$/);
            if (uses.startsWith("actions/checkout@")) expect(options).toMatchObject({ "persist-credentials": false });
            expect(Object.keys(options ?? {}).filter((name) => /secret|access-key/.test(name))).toEqual([]);
        }
    });

    it("runs none of the repository's code where it may write to the repository", () => {
        for (const { permissions, steps: own = [] } of jobs.filter((job) => job.permissions["contents"] === "write")) {
            expect(permissions).not.toHaveProperty("packages");
            expect(own.map(({ uses = "" }) => uses).filter((uses) => /checkout|^\./.test(uses))).toEqual([]);
        }
    });

    it("lets no text of others into a script, and ends in time", () => {
        for (const { run = "" } of steps) expect(run).not.toContain("${{");
        // Only the full test run may take longer: as long as CI has.
        for (const [name, job] of Object.entries(workflow.jobs)) {
            if (job.uses !== undefined) {
                expect(job.uses).toMatch(/^\.\/\.github\/workflows\//);
                continue;
            }
            expect(job["timeout-minutes"]).toBeLessThanOrEqual(file === "check.yml" && name === "test" ? 90 : 30);
        }
    });

    it("does not run code of forks with rights", () => {
        expect(text).not.toContain("pull_request_target");
    });
});
