/** `make plugins`: resolves a stack's `images.plugins` into its lock, with hashes, beside the packages that Orcheo's image has. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { cacheDir, projectDir } from "./paths.ts";
import { CommandError, run } from "./process.ts";
import { isSettings, type Settings } from "./settings.ts";

/** As components/config/schema.images.ts has it. */
const DEFAULT_LOCK = "plugins/plugins.lock";
/** Parts of Orcheo that have no wheel; the plugins and what they add must have one. */
const BUILT_FROM_SOURCE = ["mmh3", "rouge-score"];
const PYTHON = "3.13";
const backendDir = join(projectDir, "images", "backend");

export interface PluginSettings {
    readonly release: string;
    readonly lock: string;
    /** `package==version`. */
    readonly plugins: readonly string[];
}

/** @param file  named in messages. @throws with every problem */
export function pluginSettings(settings: Settings, file: string): PluginSettings {
    const images = isSettings(settings.images) ? settings.images : {};
    const { releases } = JSON.parse(readFileSync(join(backendDir, "releases.json"), "utf8")) as { releases: object };
    const { release = "0.33" } = settings;
    const problems: string[] = [];
    if (typeof release !== "string" || !Object.hasOwn(releases, release))
        problems.push(
            `orcheo:stack.release: found ${JSON.stringify(release)}; accepted: ${Object.keys(releases).join(", ")}`,
        );
    const list: readonly unknown[] = Array.isArray(images.plugins) ? images.plugins : [];
    if (list.length === 0)
        problems.push("orcheo:stack.images.plugins: names none; accepted: a list of package and version");
    const plugins = list.map((each, index) => {
        const given = isSettings(each) ? `${String(each.package)}==${String(each.version)}` : JSON.stringify(each);
        if (!/^[A-Za-z0-9][A-Za-z0-9._-]*==\d[A-Za-z0-9.!+]*$/.test(given))
            problems.push(
                `orcheo:stack.images.plugins[${index}]: found ${given}; accepted: a package and one exact version`,
            );
        const [name = "", version = ""] = given.split("==");
        return `${canonical(name)}==${version}`;
    });
    if (problems.length > 0)
        throw new Error(`${file}: nothing was changed\n${problems.map((line) => `  - ${line}`).join("\n")}`);
    const lock = typeof images.pluginLock === "string" ? images.pluginLock : DEFAULT_LOCK;
    return { release: release as string, lock, plugins };
}

const canonical = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");

/** Resolves and writes the lock. @returns its path. @throws with the resolver's reason, which names the package */
export async function lockPlugins({ release, lock, plugins }: PluginSettings): Promise<string> {
    const path = resolve(projectDir, lock);
    mkdirSync(dirname(path), { recursive: true });
    const own = ownPackages(readFileSync(join(backendDir, `requirements-${release}.lock`), "utf8"));
    const constraints = `${path}.constraints`;
    const overrides = join(backendDir, `overrides-${release}.txt`);
    writeFileSync(constraints, own.join("\n"));
    try {
        const resolved = await run(
            await uv(),
            [
                ...["pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--generate-hashes"],
                ...["--universal", "--python-version", PYTHON, "--only-binary", ":all:"],
                ...BUILT_FROM_SOURCE.flatMap((name) => ["--no-binary", name]),
                ...["--constraints", constraints, "--find-links", dirname(path)],
                ...(existsSync(overrides) ? ["--overrides", overrides] : []),
                ...own.flatMap((each) => ["--no-emit-package", each.replace(/==.*/, "")]),
            ],
            // For the few packages whose metadata has to be built, any Python will do.
            { input: plugins.join("\n"), env: { ...process.env, UV_PYTHON_DOWNLOADS: "never" } },
        ).catch((error: unknown) => {
            throw new Error(
                `${plugins.join(", ")} cannot be added to Orcheo ${release}; ${lock} was not changed:\n${reasonOf(error)}`,
            );
        });
        const text = `# Orcheo ${release}, plugins: ${plugins.join(" ")}\n# Written by \`make plugins\`: run it again instead of editing.\n${resolved}`;
        writeFileSync(`${path}.part`, text);
        renameSync(`${path}.part`, path);
        return path;
    } finally {
        rmSync(constraints, { force: true });
    }
}

/** `name==version ; marker` of each package in a lock. */
const ownPackages = (lock: string): string[] =>
    [...lock.matchAll(/^([a-z0-9._-]+==[^\\\n]+)/gm)].map(([, each = ""]) => each.trim());

/** What uv printed, without the command and its 200 arguments. */
function reasonOf(error: unknown): string {
    if (!(error instanceof CommandError)) return String(error);
    return error.message.split("\n").slice(1).join("\n").trim();
}

/** The path of uv in the version of the image build, installed from its pinned wheel. */
export async function uv(): Promise<string> {
    const requirements = join(backendDir, "requirements-uv.lock");
    const key = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
    const dir = join(cacheDir, `uv-${key}`);
    if (!existsSync(dir)) {
        const part = `${dir}.part-${process.pid}`;
        const flags = ["--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--target", part];
        await run("python3", ["-m", "pip", "install", ...flags, "-r", requirements]);
        rmSync(dir, { recursive: true, force: true });
        renameSync(part, dir);
    }
    return join(dir, "bin", "uv");
}
