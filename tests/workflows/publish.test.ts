/**
 * publish.yml and check.yml from event to end, by act: the scripts, the registry on loopback, `make publish` and the requests to GitHub's API are real.
 * The commands of commands/ stand in for what this machine cannot have: builders, Sigstore, the service of pip-audit. Act runs jobs with a container
 * in one of Docker's only, so the copies of the workflows have none.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { currentVersion, Loopback, password } from "../publish/loopback.ts";
import { GitHub } from "../local/github.ts";
import { Act, releaseTools } from "./run-act.ts";

const token = "planted-token-5e1c";
const registry = "127.0.0.1:25023";
const variables = { PUBLISH_REGISTRY: `${registry}/published`, PUBLISH_USER: "someone" };
const pushed = { ref: "refs/tags/v1.4.2" };
const names = ["backend", "canvas", "postgres", "pgbouncer", "valkey", "backup"];
const clean = JSON.stringify({ dependencies: [{ name: "starlette", version: "1.0.0", vulns: [] }] });
const address = "https://github.com/o/r/releases/download/v1.4.2/toolchain-linux-x64.tar.zst";

let loopback: Loopback;
let workflows: Act;
let sha: string;
/** Digest of the base image that images/pins.json names. */
let pinned: string;
/** What GitHub knows of the repository, and what the workflow has made there. */
let repository: {
    passed: boolean;
    release: object | undefined;
    assets: string[];
    branches: unknown[];
    commits: Record<string, unknown>;
    pulls: unknown[];
};

beforeEach(() => {
    repository = { passed: true, release: undefined, assets: [], branches: [], commits: {}, pulls: [] };
});

/** The part of GitHub's API that publishing asks. */
function api(method: string, { pathname, search }: URL, body: Buffer): [number, unknown] | undefined {
    const given = (): unknown => JSON.parse(body.toString());
    switch (`${method} ${pathname.replace("/repos/o/r/", "")}${search}`) {
        case `GET commits/${sha}/check-runs?check_name=test&status=completed`:
            return [
                200,
                {
                    check_runs: [
                        { conclusion: "success", app: { slug: "somebody-elses" } },
                        {
                            conclusion: repository.passed ? "success" : "failure",
                            app: { slug: "github-actions" },
                        },
                    ],
                },
            ];
        case "GET releases/tags/v1.4.2":
            return repository.release === undefined ? [404, { message: "Not Found" }] : [200, repository.release];
        case "POST releases":
            expect(given()).toEqual({ tag_name: "v1.4.2", prerelease: false });
            repository.release = {
                upload_url: `${workflows.github.url}/uploads/o/r/9/assets{?name,label}`,
                assets: [],
            };
            return [201, repository.release];
        case "POST /uploads/o/r/9/assets?name=toolchain-linux-x64.tar.zst":
            repository.assets.push(body.toString());
            return [201, { browser_download_url: address }];
        case "GET git/ref/heads/main":
            return [200, { object: { sha } }];
        case "GET contents/images/published.json?ref=main":
        case "GET contents/local/toolchain/release.json?ref=main": {
            const content = readFileSync(join(workflows.repository, pathname.replace("/repos/o/r/contents/", "")));
            return [200, { content: content.toString("base64"), sha: "0".repeat(40) }];
        }
        case "POST git/refs":
            repository.branches.push(given());
            return [201, {}];
        case "PUT contents/images/published.json":
        case "PUT contents/local/toolchain/release.json": {
            const { content, ...rest } = given() as { content: string };
            expect(rest).toMatchObject({ branch: "published-1.4.2", sha: "0".repeat(40) });
            repository.commits[pathname.replace("/repos/o/r/contents/", "")] = JSON.parse(
                Buffer.from(content, "base64").toString(),
            ) as unknown;
            return [200, {}];
        }
        case "POST pulls":
            repository.pulls.push(given());
            return [201, {}];
        default:
            return undefined;
    }
}

