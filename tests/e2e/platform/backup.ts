/** Backups to an S3 store in the cluster, what keeps one from being made, and the way back by the runbook. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { run } from "../../../local/process.ts";
import { merge, type Settings } from "../../../local/settings.ts";
import { answerOf, ask, at, createWorkflow, dispatch, ended } from "../orcheo.ts";
import {
    answerAgain,
    artifacts,
    attempt,
    caller,
    current,
    env,
    eventually,
    exec,
    kube,
    type Outcome,
    up,
} from "./harness.ts";
import { limitedRuns, startLimitedRuns } from "./limits.ts";
import {
    backupToStore,
    BUCKET,
    endpoint,
    type Keys,
    kmsKeyId,
    labels,
    startStore,
    STORE,
    type Store,
    useKeys,
} from "./object-store.ts";
import { blocks } from "./runbooks.ts";

const bin = join(artifacts, "bin");
/** `aws` on the PATH, as an operator has it: here it runs where the store is. */
function operatorsCli({ id, secret }: Keys): void {
    const words = ["kubectl", "--namespace", STORE, "exec", "deployment/s3", "--", "env"];
    mkdirSync(bin, { recursive: true });
    writeFileSync(
        join(bin, "aws"),
        `#!/bin/sh\nexec ${words.join(" ")} AWS_ACCESS_KEY_ID=${id} AWS_SECRET_ACCESS_KEY=${secret} aws "$@"\n`,
        { mode: 0o700 },
    );
}

const bash = (script: string): Promise<Outcome> =>
    attempt("bash", ["-c", `set -euo pipefail\n${script}`], { ...env, PATH: `${bin}:${env.PATH ?? ""}` });
async function aws(...words: string[]): Promise<unknown> {
    const { code, output } = await bash(`aws ${words.join(" ")} --output json`);
    if (code !== 0) throw new Error(output);
    return output.trim() === "" ? undefined : (JSON.parse(output) as unknown);
}
/** Whatever the store holds, in whichever state. */
const stored = async (): Promise<unknown> => [
    await aws("s3api", "list-object-versions", "--bucket", BUCKET, "--query", "'Versions[].Key'"),
    await aws("s3api", "list-multipart-uploads", "--bucket", BUCKET, "--query", "'Uploads[].Key'"),
];

const sql = async (statement: string): Promise<string> => {
    const words = ["psql", "-h", "/tmp", "-U", "postgres", "-d", "orcheo", "-v", "ON_ERROR_STOP=1", "-Atc", statement];
    const { code, output } = await exec("postgres-0", ...words);
    if (code !== 0) throw new Error(output);
    return output.trim();
};

/** What the last container of the Job said, once it has ended. */
async function saidBy(job: string): Promise<{ failed: boolean; said: string }> {
    const look = (): Promise<string> =>
        kube("get", job, "-o", "jsonpath={.status.succeeded}/{.status.failed}/{.status.uncountedTerminatedPods}");
    const status = await eventually(120, look, (seen) => /^[1-9]\/|^\d*\/[1-9]/.test(seen));
    return { failed: !status.startsWith("1/"), said: await logOf(job) };
}

const logOf = (job: string): Promise<string> => {
    const name = job.slice(job.indexOf("/") + 1);
    return kube("logs", "--selector", `batch.kubernetes.io/job-name=${name}`, "--tail=-1");
};

/** The commands of some sections of the runbook, in this order. */
const commands = (...sections: readonly string[]): string =>
    sections
        .map((section) => {
            const found = blocks("restore-backup.md", (text) => text.startsWith(section));
            if (found.length === 0) throw new Error(`the runbook has no commands in "${section}"`);
            return found.join("");
        })
        .join("");

