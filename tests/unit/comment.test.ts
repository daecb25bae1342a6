/** The step that writes the comment, as preview.yml has it, against a GitHub of this process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { bot, GitHub } from "../local/github.ts";

const jobs = (parse(readFileSync(".github/workflows/preview.yml", "utf8")) as { jobs: Record<string, unknown> }).jobs;
const { steps, permissions } = jobs["comment"] as { steps: { run?: string; uses?: string }[]; permissions: object };
const token = "planted-token-5c1e";

let github: GitHub;
let folder: string;

beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "orcheo-comment-"));
    github = await GitHub.start(token);
});

afterEach(() => {
    github.stop();
    rmSync(folder, { recursive: true });
});

async function write(comment: string, more: NodeJS.ProcessEnv = {}): Promise<{ code: number; output: string }> {
    const env = {
        ...{ PATH: process.env["PATH"], GITHUB_REPOSITORY: "o/r", NUMBER: "7", GH_TOKEN: token, COMMENT: comment },
        ...{ GITHUB_API_URL: github.url, RUNNER_TEMP: folder, ...more },
    };
    // As GitHub runs a step of bash.
    const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", steps[0]?.run ?? ""], { env });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
    const [code] = (await once(child, "close")) as [number];
    return { code, output };
}

test("there is one comment, rewritten in place, whoever else wrote some", async () => {
    const others = [
        { login: "somebody", body: "<!-- preview of prod -->\nmine" },
        { login: bot, body: "coverage" },
        ...Array.from({ length: 150 }, (_, n) => ({ login: "somebody", body: `${n}` })),
    ];
    github.comments = others.map(({ login, body }, at) => ({ id: at + 1, user: { login }, body }));
    expect(await write("<!-- preview of prod -->\nfirst")).toEqual({ code: 0, output: "" });
    expect(await write("<!-- preview of prod -->\nsecond `$(id)` \"'")).toEqual({ code: 0, output: "" });
    expect(await write("<!-- preview of staging -->\nother")).toEqual({ code: 0, output: "" });
    expect(github.comments.slice(others.length).map(({ body }) => body)).toEqual([
        "<!-- preview of prod -->\nsecond `$(id)` \"'",
        "<!-- preview of staging -->\nother",
    ]);
    expect(github.comments.slice(0, others.length).map(({ body }) => body)).toEqual(others.map(({ body }) => body));
});

test("the longest comment arrives whole", async () => {
    const longest = `<!-- preview of prod -->\n${"ü".repeat(32_480)}`;
    expect(await write(longest)).toEqual({ code: 0, output: "" });
    expect(github.comments[0]?.body).toBe(longest);
});

test("a refusal fails the step, says why and shows no token", async () => {
    const { code, output } = await write("<!-- preview of prod -->\na", { GH_TOKEN: "other-token" });
    expect(code).not.toBe(0);
    expect(output).toContain("401");
    expect(output).not.toContain("other-token");
});

test("the job that may write runs nothing of the pull request, which of a fork has no run at all", () => {
    expect(permissions).toEqual({ "pull-requests": "write" });
    expect(steps.map(({ uses }) => uses)).toEqual([undefined]);
    const { if: condition, permissions: rights } = jobs["preview"] as { if: string; permissions: object };
    expect(condition).toContain("github.event.pull_request.head.repo.full_name == github.repository");
    expect(rights).toEqual({ contents: "read", "id-token": "write" });
});
