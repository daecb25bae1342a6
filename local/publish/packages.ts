/** Which Debian packages of an image are outdated: apt compares them with Debian's current indexes, as it would in the image. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mirrorsOf } from "../base-image.ts";
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

/** apt in a folder of its own, with the image's packages as the installed ones. */
export async function outdatedIn(bill: Bill, architecture: string): Promise<readonly Outdated[]> {
    const suite = bill.distro.versionCodename;
    const packages = bill.artifacts.filter(({ type }) => type === "deb");
    if (bill.distro.id !== "debian" || suite === undefined || packages.length === 0)
        throw new Error(
            `the image has ${packages.length} Debian packages and the distribution "${bill.distro.id ?? ""}"; only Debian can be checked`,
        );
    const mirrors = mirrorsOf(await run("apt-get", ["indextargets", "--format", INDEX_FORMAT, "Identifier: Packages"]));
    const root = mkdtempSync(join(tmpdir(), "orcheo-apt-"));
    try {
        for (const folder of ["sources.list.d", "apt.conf.d", "preferences.d", "trusted.gpg.d"])
            mkdirSync(join(root, "etc/apt", folder), { recursive: true });
        for (const folder of ["lib/apt/lists/partial", "cache/apt/archives/partial"])
            mkdirSync(join(root, "var", folder), { recursive: true });
        const source = (uri: string, suites: string): string =>
            `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${KEYRING}\n`;
        writeFileSync(
            join(root, "etc/apt/sources.list.d/debian.sources"),
            [source(mirrors.debian, `${suite} ${suite}-updates`), source(mirrors.security, `${suite}-security`)].join(
                "\n",
            ),
        );
        const status = join(root, "status");
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
        const options = [
            ...["-o", `Dir=${root}`, "-o", `Dir::State::status=${status}`, "-o", `APT::Architecture=${architecture}`],
            // Root only may change to apt's own user, which cannot read this folder.
            ...["-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none", "-o", "APT::Update::Error-Mode=any"],
        ];
        await run("apt-get", [...options, "-qq", "update"], { timeoutSeconds: 300 });
        return outdatedOf(await run("apt-cache", [...options, "policy", ...packages.map(({ name }) => name)]));
    } finally {
        rmSync(root, { recursive: true });
    }
}
