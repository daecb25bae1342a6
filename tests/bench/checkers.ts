/** The report's time for 2,000 manifests, beside that of two public command-line checkers, which this installs into the cache. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { stringify } from "yaml";

import { checkersDir, logFile, projectDir, testModulesDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import type { Report } from "../../local/report.ts";
import { compliant, kinds } from "../policy/pods.ts";

const manifests = 2000;
const perFile = 100;
/** A checker that takes longer is stopped, and its row says so. */
const longestSeconds = 900;

interface Checker {
    readonly name: string;
    readonly version: string;
    /** The file that pins it, and all that it needs, by checksum. */
    readonly pins: string;
    /** Makes the folder that `command` starts it from. */
    install(folder: string, log: string): Promise<unknown>;
    command(
        folder: string,
        files: readonly string[],
    ): { readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv };
}

const checkers: readonly Checker[] = [
    {
        name: "kube-score",
        version: "1.20.0",
        pins: "kube-score/go.sum",
        async install(folder, log) {
            const module = join(folder, "module");
            cpSync(join(import.meta.dirname, "kube-score"), module, { recursive: true });
            const compiled = join(folder, "compiled");
            const flags = { GOMODCACHE: testModulesDir, GOCACHE: compiled, GOFLAGS: "-buildvcs=false -mod=readonly" };
            const target = "github.com/zegl/kube-score/cmd/kube-score";
            await run("go", ["build", "-trimpath", "-o", join(folder, "kube-score"), target], {
                cwd: module,
                env: { ...process.env, ...flags },
                log,
            });
            rmSync(compiled, { recursive: true });
        },
        command: (folder, files) => ({
            args: [join(folder, "kube-score"), "score", "--output-format", "ci", ...files],
        }),
    },
    {
        name: "checkov",
        version: "3.3.30",
        pins: "checkov.txt",
        install: (folder, log) =>
            run(
                "python3",
                ["-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"].concat([
                    ...["--target", join(folder, "site")],
                    ...["-r", join(import.meta.dirname, "checkov.txt")],
                ]),
                { log },
            ),
        command: (folder, [file = ""]) => ({
            args: ["python3", "-m", "checkov.main", "--framework", "kubernetes", "--quiet", "--compact"].concat([
                // Without it asks its maker's service for descriptions, and waits for it.
                ...["--skip-download", "--output", "json", "--directory", dirname(file)],
            ]),
            env: { PYTHONPATH: join(folder, "site") },
        }),
    },
];

/** The checker's folder in the cache: one for each state of its pins, moved into place once it is whole. */
async function installed(checker: Checker, report: Report): Promise<string> {
    const pins = readFileSync(join(import.meta.dirname, checker.pins));
    const key = createHash("sha256").update(pins).digest("hex").slice(0, 12);
    const folder = join(checkersDir, `${checker.name}-${checker.version}-${key}`);
    if (existsSync(folder)) return folder;
    const part = `${folder}.part-${process.pid}`;
    mkdirSync(part, { recursive: true });
    const log = logFile(`install-${checker.name}`);
    try {
        await report.step(`installing ${checker.name} ${checker.version}`, log, () => checker.install(part, log));
        renameSync(part, folder);
    } finally {
        rmSync(part, { recursive: true, force: true });
    }
    return folder;
}

function writeManifests(folder: string): readonly string[] {
    const objects = Array.from({ length: manifests }, (_, index) => {
        const metadata = { name: `r${index}`, namespace: "bench" };
        return stringify(
            { ...compliant(kinds[index % kinds.length] ?? "Pod"), metadata },
            { aliasDuplicateObjects: false },
        );
    });
    return Array.from({ length: manifests / perFile }, (_, index) => {
        const file = join(folder, `${index}.yaml`);
        writeFileSync(file, objects.slice(index * perFile, (index + 1) * perFile).join("---\n"));
        return file;
    });
}

/** Seconds of one run, of the clock and of processors. Exit code 1 means findings; whatever is above it is a failure. */
function measured(command: readonly string[], env: NodeJS.ProcessEnv = {}): string {
    const script = 'TIMEFORMAT="%R | %U %S"; time "$@" 2>/dev/null';
    const child = spawnSync("bash", ["-c", script, "bash", ...command], {
        env: { ...process.env, ...env },
        encoding: "utf8",
        timeout: longestSeconds * 1000,
        maxBuffer: 1 << 30,
    });
    if (child.error !== undefined) return `more than ${longestSeconds} | `;
    if ((child.status ?? 99) > 1) throw new Error(`${command.join(" ").slice(0, 200)}: exit code ${child.status}`);
    const [clock = "", used = ""] = child.stderr.trim().split("\n").at(-1)?.split(" | ") ?? [];
    const processor = used.split(" ").reduce((sum, each) => sum + Number(each), 0);
    return `${Number(clock).toFixed(1)} | ${processor.toFixed(1)}`;
}

/** Lines of Markdown with each checker's time. */
export async function measureCheckers(report: Report): Promise<readonly string[]> {
    const folders: string[] = [];
    for (const checker of checkers) folders.push(await installed(checker, report));
    const folder = mkdtempSync(join(tmpdir(), "orcheo-checkers-"));
    try {
        const files = writeManifests(folder);
        const ours = measured([process.execPath, join(projectDir, "policies/report.ts"), folder]);
        const rows = checkers.map((checker, index) => {
            const { args, env } = checker.command(folders[index] ?? "", files);
            return `| ${checker.name} ${checker.version} | ${measured(args, env)} |`;
        });
        return [
            ...["", `## ${manifests} manifests of all kinds of workload, one run of each`, ""],
            ...["| checker | s | processor s |", "| --- | --- | --- |", `| the pack's report | ${ours} |`, ...rows],
        ];
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