export function backup(): void {
    let store: Store;
    let outputs: Settings;
    let runId: string;
    let key: string;

    const command = (name: string): string => String(at(outputs, "backups", name));
    const start = async (): Promise<string> => {
        const { code, output } = await bash(command("now"));
        expect(code, output).toBe(0);
        return output.trim().replace(/^(job)\.batch\/(\S+) created$/, "$1/$2");
    };

    beforeAll(async () => {
        const settings: Settings = {
            backup: backupToStore,
            pods: { backup: { extraEnv: { BACKUP_PART_MIB: "5" } } },
        };
        [store, outputs] = await Promise.all([startStore(), up(merge(current(), settings))]);
        operatorsCli(store.operator);
        await useKeys(store.backup);
        const workflow = await createWorkflow(caller(), "0.33", "e2e-backup");
        runId = await dispatch(caller(), workflow);
        const done = await ended(caller(), runId);
        expect(answerOf(done), JSON.stringify(done)).toBe(42);
        const credential = { name: "e2e", provider: "e2e", secret: "to be decrypted", access: "shared" };
        expect((await ask(caller(), "POST", "/api/credentials", credential)).status).toBe(201);
        // More than a part.
        await sql(
            "set role orcheo; create table ballast as select md5(random()::text || i) from generate_series(1, 500000) i",
        );
    });

    test("one by hand is whole, encrypted, and what its line in the log says", async () => {
        const { failed, said } = await saidBy(await start());
        expect(failed, said).toBe(false);
        const line = JSON.parse(said) as Record<string, unknown>;
        expect(line).toMatchObject({ level: "INFO", message: "backup complete", bucket: BUCKET });
        expect(line.parts).toBeGreaterThan(1);
        expect(await sql("select bytes from orcheo_deploy.last_backup")).toContain(String(line.bytes));
        key = String(line.key);
        expect(key).toMatch(/^backups\/orcheo\/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.dump$/);
        const object = ["--bucket", BUCKET, "--key", key];
        expect(await aws("s3api", "head-object", ...object)).toMatchObject({
            ContentLength: line.bytes,
            VersionId: line.version,
            ServerSideEncryption: "aws:kms",
            SSEKMSKeyId: kmsKeyId,
        });
        const { output } = await bash(`aws s3 cp s3://${BUCKET}/${key} - | sha256sum`);
        expect(output).toBe(`${String(line.sha256)}  -\n`);
        expect(await stored()).toEqual([[key, `${key}.json`], null]);
        const fresh = await eventually(
            30,
            () => bash(command("fresh")),
            ({ code }) => code === 0,
        );
        expect(fresh.output).toMatch(/^last good backup: 20\d\d-/);
        expect(fresh.code).toBe(0);
        // Not before: the runs would come back with this backup.
        await startLimitedRuns();
    });

    test("its keys write, and neither read nor delete", async () => {
        operatorsCli(store.backup);
        const object = `s3://${BUCKET}/${key}`;
        for (const forbidden of [`aws s3 cp ${object} -`, `aws s3 rm ${object}`, `aws s3 ls s3://${BUCKET}`]) {
            const { code, output } = await bash(forbidden);
            expect(code, forbidden).not.toBe(0);
            expect(output).toMatch(/AccessDenied|Forbidden/);
        }
        operatorsCli(store.operator);
    });

    test.each<[string, () => Promise<unknown>, () => Promise<unknown>, RegExp]>([
        [
            "wrong keys",
            () => useKeys({ id: "AKIAWRONG", secret: "wrong" }),
            () => useKeys(store.backup),
            /no backup was made: s3:\/\/orcheo-data\/.*InvalidAccessKeyId/,
        ],
        [
            "a store that is away",
            () => endpoint({ app: "nobody" }),
            () => endpoint(labels),
            /no backup was made: s3:\/\/orcheo-data\/.*Could not connect to the endpoint URL/,
        ],
        [
            "a table that cannot be read, in the middle of the dump",
            () =>
                sql(
                    "set role orcheo; create table zz (i int); alter table zz enable row level security, force row level security",
                ),
            () => sql("drop table zz"),
            /no backup was made: pg_dump ended with 1: .*row-level security policy for table \\"zz\\"/,
        ],
    ])("%s: the Job fails with the reason, and nothing is left in the store", async (_, break_, mend, reason) => {
        const before = await stored();
        await break_();
        try {
            const job = await start();
            const { failed, said } = await saidBy(job);
            expect(said).toMatch(reason);
            expect(failed).toBe(true);
            await kube("delete", job, "--wait=false");
        } finally {
            await mend();
        }
        expect(await stored()).toEqual(before);
    });

    limitedRuns();

    test("the runbook brings back what was lost, and back again", async () => {
        await sql("drop table workflow_runs, workflow_versions cascade");
        expect((await ask(caller(), "GET", `/api/runs/${runId}`)).status).toBeGreaterThanOrEqual(400);
        const restore = ["1. Choose", "2. Stop", "3. Restore", "4. Switch"];
        const lost = `sql -d orcheo -Atc "select 'after rolling back: ' || coalesce(to_regclass('workflow_runs')::text, 'lost')"\n`;
        const script = [
            commands(...restore),
            commands("Rolling back"),
            lost,
            commands("4. Switch", "5. Start", "6. Resume"),
        ]
            .join("")
            .replaceAll("BUCKET", BUCKET)
            .replaceAll(/backups\/orcheo\/[\d-]+T[\d-]+Z\.dump/g, key);
        const { code, output } = await bash(`cd ${artifacts}\n${script}`);
        writeFileSync(join(artifacts, "restore.log"), output);
        expect(code, output.slice(-3000)).toBe(0);
        expect(output).toContain("backup.dump: OK");
        expect(output).toContain("after rolling back: lost");
        expect(output).toMatch(/the vault's key fits: [1-9]\d* credentials/);
        expect(await answerAgain(caller(), runId)).toBe(42);
        const next = await createWorkflow(caller(), "0.33", "e2e-restored");
        expect(answerOf(await ended(caller(), await dispatch(caller(), next)))).toBe(42);
        expect(await sql("select count(*) from ballast; drop table ballast")).toBe("500000\nDROP TABLE");
        await sql("drop database orcheo_before");
        await run("kubectl", ["delete", "namespace", STORE, "--wait=false"], { env });
    });
}
