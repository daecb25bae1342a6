/** images/pins.json: the Debian that the images of a release are built on, and what newer pins would change in them. */
import { type Audit, type Outdated, vulnerableRefusals } from "./publish.plan.ts";

/** Both null: Debian's image and packages are those of the day of the build. */
export interface Pins {
    /** By digest. */
    readonly baseImage: string | null;
    /** Time of the packages on snapshot.debian.org. */
    readonly snapshot: string | null;
}

const accepted: Readonly<Record<keyof Pins, { readonly pattern: RegExp; readonly form: string }>> = {
    baseImage: {
        pattern: /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?@sha256:[0-9a-f]{64}$/,
        form: "an image by digest, such as debian:trixie-slim@sha256:…",
    },
    snapshot: {
        pattern: /^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])[0-5]\d[0-5]\dZ$/,
        form: "a time in UTC, such as 20261123T000000Z",
    },
};

/** Every problem of the file's content at once. */
export function pinProblems(file: string, pins: unknown): readonly string[] {
    if (typeof pins !== "object" || pins === null || Array.isArray(pins))
        return [`${file}: found ${JSON.stringify(pins)}; accepted: an object with baseImage and snapshot`];
    const found = pins as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(found).filter((key) => !Object.hasOwn(accepted, key));
    const problems = [
        ...unknown.map((key) => `${file}: ${key} is no pin; accepted: baseImage and snapshot`),
        ...Object.entries(accepted)
            .filter(([key, { pattern }]) => {
                const value = found[key];
                return value !== null && !(typeof value === "string" && pattern.test(value));
            })
            .map(
                ([key, { form }]) =>
                    `${file}: ${key}: found ${key in found ? JSON.stringify(found[key]) : "nothing"}; accepted: null, or ${form}`,
            ),
    ];
    if (problems.length === 0 && (found["baseImage"] === null) !== (found["snapshot"] === null))
        problems.push(`${file}: found one of baseImage and snapshot; accepted: both, or null for both`);
    return problems;
}

