/** Workflows from event to end: act runs each job's steps as they are written, on this machine, in a repository of the test's own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { cacheDir, projectDir } from "../../local/paths.ts";
import { CommandError, run } from "../../local/process.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain, type Toolchain } from "../../local/toolchain/build.ts";
import { tools } from "../../local/toolchain/tools.ts";
import { copyCheckout } from "../local/checkout.ts";
import type { GitHub } from "../local/github.ts";

/** The repository, in the events. */
export const ours = { full_name: "o/r", name: "r", owner: { login: "o" }, private: true, default_branch: "main" };

/** For the workflows of releases. The scripts build whatever else they need, as on a runner. */
export function releaseTools(): Promise<Toolchain> {
    const names = ["act", "cosign", "crane", "registry"];
    const table = tools.filter(({ name }) => names.includes(name));
    return ensureToolchain(["workflows", "cluster", "publish"], consoleReport(), { table });
}

export class Act {
    readonly folder = mkdtempSync(join(tmpdir(), "orcheo-act-"));
    readonly repository = join(this.folder, "orcheo");
    /** Where the stand-in of actions/upload-artifact puts them. */
    readonly artefacts = join(this.folder, "artefacts");
    readonly env: NodeJS.ProcessEnv;
    readonly #toolchain: Toolchain;
    readonly github: GitHub;
    readonly #token: string;

    private constructor(toolchain: Toolchain, github: GitHub, token: string) {
        this.#toolchain = toolchain;
        this.github = github;
        this.#token = token;
        this.env = {
            HOME: this.folder,
            LANG: process.env.LANG,
            PATH: process.env.PATH,
            ORCHEO_CACHE_DIR: cacheDir,
            TEST_ARTEFACTS: this.artefacts,
            TEST_PROJECT: projectDir,
            TEST_REPOSITORY: this.repository,
            TEST_TOOLS: toolchain.path,
        };
    }

    /** With a repository of this checkout's files that has no commit yet. */
    static async start(toolchain: Toolchain, github: GitHub, token: string): Promise<Act> {
        const act = new Act(toolchain, github, token);
        await copyCheckout(act.repository);
        rmSync(join(act.repository, "node_modules"));
        await act.git("init", "--quiet", "--initial-branch", "main");
        // Where act takes the repository's name from.
        await act.git("remote", "add", "origin", "https://github.com/o/r");
        return act;
    }

    git(...args: readonly string[]): Promise<string> {
        const author = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
        return run("git", [...author, ...args], { cwd: this.repository });
    }

    async commit(message: string): Promise<void> {
        await this.git("add", "--all");
        await this.git("commit", "--quiet", "--message", message);
    }

    /** Takes the containers from jobs: act runs those in Docker's only. */
    uncontained(workflow: string): void {
        const file = join(this.repository, ".github", "workflows", `${workflow}.yml`);
        const text = readFileSync(file, "utf8");
        const without = text.replaceAll(/^ {4}container:.*\n(?: {6}.*\n)*/gm, "");
        expect(without).not.toBe(text);
        writeFileSync(file, without);
    }

    /** What act says of a workflow that an event starts, and whether its jobs succeeded. */
    async run(
        event: string,
        workflow: string,
        payload: object,
        variables: Readonly<Record<string, string>>,
        env: NodeJS.ProcessEnv = {},
    ): Promise<{ succeeded: boolean; output: string }> {
        const file = join(this.folder, "event.json");
        writeFileSync(file, JSON.stringify({ repository: ours, ...payload }));
        const platforms = ["ubuntu-24.04", "ubuntu-24.04-arm"];
        const args = [
            ...[event, "--workflows", `.github/workflows/${workflow}.yml`, "--eventpath", file],
            ...platforms.flatMap((name) => ["--platform", `${name}=-self-hosted`]),
            ...["--no-skip-checkout", "--no-cache-server"],
            ...["--action-cache-path", join(this.folder, "act"), "--action-offline-mode"],
            ...["--env", `GITHUB_API_URL=${this.github.url}`, "--secret", `GITHUB_TOKEN=${this.#token}`],
            ...Object.entries(variables).flatMap(([name, value]) => ["--var", `${name}=${value}`]),
            ...this.#stoodIn(),
        ];
        const log = join(this.folder, "act.log");
        const options = { cwd: this.repository, env: { ...this.env, ...env }, log };
        const succeeded = await run(this.#toolchain.bin("act"), args, options).then(
            () => true,
            (error: unknown) => {
                if (error instanceof CommandError) return false;
                throw error;
            },
        );
        expect(this.github.unknown).toEqual([]);
        // Of what act says itself, only which jobs and steps ran.
        const output = readFileSync(log, "utf8").replaceAll(
            /^.*(LocalRepositoryCache|Run (Pre|Post)|Success - (Pre|Post)).*\n/gm,
            "",
        );
        return { succeeded, output };
    }

    end(): void {
        this.github.stop();
        rmSync(this.folder, { recursive: true });
    }

    /** The actions of others that the workflows name, each with the one of actions/ in its place. */
    #stoodIn(): string[] {
        const github = join(this.repository, ".github");
        const used = readdirSync(join(github, "workflows"))
            .map((name) => readFileSync(join(github, "workflows", name), "utf8"))
            .concat(readFileSync(join(github, "actions", "connect", "action.yml"), "utf8"))
            .flatMap((text) => [...text.matchAll(/uses: ([a-z-]+)\/([a-z-]+)@([0-9a-f]{40})/g)])
            .map(([, owner = "", name = "", commit = ""]) => {
                const place = join(import.meta.dirname, "actions", owner === "pulumi" ? owner : name);
                return `${owner}/${name}@${commit}=${place}`;
            });
        return [...new Set(used)].flatMap((each) => ["--local-repository", each]);
    }
}
