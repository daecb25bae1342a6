/** What `make publish` decides: the tags of a release, and whether the packages of its images are current. */

export const imageNames = ["backend", "canvas", "postgres", "pgbouncer", "valkey", "backup"] as const;

export interface Settings {
    readonly version: string;
    /** Generation of Orcheo in the images, as `release` of a stack. */
    readonly release: string;
    /** Registry and path below which each image has its repository. */
    readonly registry: string;
    /** By name, each by digest: as the stack built and tested them. */
    readonly images: Readonly<Record<string, string>>;
    /** Outdated packages and vulnerabilities that are published all the same. */
    readonly allowed: readonly Allowed[];
    /** Reports of pip-audit. */
    readonly audits: readonly Audit[];
}

/** What pip-audit writes with `--format json`. */
export interface Audit {
    readonly dependencies: readonly {
        readonly name: string;
        readonly version?: string;
        readonly skip_reason?: string;
        readonly vulns?: readonly { readonly id: string; readonly fix_versions: readonly string[] }[];
    }[];
}

export interface Allowed {
    /** Name of an outdated package, or id of a vulnerability. */
    readonly package: string;
    /** Last day, as 2026-12-31. */
    readonly until: string;
    readonly reason: string;
}

/** As the stack's own settings take them (components/config/fields.ts); a test compares the two. */
export const patterns = {
    semver: /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/,
    imagePrefix: /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+$/,
    pinnedImage: /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[\w][\w.-]{0,127})?@sha256:[0-9a-f]{64}$/,
};
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Every problem of the settings at once.
 *
 * @param generations  of Orcheo that there are
 */
export function problemsOf(
    { version, release, registry, images, allowed }: Settings,
    generations: readonly string[],
): readonly string[] {
    const problems: string[] = [];
    // It becomes a label of Kubernetes as well.
    if (!patterns.semver.test(version) || version.length > 63 || version.endsWith("-"))
        problems.push(`VERSION: found "${version}"; accepted: a semantic version such as 1.4.2 or 1.5.0-rc.1`);
    if (!generations.includes(release))
        problems.push(`RELEASE: found "${release}"; accepted: ${generations.join(", ")}`);
    if (!patterns.imagePrefix.test(registry))
        problems.push(
            `REGISTRY: found "${registry}"; accepted: a registry with a path, such as ghcr.io/example/orcheo`,
        );
    for (const [name, reference] of Object.entries(images)) {
        if (!(imageNames as readonly string[]).includes(name))
            problems.push(`IMAGES: ${name} is no image; accepted: ${imageNames.join(", ")}`);
        else if (!patterns.pinnedImage.test(reference))
            problems.push(`IMAGES: ${name}: found "${reference}"; accepted: an image by digest, repository@sha256:…`);
    }
    if (Object.keys(images).length === 0) problems.push("IMAGES: found no image; accepted: a name and a digest each");
    for (const { package: name, until, reason } of allowed)
        if (!DAY.test(until) || reason.trim() === "")
            problems.push(
                `ALLOWED: ${name}: found until "${until}" and reason "${reason}"; accepted: a day such as 2026-12-31, and a reason`,
            );
    return problems;
}

const numbers = (version: string): readonly number[] => version.split(".").map(Number);

export function isOlder(left: string, right: string): boolean {
    const [a, b] = [numbers(left), numbers(right)];
    const index = a.findIndex((part, at) => part !== b[at]);
    return index >= 0 && (a[index] ?? 0) < (b[index] ?? 0);
}

/**
 * The tags that a version gets; never `latest`. `1.4` and `1` follow its newest release: a fix of an older one, and a
 * pre-release, move neither. Below 1.0.0 minor versions are not compatible, so there is no `0`.
 *
 * @param existing  all tags of the repository
 */
export function tagsOf(version: string, existing: readonly string[]): readonly string[] {
    if (version.includes("-")) return [version];
    const [major = "", minor = ""] = version.split(".");
    const releases = existing.filter((tag) => patterns.semver.test(tag) && !tag.includes("-"));
    const newest = (line: string): boolean =>
        releases.every((release) => !release.startsWith(`${line}.`) || !isOlder(version, release));
    return [version, ...[`${major}.${minor}`, ...(major === "0" ? [] : [major])].filter(newest)];
}

