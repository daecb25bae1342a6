/**
 * `make bench`: what the platform costs, each figure beside its bound, on its own cluster. About 30 minutes;
 * `local/run node tests/bench/main.ts startup imports layers changes work telemetry bound growth checkers images pack` takes the parts named.
 * The figures of a cold `make up` (an empty cache) are those of the last one that this machine made.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stopCluster } from "../../local/cluster/cluster.ts";
import { type ClusterSpec, clusterSpec, variablesOf } from "../../local/cluster/spec.ts";
import { projectDir, timingFile } from "../../local/paths.ts";
import { clusterEnvironment, deploy, pulumiDir } from "../../local/platform.ts";
import { run } from "../../local/process.ts";
import { committedFile, readStackFile } from "../../local/pulumi.ts";
import { consoleReport, type Step } from "../../local/report.ts";
import { type Settings, settingsOf } from "../../local/settings.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { median } from "../local/percentile.ts";
import { measureCheckers } from "./checkers.ts";
import { declaredTwin } from "./declared.ts";
import { measureGrowth } from "./growth.ts";
import { measureImages } from "./images.ts";
import { measureLayers } from "./layers.ts";
import { measureImports } from "./python.ts";
import { measureTelemetry } from "./telemetry.ts";
import { type Bench, entranceOf } from "./twins.ts";
import { measureWork } from "./work.ts";

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

async function removeAll(objects: readonly Applied[]): Promise<void> {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=true", "--timeout=180s"]);
    const left = objects.filter(({ kind }) => kind.startsWith("ValidatingAdmissionPolicy"));
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: left });
    await kubectl(["delete", "--ignore-not-found", "-f", "-"], list);
    // The volumes' folders go a moment after their claims.
    await sleep(3000);
}

async function removeStack(objects: readonly Applied[]): Promise<void> {
    await pulumi("state", "unprotect", "--all", "--yes");
    await pulumi("destroy", "--yes");
    await removeAll(objects);
}

interface Recorded {
    readonly at: string;
    readonly seconds: number;
    readonly steps: readonly Step[];
}
const recorded = (kind: "cold" | "warm"): Recorded | undefined =>
    existsSync(timingFile(kind)) ? (JSON.parse(readFileSync(timingFile(kind), "utf8")) as Recorded) : undefined;

function tellSteps(title: string, told: Recorded | undefined): void {
    if (told === undefined) {
        lines.push("", `${title}: none was recorded.`);
        return;
    }
    table(`${title}: ${told.seconds} s (${told.at})`, "step", "s");
    for (const step of told.steps.filter((each) => each.seconds >= 2).sort((x, y) => y.seconds - x.seconds))
        row(step.name, step.seconds);
}

/** The first `make up` of this run, on a cluster that did not exist. */
let fresh = 0;
let freshSteps: Recorded | undefined;

const timed = (name: string, work: () => Promise<unknown>): Promise<number> =>
    report.step(name, undefined, () => seconds(work));
async function startup(): Promise<void> {
    await make("down");
    const stopped = await timed("make up, stopped cluster", () => make("up"));
    const running = await timed("make up, running", () => make("up"));
    table("From `make up` to the first 200", "case", "s", "target");
    row("new cluster, toolchain built", fresh, "");
    row("stopped cluster, nothing to build", stopped, "<= 90");
    row("running already", running, "");
    tellSteps("A new cluster: where it went", freshSteps);
    tellSteps("The last cold `make up` of this machine", recorded("cold"));
}

/** Beside a program that only declares the same resources, in turn. */
async function changes(): Promise<void> {
    const twin = await declaredTwin(join(pulumiDir(spec), "state"), env);
    const pack = env["PULUMI_OPTION_POLICY_PACK"] ?? "";
    const ways = [
        { command: ["preview"], pack, target: "<= 5" },
        { command: ["preview"], pack: "", target: "" },
        { command: ["up", "--yes"], pack, target: "<= 8" },
    ];
    table(
        "An update with no changes (median of 3, in turn)",
        ...["command", "s", "a program that only declares the same resources", "times that", "target"],
    );
    try {
        for (const way of ways) {
            const name = `pulumi ${way.command.join(" ")}, ${way.pack === "" ? "without" : "with"} the policy pack`;
            const withPack = { ...env, PULUMI_OPTION_POLICY_PACK: way.pack };
            const options = ["--non-interactive", "--expect-no-changes"];
            const measured: [number, number][] = [];
            for (let round = 0; round < 3; round++)
                measured.push([
                    await timed(name, () =>
                        run("pulumi", [...way.command, ...options], { cwd: projectDir, env: withPack }),
                    ),
                    await timed(`${name}, declared`, () => twin.pulumi(way.command, way.pack)),
                ]);
            const [own, bound] = [median(measured.map(([each]) => each)), median(measured.map(([, each]) => each))];
            row(name, own, bound, (own / bound).toFixed(2), way.target);
        }
    } finally {
        twin.remove();
    }
}

