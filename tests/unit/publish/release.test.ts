/** The steps of publish.yml that write to GitHub, as the file has them, against a GitHub of this process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";

interface Job {
    readonly needs: string | string[];
    readonly permissions: object;
    readonly steps: readonly { readonly id?: string; readonly run?: string; readonly uses?: string }[];
}

const { jobs } = parse(readFileSync(".github/workflows/publish.yml", "utf8")) as { jobs: Record<string, Job> };
const token = "planted-token-93af";
const bundle = "toolchain-linux-x64.tar.zst";

let server: Server;
let base: string;
let folder: string;
let releases: {
    tag_name: string;
    prerelease: boolean;
    assets: { name: string; content: string; browser_download_url: string }[];
}[];
/** Files of the branches, by branch and path. */
let files: Map<string, string>;
let branches: Map<string, string>;
let pulls: { head: string; base: string; title: string }[];

beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "orcheo-release-"));
    writeFileSync(join(folder, bundle), "the tools");
    releases = [];
    pulls = [];
    branches = new Map([["main", "c0ffee"]]);
    files = new Map([
        ["main images/published.json", '{"releases": {}}\n'],
        ["main local/toolchain/release.json", '{\n    "url": ""\n}\n'],
    ]);
    server = createServer((request, response) => {
        const parts: Buffer[] = [];
        request.on("data", (part: Buffer) => parts.push(part));
        request.on("end", () => {
            const { status, value } = answered(
                request.method ?? "",
                new URL(request.url ?? "", base),
                Buffer.concat(parts).toString(),
                request.headers.authorization,
            );
            response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
        });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
    server.close();
    rmSync(folder, { recursive: true });
});

/** What GitHub's API answers, as far as the steps ask it. */
function answered(method: string, url: URL, body: string, authorization?: string): { status: number; value: unknown } {
    if (authorization !== `Bearer ${token}`) return { status: 401, value: { message: "Bad credentials" } };
    const said = (): Record<string, string> => JSON.parse(body) as Record<string, string>;
    const shownOf = (release: (typeof releases)[number]) => ({
        ...release,
        upload_url: `${base}/upload/${release.tag_name}/assets{?name,label}`,
    });
    const asked = `${method} ${url.pathname.replace("/repos/o/r/", "")}`;
    const tag = /^GET releases\/tags\/(.*)$/.exec(asked)?.[1];
    const file = /^(?:GET|PUT) contents\/(.*)$/.exec(asked)?.[1];
    const target = /^POST \/upload\/(.*)\/assets$/.exec(asked)?.[1];
    if (tag !== undefined) {
        const found = releases.find(({ tag_name }) => tag_name === tag);
        return found ? { status: 200, value: shownOf(found) } : { status: 404, value: { message: "Not Found" } };
    }
    if (asked === "POST releases") {
        const { tag_name, prerelease } = JSON.parse(body) as { tag_name: string; prerelease: boolean };
        const release = { tag_name, prerelease, assets: [] };
        releases.push(release);
        return { status: 201, value: shownOf(release) };
    }
    if (target !== undefined) {
        const name = url.searchParams.get("name") ?? "";
        const asset = { name, content: body, browser_download_url: `https://github.test/download/${target}/${name}` };
        releases.find(({ tag_name }) => tag_name === target)?.assets.push(asset);
        return { status: 201, value: asset };
    }
    if (asked === "GET git/ref/heads/main") return { status: 200, value: { object: { sha: branches.get("main") } } };
    if (asked === "POST git/refs") {
        const name = (said()["ref"] ?? "").replace("refs/heads/", "");
        if (branches.has(name)) return { status: 422, value: { message: "Reference already exists" } };
        branches.set(name, said()["sha"] ?? "");
        return { status: 201, value: {} };
    }
    if (file !== undefined && method === "GET") {
        const content = files.get(`${url.searchParams.get("ref") ?? ""} ${file}`) ?? "";
        // In lines, as GitHub does.
        const lines = Buffer.from(content).toString("base64").replace(/.{60}/g, "$&\n");
        return { status: 200, value: { content: `${lines}\n`, sha: `sha of ${file}` } };
    }
    if (file !== undefined) {
        const { branch = "", content = "", sha = "" } = said();
        if (!branches.has(branch) || sha !== `sha of ${file}`) return { status: 409, value: { message: "Conflict" } };
        files.set(`${branch} ${file}`, Buffer.from(content, "base64").toString());
        return { status: 200, value: {} };
    }
    if (asked === "POST pulls") {
        pulls.push(JSON.parse(body) as (typeof pulls)[number]);
        return { status: 201, value: {} };
    }
    return { status: 404, value: { message: `Not Found: ${asked}` } };
}

