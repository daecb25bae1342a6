/**
 * `make faults`: 30 runs in flight while worker processes, workers, Valkey and Postgres are lost, on its own cluster;
 * prints the table of docs/reliability.md. One case: `local/run node tests/faults/main.ts 0.33 fail`.
 */
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { clusterSpec } from "../../local/cluster/spec.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { measure } from "./measure.ts";
import { type Measured, problemsIn, summary, table } from "./table.ts";

const releases = ["0.33", "0.46"];
const policies = ["fail", "restart"];

function chosen(): { readonly release: string; readonly policy: string }[] {
    const asked = process.argv.slice(2);
    const unknown = asked.filter((word) => ![...releases, ...policies].includes(word));
    if (unknown.length > 0)
        throw new Error(
            `unknown: ${unknown.join(", ")}; accepted are releases (${releases.join(", ")}) and policies (${policies.join(", ")}), none for all`,
        );
    const of = (all: readonly string[]): string[] =>
        all.filter((each) => !asked.some((word) => all.includes(word)) || asked.includes(each));
    return of(releases).flatMap((release) => of(policies).map((policy) => ({ release, policy })));
}

async function main(): Promise<boolean> {
    const cases = chosen();
    const spec = clusterSpec("faults", { api: 29443, registry: 29000, http: 29080, https: 29444 });
    const report = consoleReport();
    const toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi"], report);
    report.note(`${cases.length} cases of about 8 minutes each`);
    const measured: Measured[] = [];
    let last: string | undefined;
    await stopCluster(spec, report, { deleteData: true });
    try {
        for (const each of cases) {
            // A release cannot use the database of the other.
            if (last !== undefined && last !== each.release) await stopCluster(spec, report, { deleteData: true });
            last = each.release;
            await startCluster(spec, toolchain, report);
            const result = await measure({ spec, toolchain, report }, each);
            measured.push(result);
            report.note(summary(result));
        }
    } finally {
        await stopCluster(spec, report, { deleteData: true });
        if (measured.length > 0) process.stdout.write(`\n${table(measured)}\n`);
    }
    const problems = measured.reduce((sum, each) => sum + problemsIn(each), 0);
    const endless = measured.filter(({ seconds }) => seconds === undefined).length;
    process.stdout.write(
        problems + endless === 0
            ? "\nNo run was lost, none was executed twice at a time, and each has one final state with its reason.\n" +
                  'Next: put the table into docs/reliability.md, under "Measured".\n'
            : `\n${problems} problems; each is a line that begins with PROBLEM above.\n` +
                  "Next: read artifacts/faults/<release>-<policy>/runs.json (audit log and history of each run concerned) and worker.log;\n" +
                  "docs/reliability.md says what is promised. Then run the case alone: local/run node tests/faults/main.ts <release> <policy>\n",
    );
    return problems + endless === 0;
}

try {
    process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
    process.stderr.write(
        `\n${error instanceof Error ? error.message : String(error)}\n\n` +
            "The measurement did not come to its end; its cluster is removed. The logs are named above; run the same command again.\n",
    );
    process.exitCode = 1;
}
