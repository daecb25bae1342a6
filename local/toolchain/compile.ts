/** Compiles one tool in the environment that decides its binaries. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, logFile } from "../paths.ts";
import { run } from "../process.ts";
import { goDir, goEnvironment } from "./go-caches.ts";
import type { Source, Tool } from "./tools.ts";

/** The compiler, unless a tool's row names another one. Tools of different compilers share nothing, not even the standard library. */
export const GO_VERSION = "go1.27.4";

/** The Go version that compiles a tool. */
export const compilerOf = ({ go = GO_VERSION }: Tool): string => go;

/**
 * Folder of a compiler. Any Go >= 1.21 on the PATH fetches it from the module proxy, checksum-verified. Not by GOTOOLCHAIN, which would take
 * the Go on the PATH if it has the same version, whoever built that one.
 */
async function compilerFolder(version: string, env: NodeJS.ProcessEnv): Promise<string> {
    const processor = process.arch === "x64" ? "amd64" : process.arch;
    const module = `golang.org/toolchain@v0.0.1-${version}.${process.platform}-${processor}`;
    const found = await run("go", ["mod", "download", "-json", module], { cwd: goDir, env });
    const { Dir } = JSON.parse(found) as { Dir: string };
    // Zips of modules have no executable bits.
    await run("chmod", ["-R", "a+x", join(Dir, "bin"), join(Dir, "pkg", "tool")]);
    return Dir;
}

/** Folder with one module folder for each kind of tool. */
export const MODULES = join(import.meta.dirname, "modules");

/** A tool's module folder, ready for the `go` command. */
export interface Workspace {
    /** Temporary folder for generated files. */
    readonly scratch: string;
    readonly env: NodeJS.ProcessEnv;
    /** The flags that `go build` and `go list` have to agree on. */
    readonly flags: readonly string[];
    /** Runs `go` in the module folder. Its output goes to the tool's log, unless it is wanted. */
    readonly go: (args: readonly string[], output?: "log" | "wanted") => Promise<string>;
    /** Absolute path of a source; downloads its module. */
    readonly place: (source: Source) => Promise<string>;
}

/** Prepares a tool's module folder with its patched modules. `prefix` is the path that its temporary folder starts with. */
export async function inWorkspace<T>(
    tool: Tool,
    modules: string,
    prefix: string,
    work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
    const scratch = mkdtempSync(prefix);
    const log = logFile(`toolchain-${tool.name}`);
    const clean: NodeJS.ProcessEnv = {
        ...process.env,
        ...goEnvironment(),
        GOROOT: undefined,
        GOTOOLCHAIN: "local",
        GOFLAGS: "",
        GOWORK: "off",
        // Defaults that a user's own settings would change, and with them the binaries.
        GOAMD64: "v1",
        GOARM64: "v8.0",
        GOEXPERIMENT: "",
        GOFIPS140: "off",
        CGO_ENABLED: tool.cgo === true ? "1" : "0",
    };
    const version = compilerOf(tool);
    // "local": the Go on the PATH, for tests of the builder, whose empty caches would each download one.
    const bin = version === "local" ? "" : join(await compilerFolder(version, clean), "bin");
    const env = { ...clean, PATH: `${bin}:${clean.PATH ?? ""}` };
    // With patched modules, in a copy: Go stores the path of a replaced module in the binary, so it has to be a relative one.
    const cwd = tool.patched === undefined ? join(modules, tool.module) : join(scratch, "module");
    const go: Workspace["go"] = (args, output = "log") =>
        run(join(bin, "go"), args, { cwd, env, log: output === "log" ? log : undefined });
    const place: Workspace["place"] = async ({ goModule, file }) => {
        if (goModule === undefined) return join(cwd, file);
        await go(["mod", "download", goModule]);
        return join((await go(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", goModule], "wanted")).trim(), file);
    };
    try {
        if (tool.patched !== undefined) cpSync(join(modules, tool.module), cwd, { recursive: true });
        for (const [number, { goModule, stead = {}, edits = [] }] of (tool.patched ?? []).entries()) {
            const copy = join(cwd, `patched-${number}`);
            await run("cp", ["-r", "--no-preserve=mode", await place({ goModule, file: "." }), copy]);
            for (const [at, from] of Object.entries(stead)) {
                rmSync(join(copy, at), { recursive: true });
                cpSync(join(cwd, from), join(copy, at), { recursive: true });
            }
            for (const { file, from, to } of edits) {
                const parts = readFileSync(join(copy, file), "utf8").split(from);
                if (parts.length !== 2)
                    throw new Error(
                        `${goModule}: ${file} has ${JSON.stringify(from)} ${parts.length - 1} times, not once`,
                    );
                writeFileSync(join(copy, file), parts.join(to));
            }
            // Not appended: a module that go.mod replaces already would be replaced twice.
            await go(["mod", "edit", `-replace=${goModule}=./patched-${number}`]);
        }
        const flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", `-tags=${(tool.tags ?? []).join(",")}`];
        return await work({ scratch, env, flags, go, place });
    } finally {
        rmSync(scratch, { recursive: true, force: true });
    }
}

/** Builds the tool's files into the folder `target`, which exists only when all of them do. */
export async function build(tool: Tool, target: string, modules: string): Promise<void> {
    mkdirSync(join(cacheDir, "toolchain"), { recursive: true });
    const temporary = mkdtempSync(`${target}.part-`);
    const log = logFile(`toolchain-${tool.name}`);
    try {
        // Next to the other temporary folder, so that both are cleaned up after a kill.
        await inWorkspace(tool, modules, `${target}.part-`, async ({ scratch, env, flags, go, place }) => {
            for (const [name, sources] of Object.entries(tool.share ?? {})) {
                const texts: string[] = [];
                for (const source of sources) texts.push(readFileSync(await place(source), "utf8"));
                writeFileSync(join(temporary, name), texts.join("\n---\n"));
            }
            if (tool.cSource !== undefined) {
                const output = join(temporary, tool.name);
                const source = await place(tool.cSource);
                await run("gcc", ["-Os", "-Wall", "-static", "-s", "-o", output, source], { log });
                return;
            }
            if (tool.generate !== undefined) {
                await go(["build", ...flags, "-o", join(scratch, "generator"), tool.generate.package]);
                await run(join(scratch, "generator"), tool.generate.args(scratch), { cwd: scratch, env, log });
            }
            const overlay: string[] = [];
            if (tool.overlay !== undefined) {
                const replace: Record<string, string> = {};
                for (const { at, from } of tool.overlay) {
                    replace[await place(at)] = "generated" in from ? join(scratch, from.generated) : await place(from);
                }
                writeFileSync(join(scratch, "overlay.json"), JSON.stringify({ Replace: replace }));
                overlay.push(`-overlay=${join(scratch, "overlay.json")}`);
            }
            const stamps = Object.entries(tool.stamps ?? {}).map(([symbol, value]) => `-X ${symbol}=${value}`);
            const output = tool.binary === undefined ? `${temporary}/` : join(temporary, tool.binary);
            const link = `-ldflags=${["-s -w", ...stamps].join(" ")}`;
            await go(["build", ...flags, ...overlay, link, "-o", output, ...tool.packages]);
        });
        renameSync(temporary, target);
    } finally {
        rmSync(temporary, { recursive: true, force: true });
    }
}