/** Runs the script of a job's only step that has one, as GitHub runs a step of bash. @returns the step's outputs */
async function step(job: string, more: NodeJS.ProcessEnv): Promise<Record<string, string>> {
    const output = join(folder, "output");
    writeFileSync(output, "");
    const script = join(folder, "step.sh");
    writeFileSync(script, jobs[job]?.steps.find(({ run }) => run !== undefined)?.run ?? "exit 99");
    const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
        cwd: folder,
        stdio: ["ignore", "ignore", "pipe"],
        env: {
            ...{ PATH: process.env["PATH"], GITHUB_API_URL: base, GITHUB_REPOSITORY: "o/r", GH_TOKEN: token },
            ...{
                GITHUB_REF_NAME: "v1.4.2",
                GITHUB_OUTPUT: output,
                GITHUB_STEP_SUMMARY: join(folder, "summary"),
                ...more,
            },
        },
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const [code] = (await once(child, "close")) as [number];
    expect(code, errors).toBe(0);
    const lines = readFileSync(output, "utf8").trim().split("\n");
    return Object.fromEntries(
        lines
            .filter((line) => line !== "")
            .map((line): [string, string] => {
                const [name = "", value = ""] = line.split(/=(.*)/s);
                return [name, value];
            }),
    );
}

const address = "https://github.test/download/v1.4.2/toolchain-{platform}.tar.zst";
const digests = Buffer.from('{"releases": {"0.33": {}}}\n').toString("base64");

test("the tools become an asset of the tag's release, once, and their address has no platform", async () => {
    expect(await step("release", {})).toEqual({ toolchain: address });
    expect(await step("release", {})).toEqual({ toolchain: address });
    expect(releases).toMatchObject([
        { tag_name: "v1.4.2", prerelease: false, assets: [{ name: bundle, content: "the tools" }] },
    ]);
});

test("a release whose notes a person wrote gets the tools; a pre-release is one", async () => {
    releases.push({ tag_name: "v1.4.2", prerelease: false, assets: [] });
    await step("release", {});
    await step("release", { GITHUB_REF_NAME: "v1.5.0-rc.1" });
    expect(releases.map(({ tag_name, prerelease, assets }) => [tag_name, prerelease, assets.length])).toEqual([
        ["v1.4.2", false, 1],
        ["v1.5.0-rc.1", true, 1],
    ]);
});

test("one pull request proposes digests and tools", async () => {
    await step("propose", { DIGESTS: digests, TOOLCHAIN: address });
    expect(branches.get("published-1.4.2")).toBe("c0ffee");
    expect(files.get("published-1.4.2 images/published.json")).toBe('{"releases": {"0.33": {}}}\n');
    expect(files.get("published-1.4.2 local/toolchain/release.json")).toBe(`{\n    "url": "${address}"\n}\n`);
    expect(pulls).toEqual([{ title: "feat: the images and tools of v1.4.2", head: "published-1.4.2", base: "main" }]);
});

test("only what differs is proposed, and nothing when nothing does", async () => {
    files.set("main images/published.json", '{"releases": {"0.33": {}}}\n');
    await step("propose", { DIGESTS: digests, TOOLCHAIN: address });
    expect([...files.keys()].filter((name) => !name.startsWith("main "))).toEqual([
        "published-1.4.2 local/toolchain/release.json",
    ]);
    files.set("main local/toolchain/release.json", `{\n    "url": "${address}"\n}\n`);
    await step("propose", { DIGESTS: digests, TOOLCHAIN: address, GITHUB_REF_NAME: "v1.4.3" });
    expect([branches.has("published-1.4.3"), pulls.length]).toEqual([false, 1]);
    expect(readFileSync(join(folder, "summary"), "utf8")).toContain("stay as they are");
});

test("the job that builds the tools may only read", () => {
    expect(jobs["toolchain"]?.permissions).toEqual({ contents: "read" });
});
