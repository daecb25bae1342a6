/** docs/security.md says where each line of the checklist is enforced and which test shows it: both have to exist. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rules } from "../../policies/table";

interface Line {
    readonly says: string;
    readonly enforced: string;
    readonly shown: string;
}

function linesOf(text: string): readonly Line[] {
    const rows = text.split("\n").filter((line) => line.startsWith("| ") && !/^\| (-+|the checklist says) /.test(line));
    return rows.map((row) => {
        const [, says = "", enforced = "", shown = ""] = row.split("|").map((cell) => cell.trim());
        return { says, enforced, shown };
    });
}

const spansOf = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
const isRuleName = (span: string): boolean => /^[a-z0-9]+(-[a-z0-9]+)+$/.test(span);

/** What is wrong with a line: a rule that does not exist, a test that does not, or none named. */
function problemsOf({ enforced, shown }: Line): readonly string[] {
    const names = rules.map(({ name }) => name);
    const unknown = spansOf(enforced).filter((span) => isRuleName(span) && !names.includes(span));
    const tests = spansOf(shown).filter((span) => span.startsWith("tests/"));
    const missing = tests.filter((test) => !existsSync(test));
    const admitted = shown.startsWith("no test") && enforced.includes("**not yet**");
    return [...unknown, ...missing, ...(tests.length === 0 && !admitted ? ["no test is named"] : [])];
}

const lines = linesOf(readFileSync("docs/security.md", "utf8"));

/** The checklist of Orcheo's containerization strategy, in its words, and the lines that answer it. */
const checklist = {
    "Run containers as non-root user": ["containers do not run as root"],
    "Enable read-only root filesystem": ["the root file system is read-only"],
    "Drop all capabilities, add only required ones": ["no capabilities, no privilege escalation"],
    "Scan images for vulnerabilities": ["images are scanned"],
    "Use secrets management": ["secrets are managed"],
    "Enable AppArmor/SELinux profiles": ["seccomp, AppArmor, SELinux"],
    "Set resource limits (CPU, memory, PIDs)": ["limits for CPU, memory, disk", "limits for PIDs"],
    "Use private registries for proprietary images": ["private registries"],
    "Implement network policies": ["network policies"],
    "Enable TLS for all external communication": ["TLS on outside connections"],
    "Rotate secrets regularly": ["secrets are rotated"],
    "Monitor container escape attempts": ["attempts to escape are noticed"],
    "Audit logs for security events": ["audit logs"],
    "Keep base images updated": ["base images are current"],
};

describe("the security checklist", () => {
    it.each(Object.entries(checklist))("answers %s", (_, answers) => {
        for (const answer of answers) expect(lines.map(({ says }) => says)).toContain(answer);
    });

    it.each(lines.map((line) => [line.says, line] as const))("%s: rules and tests exist", (_, line) => {
        expect(problemsOf(line)).toEqual([]);
    });

    it("would be noticed if they did not", () => {
        const line = { says: "", enforced: "`no-such-rule`", shown: "`tests/unit/gone.test.ts`" };
        expect(problemsOf(line)).toEqual(["no-such-rule", "tests/unit/gone.test.ts"]);
        expect(problemsOf({ says: "", enforced: "`image-signed`", shown: "by hand" })).toEqual(["no test is named"]);
    });
});
