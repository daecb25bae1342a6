/** Every link and every path of the project that its documents name leads somewhere. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const documents = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
    encoding: "utf8",
})
    .trim()
    .split("\n")
    .filter((file) => existsSync(file));

const withoutBlocks = (text: string): string => text.replaceAll(/^ *```.*?^ *```$/gms, "");

/** Anchors of a document's headings, as GitHub makes them. */
function anchorsOf(file: string): ReadonlySet<string> {
    const seen = new Map<string, number>();
    const anchors = [...withoutBlocks(readFileSync(file, "utf8")).matchAll(/^#{1,6} +(.+)$/gm)].map(
        ([, title = ""]) => {
            const slug = title
                .toLowerCase()
                .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
                .replaceAll(" ", "-");
            const count = seen.get(slug) ?? 0;
            seen.set(slug, count + 1);
            return count === 0 ? slug : `${slug}-${count}`;
        },
    );
    return new Set(anchors);
}

/** What a document links to, below the project. */
function deadLinks(file: string, text = readFileSync(file, "utf8")): string[] {
    const targets = [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    return targets.filter((target) => {
        if (/^[a-z+]+:/.test(target)) return false;
        const [path = "", anchor] = target.split("#");
        const to = path === "" ? file : normalize(join(dirname(file), decodeURIComponent(path)));
        if (!existsSync(to)) return true;
        return anchor !== undefined && to.endsWith(".md") && !anchorsOf(to).has(anchor);
    });
}

/** Paths in code spans that begin with a folder of the project. */
function deadPaths(text: string): string[] {
    const spans = [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
    const path = /^(components|docs|images|local|policies|tests|examples|\.github)\/[\w./-]+$/;
    return spans.filter((span) => path.test(span) && !existsSync(span));
}

describe("documents", () => {
    it.each(documents)("%s", (file) => {
        const text = readFileSync(file, "utf8");
        expect({ links: deadLinks(file), paths: deadPaths(text) }).toEqual({ links: [], paths: [] });
    });

    it("would be noticed if their targets were missing", () => {
        const text = "[a](gone.md) [b](aws.md#no-such-heading) [c](#d) `components/gone.ts` [e](aws.md) `docs/aws.md`";
        expect(deadLinks("docs/kubernetes.md", text)).toEqual(["gone.md", "aws.md#no-such-heading", "#d"]);
        expect(deadPaths(text)).toEqual(["components/gone.ts"]);
    });
});
