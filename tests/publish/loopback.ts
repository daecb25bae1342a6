/** A registry on loopback for a test of publishing, with small images and cosign's keys. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { registry as registryConfig } from "../../local/cluster/configs.ts";
import { run } from "../../local/process.ts";
import { outdatedIn, removeIndexes } from "../../local/publish/packages.ts";
import { pushImage } from "../../local/push-image.ts";
import type { Toolchain } from "../../local/toolchain/build.ts";

export const password = "planted-password-7d21";
export const architecture = process.arch === "x64" ? "amd64" : process.arch;

/** The version of libc6 that Debian has today; the images hold that package. */
export async function currentVersion(): Promise<string> {
    const old = { type: "deb", name: "libc6", version: "2.0", metadata: { architecture } };
    const distro = { id: "debian", versionCodename: "trixie" };
    const [found] = await outdatedIn({ distro, artifacts: [old] }, architecture);
    return found?.candidate ?? "";
}

/** Until it is closed. */
export class Loopback {
    readonly folder = mkdtempSync(join(tmpdir(), "orcheo-publish-test-"));
    readonly at: string;
    readonly #toolchain: Toolchain;
    #server: ChildProcess | undefined;

    /** @param at  its address, such as 127.0.0.1:25019 */
    private constructor(at: string, toolchain: Toolchain) {
        this.at = at;
        this.#toolchain = toolchain;
    }

    /** A registry that is there, such as a cluster's. */
    static async of(at: string, toolchain: Toolchain): Promise<Loopback> {
        const loopback = new Loopback(at, toolchain);
        await loopback.cosign("generate-key-pair");
        return loopback;
    }

    static async at(at: string, toolchain: Toolchain): Promise<Loopback> {
        const loopback = new Loopback(at, toolchain);
        const config = join(loopback.folder, "registry.yaml");
        writeFileSync(config, registryConfig(join(loopback.folder, "registry"), at));
        loopback.#server = spawn(toolchain.bin("registry"), ["serve", config], { stdio: "ignore" });
        const answers = (): Promise<boolean> =>
            fetch(`http://${at}/v2/`).then(
                (answer) => answer.ok,
                () => false,
            );
        for (const end = Date.now() + 30_000; !(await answers());) {
            if (Date.now() > end) throw new Error(`no registry at ${at}`);
            await new Promise((done) => setTimeout(done, 200));
        }
        await loopback.cosign("generate-key-pair");
        return loopback;
    }

    readonly crane = (...args: string[]): Promise<string> => run(this.#toolchain.bin("crane"), args);

    readonly cosign = (...args: string[]): Promise<string> =>
        run(this.#toolchain.bin("cosign"), args, {
            cwd: this.folder,
            env: { ...process.env, COSIGN_PASSWORD: password },
        });

    /** An image of Debian with one package, and these files at its root. @returns its reference by digest */
    async image(tag: string, version: string, of = architecture, files: readonly string[] = []): Promise<string> {
        const root = join(this.folder, tag);
        mkdirSync(root, { recursive: true });
        for (const file of files) copyFileSync(file, join(root, basename(file)));
        mkdirSync(join(root, "etc"), { recursive: true });
        mkdirSync(join(root, "var/lib/dpkg"), { recursive: true });
        writeFileSync(
            join(root, "etc/os-release"),
            'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n',
        );
        writeFileSync(
            join(root, "var/lib/dpkg/status"),
            `Package: libc6\nStatus: install ok installed\nMaintainer: none\nVersion: ${version}\nArchitecture: ${of}\nDescription: none\n`,
        );
        const layerFile = join(this.folder, `${tag}.tar.gz`);
        await run("tar", ["-C", root, "-czf", layerFile, "."]);
        const diffId = `sha256:${createHash("sha256")
            .update(gunzipSync(readFileSync(layerFile)))
            .digest("hex")}`;
        const { digest } = await pushImage(this.crane, `${this.at}/built/backend:${tag}`, {
            layerFile,
            diffId,
            createdSeconds: 0,
            createdBy: "a test",
            labels: {},
        });
        return `${this.at}/built/backend@${digest}`;
    }

    close(): void {
        this.#server?.kill();
        // Vitest ends its processes by a signal.
        removeIndexes();
        rmSync(this.folder, { recursive: true });
    }
}
