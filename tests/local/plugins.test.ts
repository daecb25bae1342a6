import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectDir } from "../../local/paths.ts";
import { pluginSettings } from "../../local/plugins.ts";

const documented = readFileSync(join(projectDir, "docs", "config.md"), "utf8");

describe("what `make plugins` reads of a stack", () => {
    it("is release, lock and plugins, with the program's own defaults", () => {
        const plugins = [{ package: "Orcheo_Plugin.One", version: "1.2.0" }];
        const { lock, ...rest } = pluginSettings({ images: { plugins } }, "f");
        expect(rest).toEqual({ release: "0.33", plugins: ["orcheo-plugin-one==1.2.0"] });
        expect(documented).toContain(`| \`"${lock}"\` | \`kind: build\` | Lock of the plugins`);
        const other = { release: "0.46", images: { plugins, pluginLock: "a/b.lock" } };
        expect(pluginSettings(other, "f")).toMatchObject({ release: "0.46", lock: "a/b.lock" });
    });

    it("is refused with file, keys and values, all at once", () => {
        const plugins = [{ package: "x", version: ">=1" }, { package: "--pre", version: "1" }, "x"];
        expect(() => pluginSettings({ release: "0.9", images: { plugins } }, "Pulumi.dev.yaml")).toThrow(
            [
                "Pulumi.dev.yaml: nothing was changed",
                '  - orcheo:stack.release: found "0.9"; accepted: 0.33, 0.46',
                "  - orcheo:stack.images.plugins[0]: found x==>=1; accepted: a package and one exact version",
                "  - orcheo:stack.images.plugins[1]: found --pre==1; accepted: a package and one exact version",
                '  - orcheo:stack.images.plugins[2]: found "x"; accepted: a package and one exact version',
            ].join("\n"),
        );
        expect(() => pluginSettings({}, "f")).toThrow("orcheo:stack.images.plugins: names none");
    });
});