/** A time as snapshot.debian.org writes it. */
export const timeOf = (now: Date): string => `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

/**
 * The newest pins. The older one of both archives' newest states: asked for the newer one, the other archive might later answer with a state that it
 * does not have yet.
 *
 * @param states  addresses to which the archives redirect, with the times of their states
 */
export const newestPins = (image: string, digest: string, states: readonly string[]): Pins => ({
    baseImage: `${image}@${digest}`,
    snapshot: states.map((address) => /\/([^/]+)\/$/.exec(address)?.[1] ?? "").sort()[0] ?? "",
});

export const textOf = (pins: Pins): string => `${JSON.stringify(pins, undefined, 4)}\n`;

/** By name, with every version that is in the image. */
export type Packages = ReadonlyMap<string, string>;

/** @param artifacts  of Syft's own format */
export function packagesIn(
    artifacts: readonly { readonly type: string; readonly name: string; readonly version: string }[],
): Packages {
    const found = new Map<string, Set<string>>();
    for (const { type, name, version } of artifacts) {
        const called = type === "deb" ? name : `${name} (${type})`;
        found.set(called, (found.get(called) ?? new Set()).add(version));
    }
    return new Map([...found].map(([name, versions]) => [name, [...versions].sort().join(", ")]));
}

/** An image as it is built with some pins. */
export interface Built {
    readonly packages: Packages;
    readonly outdated: readonly Outdated[];
}

/** By the image's name. */
export type Images = Readonly<Record<string, Built>>;

/** A row of a table: what is the same in several images is one row. */
interface Row {
    readonly package: string;
    readonly before: string;
    readonly after: string;
    readonly images: readonly string[];
}

/** The rows of both sides that differ, each with its images. */
function rowsOf(
    before: Images,
    after: Images,
    of: (built: Built) => ReadonlyMap<string, string>,
    kept: (before: string | undefined, after: string | undefined) => boolean,
): readonly Row[] {
    const rows = new Map<string, Row>();
    for (const image of new Set([...Object.keys(before), ...Object.keys(after)])) {
        const values = (side: Images): ReadonlyMap<string, string> =>
            side[image] === undefined ? new Map<string, string>() : of(side[image]);
        const [old, now] = [values(before), values(after)];
        for (const name of new Set([...old.keys(), ...now.keys()])) {
            const [one, other] = [old.get(name), now.get(name)];
            if (!kept(one, other)) continue;
            const row = { package: name, before: one ?? "", after: other ?? "" };
            const key = JSON.stringify(row);
            rows.set(key, { ...row, images: [...(rows.get(key)?.images ?? []), image] });
        }
    }
    return [...rows.values()].sort((a, b) => (a.package < b.package ? -1 : 1));
}

/** What is added, removed, or has another version. */
export const changesOf = (before: Images, after: Images): readonly Row[] =>
    rowsOf(
        before,
        after,
        ({ packages }) => packages,
        (one, other) => one !== other,
    );

const SECURITY_FIX = "security fix";

/** For which packages Debian has newer versions, on either side. */
export const outdatedRows = (before: Images, after: Images): readonly Row[] =>
    rowsOf(
        before,
        after,
        ({ outdated }) =>
            new Map(
                outdated.map(({ package: name, installed, candidate, security }) => [
                    name,
                    `${installed} (${security ? SECURITY_FIX : "update"}: ${candidate})`,
                ]),
            ),
        () => true,
    );

const table = (rows: readonly Row[], missing: string): readonly string[] => [
    "| package | before | after | images |",
    "| --- | --- | --- | --- |",
    ...rows.map(
        ({ package: name, before, after, images }) =>
            `| ${name} | ${before || missing} | ${after || missing} | ${images.join(", ")} |`,
    ),
];

/** GitHub takes 65,536 characters. */
const LIMIT = 60_000;

/** Whole lines that fit; how many do not is said. */
function fitted(lines: readonly string[], where: string): string {
    let size = 0;
    const fit = lines.filter((line) => (size += line.length + 1) <= LIMIT);
    return fit.length === lines.length
        ? lines.join("\n")
        : [...fit, "", `**${lines.length - fit.length} more lines: ${where}.**`].join("\n");
}

/**
 * The text of the pull request, which fits, and all of it.
 *
 * @param audits  reports of pip-audit, about packages that the pins leave alone
 * @param where  says where the whole text is
 * @returns undefined when no package changes and there are pins already
 */
export function proposalOf(
    pins: { readonly before: Pins; readonly after: Pins },
    images: { readonly before: Images; readonly after: Images },
    audits: readonly Audit[],
    where: string,
): { readonly fitted: string; readonly whole: string } | undefined {
    const changes = changesOf(images.before, images.after);
    if (changes.length === 0 && pins.before.snapshot !== null) return undefined;
    const outdated = outdatedRows(images.before, images.after);
    const python = vulnerableRefusals(audits, [], "");
    const [added, removed] = [
        changes.filter(({ before }) => before === ""),
        changes.filter(({ after }) => after === ""),
    ];
    const fixes = (side: "before" | "after"): string => {
        const rows = outdated.filter((row) => row[side] !== "");
        const security = rows.filter((row) => row[side].includes(`(${SECURITY_FIX}: `)).length;
        return `${rows.length} outdated ${side}, ${security} of them with a security fix`;
    };
    const lines = [
        `Debian's image: \`${pins.before.baseImage ?? "no pin"}\` becomes \`${pins.after.baseImage ?? "no pin"}\`.`,
        `Debian's packages: \`${pins.before.snapshot ?? "no pin"}\` becomes \`${pins.after.snapshot ?? "no pin"}\`.`,
        "Both were built, for amd64; *before* without a pin is what a build finds today.",
        "",
        `### Packages: ${changes.length - added.length - removed.length} other versions, ${added.length} added, ${removed.length} removed`,
        "",
        ...(changes.length === 0 ? ["None."] : table(changes, "-")),
        "",
        `### Debian's packages with a newer version: ${fixes("before")}; ${fixes("after")}`,
        "",
        ...(outdated.length === 0 ? ["None."] : table(outdated, "current")),
        "",
        "### Known vulnerabilities of the backend's Python packages, before and after",
        "",
        ...(python.length === 0 ? ["None."] : python.map((line) => `- ${line}`)),
    ];
    return { fitted: fitted(lines, where), whole: lines.join("\n") };
}