export interface Outdated {
    readonly package: string;
    readonly installed: string;
    readonly candidate: string;
    /** Whether Debian's security team published the candidate. */
    readonly security: boolean;
}

/** From `apt-cache policy`, asked with the image's packages as the installed ones. */
export function outdatedOf(policy: string): readonly Outdated[] {
    const pattern = /^(\S+):\n {2}Installed: (\S+)\n {2}Candidate: (\S+)\n {2}Version table:\n((?: .*\n?)*)/gm;
    return [...policy.matchAll(pattern)]
        .map(([, name = "", installed = "", candidate = "", versions = ""]) => ({
            ...{ package: name, installed, candidate },
            security: sourcesOf(candidate, versions).some((line) => /\s\S+-security\//.test(line)),
        }))
        .filter(({ installed, candidate }) => installed !== candidate && candidate !== "(none)");
}

/** The lines of apt's version table that say where a version comes from. */
function sourcesOf(version: string, table: string): readonly string[] {
    const lines = table.split("\n");
    const at = lines.findIndex((line) => /^ (?:\*\*\*| {3}) (\S+) /.exec(line)?.[1] === version);
    const rest = at === -1 ? [] : lines.slice(at + 1);
    const next = rest.findIndex((line) => !line.startsWith("        "));
    return next === -1 ? rest : rest.slice(0, next);
}

/**
 * Why an image is not published: each package for which Debian has a newer version, be it a security fix or another, with its remedy.
 *
 * @param today  as 2026-12-31
 */
export function outdatedRefusals(
    image: string,
    outdated: readonly Outdated[],
    allowed: readonly Allowed[],
    today: string,
): readonly string[] {
    return outdated.flatMap(({ package: name, installed, candidate, security }) =>
        unlessAllowed(name, allowed, today, (ended) => {
            const fix = security ? " (a security fix)" : "";
            const found = `${image}: ${name} ${installed} is outdated, Debian has ${candidate}${fix}${ended}`;
            return `${found}; build the image again, with newer pins if images/pins.json has any`;
        }),
    );
}

/** Why nothing is published: each known vulnerability of a Python package, and each package that could not be audited. */
export function vulnerableRefusals(
    audits: readonly Audit[],
    allowed: readonly Allowed[],
    today: string,
): readonly string[] {
    const packages = audits.flatMap(({ dependencies }) => dependencies);
    return packages.flatMap(({ name, version = "", skip_reason: skipped, vulns = [] }) => [
        ...(skipped === undefined
            ? []
            : unlessAllowed(name, allowed, today, (ended) => `${name} was not audited: ${skipped}${ended}`)),
        ...vulns.flatMap(({ id, fix_versions: fixes }) =>
            unlessAllowed(id, allowed, today, (ended) => {
                const remedy =
                    fixes.length > 0 ? `update it to ${fixes.join(" or ")}` : "there is no fixed version yet";
                return `${name} ${version} has ${id}${ended}; ${remedy}`;
            }),
        ),
    ]);
}

/** None while an exception for `name` holds; `worded` gets what to say of one that has ended. */
function unlessAllowed(
    name: string,
    allowed: readonly Allowed[],
    today: string,
    worded: (ended: string) => string,
): readonly string[] {
    const exception = allowed.find((each) => each.package === name);
    if (exception === undefined) return [worded("")];
    return exception.until >= today ? [] : [worded(`; its exception ended on ${exception.until}`)];
}

/** The images of an index by platform, without what is none, such as attestations; undefined for a single image. */
export function platformsIn(
    manifest: unknown,
): readonly { readonly digest: string; readonly architecture: string }[] | undefined {
    const { manifests } = manifest as {
        manifests?: { digest: string; platform?: { architecture?: string } }[];
    };
    return manifests
        ?.map(({ digest, platform }) => ({ digest, architecture: platform?.architecture ?? "unknown" }))
        .filter(({ architecture }) => architecture !== "unknown");
}
