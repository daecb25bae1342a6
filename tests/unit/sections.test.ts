/** The ESLint rule that nobody below components/stack takes the whole `Stack` (eslint.config.mjs). */
import { ESLint, Linter } from "eslint";
import { parser } from "typescript-eslint";
import { expect, test } from "vitest";

const rule = "no-restricted-syntax";
const eslint = new ESLint();

/** Messages of the project's own rule for a file of this path. */
async function found(path: string, code: string): Promise<readonly string[]> {
    const config = (await eslint.calculateConfigForFile(path)) as { rules: Linter.RulesRecord };
    const rules = { [rule]: config.rules[rule] ?? "off" } as Linter.RulesRecord;
    const messages = new Linter().verify(code, [{ files: ["**/*.ts"], languageOptions: { parser }, rules }], path);
    return messages.map(({ message }) => message);
}
const part = "components/cache/cache.plan.ts";

test.each([
    ["a parameter", "function plan(stack: Stack) { return stack; }"],
    ["a field of the arguments", "interface Args { readonly stack: Stack }"],
    ["a destructured parameter", "const plan = ({ host }: Stack) => host;"],
    ["a union", "function plan(stack: Stack | undefined) { return stack; }"],
    ["a list", "const plan = (stacks: readonly Stack[]) => stacks;"],
    ["a generic type", "const plan = (stack: Readonly<Stack>) => stack;"],
    ["everything but a section", 'const plan = (stack: Omit<Stack, "host">) => stack;'],
    ["a name for it", "type All = Stack;"],
    ["an interface", "interface All extends Stack {}"],
    ["another name", 'import type { Stack as All } from "../config/schema";'],
])("a part that takes the whole stack as %s is refused", async (_, code) => {
    expect(await found(part, code)).toEqual([expect.stringContaining("Name the sections")]);
});

test.each([
    ["the sections it needs", 'const plan = ({ host }: Pick<Stack, "host" | "cache">) => host;'],
    ["one section", 'const plan = (cache: Stack["cache"]) => cache;'],
    ["an import", 'import type { Stack } from "../config/schema";'],
])("%s may be named", async (_, code) => {
    expect(await found(part, code)).toEqual([]);
});

test.each(["components/stack/read.ts", "components/config/derived.ts"])("%s may take all of it", async (path) => {
    expect(await found(path, "function all(stack: Stack) { return stack; }")).toEqual([]);
});
