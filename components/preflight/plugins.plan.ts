/** Whether the lock of the plugins is the one that the settings ask for. `make plugins` (local/plugins.ts) writes it. */
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import { canonicalPackage } from "../config/schema.images";

type Build = Extract<Sections["images"], { kind: "build" }>;

interface Locked {
    /** Release of Orcheo; undefined when another tool wrote the file. */
    readonly release: string | undefined;
    /** `package==version` of the settings that it was made of. */
    readonly plugins: readonly string[];
    /** Version by package, dependencies included. */
    readonly versions: ReadonlyMap<string, string>;
    /** Packages without a hash. */
    readonly unhashed: readonly string[];
}

/** The first line names release and plugins; the rest is pip's format. */
function parseLock(text: string): Locked {
    const [, release, plugins = ""] = /^# Orcheo (\S+), plugins: (.*)$/m.exec(text) ?? [];
    // One package with the lines of its hashes.
    const entries = text.replace(/^\s*#.*$/gm, "").split(/\n(?=\S)/);
    const packages = entries.flatMap((entry) => {
        const [, name, version] = /^\s*([A-Za-z0-9._-]+)==([^\s;\\]+)/.exec(entry) ?? [];
        if (name === undefined || version === undefined) return [];
        return [{ name: canonicalPackage(name), version, hashed: /--hash=sha256:[0-9a-f]{64}/.test(entry) }];
    });
    return {
        release,
        plugins: plugins.split(" ").filter((each) => each !== ""),
        versions: new Map(packages.map(({ name, version }) => [name, version])),
        unhashed: packages.filter(({ hashed }) => !hashed).map(({ name }) => name),
    };
}

/** @param text  of `images.pluginLock`; undefined when there is no such file */
export function pluginProblems(
    { plugins, pluginLock }: Pick<Build, "plugins" | "pluginLock">,
    release: string | undefined,
    text: string | undefined,
): Problem[] {
    if (plugins.length === 0) return [];
    const at = "orcheo:stack.images.pluginLock";
    const again = "`make plugins` writes it anew";
    if (text === undefined)
        return [{ at, found: `there is no file ${pluginLock}`, remedy: "`make plugins` writes it" }];
    const lock = parseLock(text);
    if (lock.release === undefined)
        return [{ at, found: `${pluginLock} does not begin with the line of \`make plugins\``, remedy: again }];
    const problems: Problem[] = [];
    if (release !== undefined && lock.release !== release)
        problems.push({
            at,
            found: `${pluginLock} is for release "${lock.release}"`,
            remedy: `accepted: one for "${release}"; ${again}`,
        });
    if (lock.unhashed.length > 0)
        problems.push({ at, found: `${pluginLock} has no hash of ${lock.unhashed.join(", ")}`, remedy: again });
    const wanted = plugins.map((each) => ({ ...each, name: canonicalPackage(each.package) }));
    wanted.forEach(({ name, version }, index) => {
        const locked = lock.versions.get(name);
        if (locked === version) return;
        problems.push({
            at: `orcheo:stack.images.plugins[${index}]`,
            found: `found ${name} ${version}, and ${pluginLock} has ${locked ?? "no such package"}`,
            remedy: again,
        });
    });
    const left = lock.plugins.filter((each) => !wanted.some(({ name }) => each.startsWith(`${name}==`)));
    if (left.length > 0)
        problems.push({
            at: "orcheo:stack.images.plugins",
            found: `${pluginLock} is also for ${left.join(", ")}`,
            remedy: again,
        });
    return problems;
}
