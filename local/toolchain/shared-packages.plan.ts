/**
 * Which Go packages the tools compile more than once. Go's cache gives a compiled package to another tool only if its sources, the
 * compiler and everything that it imports, down to the standard library, are equal: a newer golang.org/x/sys in one of
 * two tools makes nearly all of their packages differ.
 */
import { createHash } from "node:crypto";

/** One package, as `go list -deps` prints it. */
export interface Package {
    readonly path: string;
    /** The module with its version (`golang.org/x/sys@v0.49.0`), the path of a local copy, or `std`. */
    readonly module: string;
    /** The sources that the build tags leave. */
    readonly files: readonly string[];
    /** Size of these sources; compile time grows with it. */
    readonly bytes: number;
    readonly imports: readonly string[];
}

export interface Listing {
    readonly tool: string;
    /** Version and settings of the compiler. */
    readonly compiler: string;
    readonly packages: readonly Package[];
}

/** A package's one compilation, and who uses its result. */
interface Compilation {
    readonly package: Package;
    readonly compiler: string;
    readonly tools: string[];
}

export interface Repetition {
    /** Path of the module, without its version. */
    readonly module: string;
    /** Bytes compiled although another tool compiles the same packages; with equal versions everywhere this is 0. */
    readonly bytes: number;
    /** Which tools compile the module's packages separately: their versions, or the reason why equal versions do not help. */
    readonly variants: readonly {
        readonly version: string;
        readonly compiler: string;
        readonly tools: readonly string[];
    }[];
}

export interface Shares {
    /** Bytes that all tools compile, each package once per variant. */
    readonly compiled: number;
    /** Of these, bytes beyond the largest variant of each package. */
    readonly repeated: number;
    /** Modules with repeated packages, the largest first. */
    readonly repetitions: readonly Repetition[];
}

function compilationsOf(listings: readonly Listing[]): Compilation[] {
    const compilations = new Map<string, Compilation>();
    for (const { tool, compiler, packages } of listings) {
        const known = new Map<string, string>();
        // `-deps` prints a package after everything that it imports.
        for (const entry of packages) {
            const imports = entry.imports.map((path) => known.get(path) ?? path).sort();
            const identity = [compiler, entry.path, entry.module, entry.files, imports];
            const key = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
            known.set(entry.path, key);
            const found = compilations.get(key);
            if (found === undefined) compilations.set(key, { package: entry, compiler, tools: [tool] });
            else if (!found.tools.includes(tool)) found.tools.push(tool);
        }
    }
    return [...compilations.values()];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
    const groups = new Map<string, T[]>();
    for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
    return groups;
}

const nameOf = (module: string): string => module.split("@")[0] ?? module;

export function sharesOf(listings: readonly Listing[]): Shares {
    const compilations = compilationsOf(listings);
    const byPackage = groupBy(compilations, (compilation) => compilation.package.path);
    const repeated = [...byPackage.values()].filter((variants) => variants.length > 1);
    const extra = (variants: readonly Compilation[]): number =>
        sum(variants.map((variant) => variant.package.bytes)) -
        Math.max(...variants.map((variant) => variant.package.bytes));
    const byModule = groupBy(repeated, ([first]) => nameOf(first?.package.module ?? ""));
    const repetitions = [...byModule].map(([module, packages]): Repetition => {
        const variants = groupBy(packages.flat(), (one) => `${one.compiler} ${one.package.module}`);
        return {
            module,
            bytes: sum(packages.map(extra)),
            variants: [...variants.values()].map((ones) => ({
                version: ones[0]?.package.module.split("@")[1] ?? "",
                compiler: ones[0]?.compiler ?? "",
                tools: [...new Set(ones.flatMap((one) => one.tools))],
            })),
        };
    });
    return {
        compiled: sum(compilations.map((compilation) => compilation.package.bytes)),
        repeated: sum(repetitions.map(({ bytes }) => bytes)),
        repetitions: repetitions.sort((a, b) => b.bytes - a.bytes),
    };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The report: totals, then the modules whose alignment saves most. */
export function shareReport({ compiled, repeated, repetitions }: Shares, most: number): string {
    const share = compiled === 0 ? 0 : Math.round((100 * repeated) / compiled);
    return [
        `${megabytes(compiled)} of Go sources are compiled, ${megabytes(repeated)} (${share} %) of them more than once.`,
        ...repetitions
            .slice(0, most)
            .map(({ module, bytes, variants }) =>
                [
                    `${megabytes(bytes)} ${module}`,
                    ...variants.map(
                        ({ version, compiler, tools }) => `    ${`${version} ${compiler}`.trim()}: ${tools.join(", ")}`,
                    ),
                ].join("\n"),
            ),
    ].join("\n");
}
