/**
 * `make bench`: what the platform costs, each figure beside its bound, on a cluster of its own. About 20 minutes.
 * The figures of a cold `make up` (an empty cache) are those of the last one that this machine made.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { clusterInfo, stopCluster } from "../../local/cluster/cluster.ts";
import { type ClusterSpec, clusterSpec, variablesOf } from "../../local/cluster/spec.ts";
import { projectDir, timingFile } from "../../local/paths.ts";
import { clusterEnvironment } from "../../local/platform.ts";
import { run } from "../../local/process.ts";
import { consoleReport, type Step } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { measureImages } from "./images.ts";

const spec: ClusterSpec = clusterSpec("bench", { api: 28443, registry: 28000, http: 28080, https: 28444 });
const report = consoleReport();
const toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi"], report);
const env = { ...process.env, ...clusterEnvironment(spec, toolchain, "dev") };
const ownCluster = { ...process.env, ...variablesOf(spec) };

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
};
const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const make = (target: string): Promise<string> => run("make", [target], { cwd: projectDir, env: ownCluster });
const pulumi = (...args: string[]): Promise<string> =>
    run("pulumi", [...args, "--non-interactive"], { cwd: projectDir, env });
const kubectl = (args: readonly string[], input?: string): Promise<string> => run("kubectl", args, { env, input });

const lines: string[] = [];
const row = (...cells: (string | number)[]): void => {
    lines.push(`| ${cells.map((cell) => (typeof cell === "number" ? cell.toFixed(1) : cell)).join(" | ")} |`);
};
const table = (title: string, ...head: string[]): void => {
    lines.push("", `## ${title}`, "");
    row(...head);
    row(...head.map(() => "---"));
};

/** Kubernetes objects as the stack's state has them: what was applied, with secrets in clear. */
async function objectsOfStack(): Promise<readonly Applied[]> {
    const text = await pulumi("stack", "export", "--show-secrets");
    const { deployment } = JSON.parse(text) as { deployment: { resources: readonly StateEntry[] } };
    return deployment.resources
        .filter(({ type }) => type.startsWith("kubernetes:"))
        .map(({ inputs }) => plain(inputs) as Applied);
}
interface StateEntry {
    readonly type: string;
    readonly inputs?: unknown;
}
interface Applied {
    readonly kind: string;
    readonly metadata: { readonly name: string };
}

/** The state wraps a secret as {signature, plaintext: JSON}. */
function plain(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    if ("plaintext" in value && typeof value.plaintext === "string") return plain(JSON.parse(value.plaintext));
    return Object.fromEntries(
        Object.entries(value)
            .filter(([key]) => key !== "__fieldManager" && key !== "__initialApiVersion")
            .map(([key, inner]) => [key, plain(inner)]),
    );
}

const namespace = "orcheo";
/** The bound: the same objects, all at once, and waiting until what they describe is there. */
async function applyAndWait(objects: readonly Applied[]): Promise<void> {
    const isNamespace = ({ kind }: Applied): boolean => kind === "Namespace";
    for (const items of [objects.filter(isNamespace), objects.filter((each) => !isNamespace(each))])
        await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const wait = (what: string, kind: string): Promise<string> =>
        kubectl(["--namespace", namespace, "wait", `--for=${what}`, kind, "--all", "--timeout=300s"]);
    await wait("condition=Complete", "jobs");
    await Promise.all([
        wait("condition=Available", "deployments"),
        wait("jsonpath={.status.readyReplicas}=1", "statefulsets"),
        wait("condition=Ready", "certificates"),
    ]);
}

async function removeAll(): Promise<void> {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=true", "--timeout=180s"]);
    // The volumes' folders go a moment after their claims.
    await sleep(3000);
}

async function removeStack(): Promise<void> {
    await pulumi("state", "unprotect", "--all", "--yes");
    await pulumi("destroy", "--yes");
    await removeAll();
}

function tellSteps(title: string, kind: "cold" | "warm"): void {
    const file = timingFile(kind);
    if (!existsSync(file)) {
        lines.push("", `No ${kind} \`make up\` has been recorded on this machine.`);
        return;
    }
    const told = JSON.parse(readFileSync(file, "utf8")) as { at: string; seconds: number; steps: readonly Step[] };
    table(`${title}: ${told.seconds} s (${told.at})`, "step", "s");
    for (const step of told.steps.filter((each) => each.seconds >= 2).sort((a, b) => b.seconds - a.seconds))
        row(step.name, step.seconds);
}

try {
    await stopCluster(spec, report, { deleteData: true });

    table("From `make up` to the first 200", "case", "s", "aim");
    row(
        "new cluster, toolchain built",
        await report.step("make up, new cluster", undefined, () => seconds(() => make("up"))),
        "",
    );
    tellSteps("Where it went", "warm");
    await make("down");
    const warm = await report.step("make up, stopped cluster", undefined, () => seconds(() => make("up")));
    const running = await report.step("make up, running", undefined, () => seconds(() => make("up")));
    table("Again", "case", "s", "aim");
    row("stopped cluster, nothing to build", warm, "<= 90");
    row("running already", running, "");

    const repeat = async (name: string, work: () => Promise<unknown>): Promise<number> => {
        const measured: number[] = [];
        for (let n = 0; n < 3; n++) measured.push(await report.step(name, undefined, () => seconds(work)));
        return median(measured);
    };
    table("Nothing to change (median of 3)", "command", "s", "aim");
    row("pulumi preview, with the policy pack", await repeat("preview", () => pulumi("preview")), "<= 10");
    const bare = { ...env, PULUMI_OPTION_POLICY_PACK: "" };
    row(
        "pulumi preview, without",
        await repeat("preview without pack", () =>
            run("pulumi", ["preview", "--non-interactive"], { cwd: projectDir, env: bare }),
        ),
        "",
    );
    row("pulumi up, with the policy pack", await repeat("up", () => pulumi("up", "--yes")), "");

    const objects = await objectsOfStack();
    await removeStack();
    const bounds: number[] = [];
    const ups: number[] = [];
    for (let round = 0; round < 2; round++) {
        bounds.push(await report.step("kubectl apply and wait", undefined, () => seconds(() => applyAndWait(objects))));
        await removeAll();
        ups.push(await report.step("pulumi up", undefined, () => seconds(() => pulumi("up", "--yes"))));
        await removeStack();
    }
    const [bound, up] = [Math.min(...bounds), Math.min(...ups)];
    table("The whole stack from nothing (images there; best of 2, by turns)", "how", "s", "times the bound", "aim");
    row("kubectl apply of the same objects, until ready", bound, 1, "");
    row("pulumi up, preview and policy pack included", up, up / bound, "<= 1.3");

    lines.push(...(await measureImages(spec, toolchain, report)));
    tellSteps("The last cold `make up` of this machine", "cold");
    process.stdout.write(
        `\n# ${clusterInfo(spec).context}: figures\n${lines.join("\n")}\n\n## The policy pack alone\n\n`,
    );
    const pack = spawnSync(process.execPath, ["tests/verdicts/bench.ts"], { cwd: projectDir, env, stdio: "inherit" });
    process.exitCode = pack.status ?? 1;
} finally {
    await stopCluster(spec, report, { deleteData: true });
}