/** A part that may change the stack's pods, and the update that restores them. */
async function onStack(measure: (bench: Bench) => Promise<readonly string[]>): Promise<void> {
    const url = (await pulumi("stack", "output", "url")).trim();
    const token = await run("bash", ["-c", (await pulumi("stack", "output", "bootstrapToken")).trim()], { env });
    const withLoad = await ensureToolchain(["test"], report);
    const entrance = entranceOf(spec, url, token);
    lines.push(...(await measure({ spec, toolchain: withLoad, report, kubectl, entrance })));
    await pulumi("up", "--yes");
}

/** With published images on both sides: what they have to build is told apart. */
async function boundOfUp(): Promise<void> {
    const images = JSON.parse(await pulumi("stack", "output", "images", "--json")) as Settings;
    const committed = settingsOf(readStackFile(committedFile("dev")), "dev");
    const settings = { ...committed, images: { kind: "published", ...images } };
    await deploy({ spec, toolchain, report, stack: "dev", settings });
    const objects = await objectsOfStack();
    await removeStack(objects);
    const bounds: number[] = [];
    const ups: number[] = [];
    for (let round = 0; round < 2; round++) {
        bounds.push(await timed("kubectl apply and wait", () => applyAndWait(objects)));
        await removeAll(objects);
        ups.push(await timed("pulumi up", () => pulumi("up", "--yes")));
        await removeStack(objects);
    }
    const [bound, up] = [Math.min(...bounds), Math.min(...ups)];
    table("The whole stack against its lower bound (best of 2, alternating)", "how", "s", "times the bound", "target");
    row("kubectl apply of the same objects, until ready", bound, 1, "");
    row("pulumi up, preview and policy pack included", up, up / bound, "<= 1.3");
}

async function growth(): Promise<void> {
    // The part before may have removed the stack.
    await make("up");
    const objects = await objectsOfStack();
    const preview = (): Promise<number> => seconds(() => pulumi("preview"));
    lines.push(...(await measureGrowth({ spec, report, kubectl, namespace, objects, preview })));
}

const parts: Readonly<Record<string, () => Promise<unknown>>> = {
    startup,
    imports: async () => lines.push(...(await measureImports(kubectl))),
    layers: async () => lines.push(...(await measureLayers(kubectl))),
    changes,
    work: () => onStack(measureWork),
    telemetry: () => onStack(measureTelemetry),
    bound: boundOfUp,
    growth,
    checkers: async () => lines.push(...(await measureCheckers(report))),
    images: async () => lines.push(...(await measureImages(spec, toolchain, report))),
    pack: () => {
        const pack = spawnSync(process.execPath, ["tests/verdicts/bench.ts"], {
            cwd: projectDir,
            // No cluster's Pulumi home: its plugins go with it.
            env: { ...process.env, PATH: env.PATH },
            encoding: "utf8",
        });
        if (pack.status !== 0) throw new Error(pack.stderr);
        lines.push("", "## The policy pack", "", pack.stdout);
        return Promise.resolve();
    },
};
const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !(part in parts));
if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(", ")}; accepted: ${Object.keys(parts).join(", ")}`);

const chosen = Object.entries(parts).filter(([name]) => asked.length === 0 || asked.includes(name));
// The pack's time is that of previews and of reports, which need no cluster.
const needsCluster = chosen.some(([name]) => !["pack", "checkers"].includes(name));
const sweep = (): Promise<void> => (needsCluster ? stopCluster(spec, report, { deleteData: true }) : Promise.resolve());

await sweep();
try {
    if (needsCluster) {
        fresh = await timed("make up, new cluster", () => make("up"));
        freshSteps = recorded("warm");
    }
    for (const [, part] of chosen) await part();
} finally {
    // What was measured before a part failed is told too.
    process.stdout.write(`\n# Figures\n${lines.join("\n")}\n`);
    await sweep();
}
