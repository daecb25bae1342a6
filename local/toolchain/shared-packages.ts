/**
 * Reports the Go packages that are compiled more than once: `npm run shared-packages [GROUP…]`, all groups that `make up` needs by
 * default. Downloads the modules; compiles nothing.
 */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../paths.ts";
import { compilerOf, inWorkspace, MODULES } from "./compile.ts";
import { type Listing, type Package, sharesOf, shareReport } from "./shared-packages.plan.ts";
import { type Group, type Tool, tools } from "./tools.ts";

/** What `go list -json` prints of a package, as far as it is used. */
interface Printed {
    readonly ImportPath: string;
    readonly Dir?: string;
    readonly Standard?: boolean;
    readonly Module?: PrintedModule;
    readonly GoFiles?: readonly string[];
    readonly CgoFiles?: readonly string[];
    readonly SFiles?: readonly string[];
    readonly Imports?: readonly string[];
    readonly ImportMap?: Readonly<Record<string, string>>;
}

interface PrintedModule {
    readonly Path: string;
    readonly Version?: string;
    readonly Replace?: { readonly Path: string; readonly Version?: string };
}

const FIELDS = "ImportPath,Dir,Standard,Module,GoFiles,CgoFiles,SFiles,Imports,ImportMap";

/** A replaced module keeps its name and version, except that the sources are others; Kubernetes replaces each of its own by the same. */
function moduleOf({ Standard, Module }: Printed): string {
    if (Standard === true || Module === undefined) return "std";
    const { Path, Version = "", Replace } = Module;
    if (Replace === undefined || (Replace.Path === Path && Replace.Version === Version)) return `${Path}@${Version}`;
    return `${Path}@${Version} => ${[Replace.Path, Replace.Version].filter((part) => part !== undefined).join(" ")}`;
}

function packageOf(printed: Printed): Package {
    const { ImportPath, Dir, GoFiles = [], CgoFiles = [], SFiles = [], Imports = [], ImportMap = {} } = printed;
    const files = [...GoFiles, ...CgoFiles, ...SFiles];
    return {
        path: ImportPath,
        module: moduleOf(printed),
        files,
        bytes: Dir === undefined ? 0 : files.reduce((sum, file) => sum + statSync(join(Dir, file)).size, 0),
        imports: Imports.map((path) => ImportMap[path] ?? path),
    };
}

/** `go list` prints one JSON object after another; each starts and ends on its own line. */
export const packagesIn = (text: string): Package[] =>
    text
        .split(/(?<=^\}\n)/m)
        .filter((part) => part.trim() !== "")
        .map((part) => packageOf(JSON.parse(part) as Printed));

async function listingOf(tool: Tool): Promise<Listing> {
    const wanted = [...tool.packages, ...(tool.generate === undefined ? [] : [tool.generate.package])];
    const prefix = join(cacheDir, "toolchain", `${tool.name}.part-`);
    const packages = await inWorkspace(tool, MODULES, prefix, async ({ go, flags }) =>
        // `-e`: an embedded file that is generated before the build is no hindrance.
        packagesIn(await go(["list", "-e", "-deps", ...flags, `-json=${FIELDS}`, ...wanted], "wanted")),
    );
    return { tool: tool.name, compiler: compilerOf(tool), packages };
}

if (import.meta.main) {
    const usual: readonly Group[] = ["cluster", "pulumi", "add-ons"];
    const asked = process.argv.slice(2);
    const wanted = tools.filter(({ group }) => (asked.length > 0 ? asked : usual).includes(group));
    mkdirSync(join(cacheDir, "toolchain"), { recursive: true });
    const listings: Listing[] = [];
    for (const tool of wanted.filter(({ cSource }) => cSource === undefined)) listings.push(await listingOf(tool));
    process.stdout.write(`${shareReport(sharesOf(listings), 25)}\n`);
}
