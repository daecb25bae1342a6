/** Which Debian packages of an image are outdated: apt compares them with Debian's current indexes, as it would in the image. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Mirrors, mirrorsOf } from "../base-image.ts";
import { run } from "../process.ts";
import { type Outdated, outdatedOf } from "./publish.plan.ts";

/** What {@link outdatedIn} reads of Syft's own format. */
export interface Bill {
    readonly distro: { readonly id?: string; readonly versionCodename?: string };
    readonly artifacts: readonly {
        readonly type: string;
        readonly name: string;
        readonly version: string;
        readonly metadata?: { readonly architecture?: string };
    }[];
}

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const INDEX_FORMAT = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";

/** Where this machine's apt gets Debian from. */
export const ownMirrors = async (): Promise<Mirrors> =>
    mirrorsOf(await run("apt-get", ["indextargets", "--format", INDEX_FORMAT, "Identifier: Packages"]));

/** Debian's current indexes by suite and processor, each read once. */
const read = new Map<string, Promise<Apt>>();
const folders = new Set<string>();

interface Apt {
    readonly folder: string;
    /** Options of apt's commands. */
    readonly options: readonly string[];
}

/** Removes the indexes; at the end of the process at the latest, unless that is killed. */
export function removeIndexes(): void {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    folders.clear();
    read.clear();
}

/** apt in a folder of its own. */
async function aptOf(suite: string, architecture: string): Promise<Apt> {
    const mirrors = await ownMirrors();
    const folder = mkdtempSync(join(tmpdir(), "orcheo-apt-"));
    if (folders.size === 0) process.once("exit", removeIndexes);
    folders.add(folder);
    for (const each of ["sources.list.d", "apt.conf.d", "preferences.d", "trusted.gpg.d"])
        mkdirSync(join(folder, "etc/apt", each), { recursive: true });
    for (const each of ["lib/apt/lists/partial", "cache/apt/archives/partial"])
        mkdirSync(join(folder, "var", each), { recursive: true });
    const source = (uri: string, suites: string): string =>
        `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${KEYRING}\n`;
    writeFileSync(
        join(folder, "etc/apt/sources.list.d/debian.sources"),
        [source(mirrors.debian, `${suite} ${suite}-updates`), source(mirrors.security, `${suite}-security`)].join("\n"),
    );
    const none = join(folder, "none");
    writeFileSync(none, "");
    const options = [
        ...["-o", `Dir=${folder}`, "-o", `APT::Architecture=${architecture}`],
        // Root only may change to apt's own user, which cannot read this folder.
        ...["-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none", "-o", "APT::Update::Error-Mode=any"],
    ];
    await run("apt-get", [...options, "-o", `Dir::State::status=${none}`, "-qq", "update"], { timeoutSeconds: 300 });
    return { folder, options };
}

/** @param architecture  of packages whose own one is not known */
export async function outdatedIn(bill: Bill, architecture: string): Promise<readonly Outdated[]> {
    const suite = bill.distro.versionCodename;
    const packages = bill.artifacts.filter(({ type }) => type === "deb");
    if (bill.distro.id !== "debian" || suite === undefined || packages.length === 0)
        throw new Error(
            `the image has ${packages.length} Debian packages and the distribution "${bill.distro.id ?? ""}"; only Debian can be checked`,
        );
    const key = `${suite} ${architecture}`;
    const apt = read.get(key) ?? aptOf(suite, architecture);
    read.set(key, apt);
    const { folder, options } = await apt;
    // The image's packages are the installed ones. A name of its own: apt knows a changed file by its size and time only.
    const status = join(mkdtempSync(join(folder, "image-")), "status");
    writeFileSync(
        status,
        packages
            .map(
                ({ name, version, metadata }) =>
                    `Package: ${name}\nStatus: install ok installed\nMaintainer: none\nVersion: ${version}\n` +
                    `Architecture: ${metadata?.architecture ?? architecture}\nDescription: none\n`,
            )
            .join("\n"),
    );
    const asked = ["policy", ...packages.map(({ name }) => name)];
    return outdatedOf(await run("apt-cache", [...options, "-o", `Dir::State::status=${status}`, ...asked]));
}