beforeAll(async () => {
    const toolchain = await releaseTools();
    loopback = await Loopback.at(registry, toolchain);
    const current = await currentVersion();
    for (const of of ["amd64", "arm64"]) {
        const part = `${registry}/built/backend:${of}`;
        await loopback.image(of, current, of);
        await loopback.crane("mutate", part, "--tag", part, "--set-platform", `linux/${of}`);
    }
    workflows = await Act.start(toolchain, await GitHub.start(token, api), token);
    for (const name of ["publish", "check"]) workflows.uncontained(name);
    const base = `${registry}/built/backend:amd64`;
    pinned = (await loopback.crane("digest", base)).trim();
    const pins = { baseImage: `${base}@${pinned}`, snapshot: "20261123T000000Z" };
    writeFileSync(join(workflows.repository, "images/pins.json"), JSON.stringify(pins));
    await workflows.commit("a release");
    sha = (await workflows.git("rev-parse", "HEAD")).trim();
    Object.assign(workflows.env, {
        COSIGN_PASSWORD: password,
        PATH: [join(import.meta.dirname, "commands"), process.env.PATH].join(delimiter),
        TEST_AUDIT: clean,
        TEST_KEY: join(loopback.folder, "cosign.key"),
        TEST_PASSWORD: token,
        TEST_REGISTRY: registry,
    });
});

afterAll(() => {
    workflows.end();
    loopback.close();
});

const publish = (env: NodeJS.ProcessEnv = {}, changed: Readonly<Record<string, string>> = {}) =>
    workflows.run("push", "publish", pushed, { ...variables, ...changed }, env);
const published = async (): Promise<boolean> =>
    (await loopback.crane("catalog", registry)).split("\n").includes("published/backend");

test("without a registry of the repository's nothing runs", async () => {
    const { succeeded, output } = await publish({}, { PUBLISH_REGISTRY: "" });
    expect(succeeded, output).toBe(true);
    expect(output).not.toContain("Run Main");
});

test("a commit that `make test` has not passed on is not built, whatever others say of it", async () => {
    repository.passed = false;
    const { succeeded, output } = await publish();
    expect(succeeded).toBe(false);
    expect(output).toContain(`the job "test" has not succeeded on ${sha}`);
    expect(await published()).toBe(false);
});

test("a known vulnerability of a Python package stops the release, and nothing is proposed", async () => {
    const planted = { name: "starlette", version: "0.1.0", vulns: [{ id: "PYSEC-2023-83", fix_versions: ["0.27.0"] }] };
    const { succeeded, output } = await publish({ TEST_AUDIT: JSON.stringify({ dependencies: [planted] }) });
    expect(succeeded).toBe(false);
    expect(output).toContain("starlette 0.1.0 has PYSEC-2023-83; update it to 0.27.0");
    expect(await published()).toBe(false);
    expect([repository.release, repository.pulls]).toEqual([undefined, []]);
}, 900_000);

test("a tag is built for both processors, published, released with its tools, and proposed as the default", async () => {
    const { succeeded, output } = await publish();
    expect(succeeded, output.slice(-5000)).toBe(true);
    expect(output).not.toContain(password);
    const { "images/published.json": images, "local/toolchain/release.json": download } = repository.commits;
    const { releases } = images as { releases: Record<"0.33", { version: string; images: Record<string, string> }> };
    expect(releases["0.33"].version).toBe("1.4.2");
    expect(Object.keys(releases["0.33"].images)).toEqual(names);
    for (const reference of Object.values(releases["0.33"].images)) {
        const { manifests } = JSON.parse(await loopback.crane("manifest", reference)) as {
            manifests: { platform: { architecture: string } }[];
        };
        expect(manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"]);
    }
    for (const of of ["amd64", "arm64"])
        expect((await loopback.crane("digest", `${registry}/published/staging/base:1.4.2-${of}`)).trim()).toBe(pinned);
    expect(repository.assets).toEqual(["tools\n"]);
    expect(download).toEqual({ url: address.replace("linux-x64", "{platform}") });
    expect(repository.branches).toEqual([{ ref: "refs/heads/published-1.4.2", sha }]);
    const title = "feat: the images and tools of v1.4.2";
    expect(repository.pulls).toEqual([{ title, head: "published-1.4.2", base: "main" }]);
}, 900_000);

test("a pull request is checked, and a commit of main is tested", async () => {
    const change = { number: 7, pull_request: { number: 7, head: { ref: "change" }, base: { ref: "main" } } };
    const checked = await workflows.run("pull_request", "check", change, {});
    expect(checked.succeeded, checked.output).toBe(true);
    const ran = (output: string): string[] =>
        [...output.matchAll(/make ([a-z-]+): in place of it/g)].map(([, target = ""]) => target);
    expect(ran(checked.output)).toEqual(["check", "workflow-test"]);
    const tested = await workflows.run("push", "check", { ref: "refs/heads/main" }, {});
    expect(tested.succeeded, tested.output).toBe(true);
    expect(ran(tested.output)).toEqual(["test"]);
});
