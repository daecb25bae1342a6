import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { linkPlugins } from "../../local/pulumi.ts";
import { binariesOf } from "../../local/toolchain/build.ts";
import { tools } from "../../local/toolchain/tools.ts";

it("a stack needs no plugin that `make up` does not build", () => {
    const built = tools.filter(({ group }) => ["cluster", "add-ons", "pulumi"].includes(group)).flatMap(binariesOf);
    const bin = (name: string): string => {
        if (!built.includes(name)) throw new Error(`not built: ${name}`);
        return join("/built", name);
    };
    const dir = mkdtempSync(join(tmpdir(), "orcheo-plugins-"));
    try {
        linkPlugins(dir, { bin });
        const linked = readdirSync(join(dir, "home", "plugins")).map((name) => name.replace(/-v[^-]*$/, ""));
        expect(linked.sort()).toEqual([
            "language-nodejs",
            "resource-docker-build",
            "resource-kubernetes",
            "resource-random",
        ]);
    } finally {
        rmSync(dir, { recursive: true });
    }
});
