/** What the logs of the backend remove: secrets as the policy pack knows them, on the pack's own corpus. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { formats } from "../../../policies/secret-formats.ts";
import { expressions, holdsSecret } from "../../../policies/secrets.ts";
import { programSecrets } from "../../policy/secret-corpus-programs.ts";
import { moreSecrets } from "../../policy/secret-corpus-second.ts";
import { vendorSecrets } from "../../policy/secret-corpus-vendors.ts";
import { secrets } from "../../policy/secret-corpus.ts";

const ofVariables = [...secrets, ...programSecrets, ...vendorSecrets, ...moreSecrets].filter(
    ({ where }) => where === "env",
);
/** Those that the pack misses too. */
const missed = ["0924c3.b3c0f257030e9439", "root"];

function redacted(lines: readonly string[]): readonly string[] {
    const script =
        "import json, sys; from orcheo_runtime.redact import Redactor; print(json.dumps([*map(Redactor([]), json.load(sys.stdin))]))";
    const python = spawnSync("python3", ["-c", script], {
        cwd: resolve("images/backend"),
        input: JSON.stringify(lines),
        encoding: "utf8",
        env: { PATH: process.env["PATH"], PYTHONDONTWRITEBYTECODE: "1" },
    });
    expect(python.stderr).toBe("");
    return JSON.parse(python.stdout) as string[];
}

test("the image knows secrets by the same formats and names as the policy pack (`npm run docs` writes them)", async () => {
    const { anyName, ...rest } = expressions;
    const names = Object.entries(rest).filter(([, source]) => typeof source === "string");
    const patterns = { formats, anyName: anyName.replace("(?i)", ""), names: Object.fromEntries(names) };
    await expect(`${JSON.stringify(patterns, null, 4)}\n`).toMatchFileSnapshot(
        "../../../images/backend/orcheo_runtime/secret_patterns.json",
    );
});

test("what is a secret by its format is removed from the middle of a line", () => {
    const values = ofVariables.map(({ value }) => value).filter(holdsSecret);
    expect(values.length).toBeGreaterThan(100);
    const lines = redacted(values.map((value) => `cannot reach the server with ${value} (attempt 2)`));
    expect(lines.filter((line, index) => holdsSecret(line) || line.includes(values[index] ?? ""))).toEqual([]);
});

test("what is a secret by its name is removed", () => {
    const named = ofVariables.filter(({ value }) => !holdsSecret(value));
    expect(named.length).toBeGreaterThan(40);
    const lines = redacted(named.map(({ name, value }) => `started with ${name}=${value} in its environment`));
    const left = named.filter(({ value }, index) => lines[index]?.includes(value));
    expect(left.map(({ value }) => value)).toEqual(missed);
});
