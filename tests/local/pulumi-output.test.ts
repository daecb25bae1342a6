/** Pulumi's output as `make up` treats it; the texts are shortened from real ones. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { failureOf, progressOf, summaryOf } from "../../local/pulumi-output.ts";
import { pulumi } from "../../local/pulumi.ts";

const preview = `Previewing update (dev):
 +  pulumi:pulumi:Stack orcheo-dev create 
 +  kubernetes:core/v1:Namespace cluster-namespace create 
Policies:
    ⚠️ orcheo@v0.1.0 (local: /project/policies)
        - [advisory]  volume-class  (kubernetes:core/v1:PersistentVolumeClaim: postgres-data)
          A claim without a class lands on whatever the cluster's default is today.

Resources:
    + 132 to create
`;
const updating = `
Updating (dev):
 +  kubernetes:core/v1:Namespace cluster-namespace creating (0s) 
@ updating....
 +  kubernetes:core/v1:Namespace cluster-namespace created (0.03s) 
 +  docker-build:index:Image image-postgres creating (69s) #6 66.73 Unpacking libz3-4:amd64 (4.13.3-1) ...
 ++ kubernetes:apps/v1:Deployment api replaced (4s) 
`;
const diagnostics = `Diagnostics:
  kubernetes:apps/v1:Deployment (api):
    error: 1 error occurred:
    	* the container "api" ended with exit code 78; its last lines:
          ORCHEO_CORS: found "*"; origins are accepted
`;
const policies = preview.slice(preview.indexOf("Policies:"), preview.indexOf("Resources:"));

describe("progress", () => {
    test("counts the resources that an update is done with, not those of the preview", () => {
        const follow = progressOf();
        const seen = [...preview.replaceAll(" create ", " created ").split("\n"), ...updating.split("\n")].map((line) =>
            follow(line),
        );
        expect(seen.filter((far) => far !== undefined)).toEqual([
            "update",
            "update: 1 resource done",
            "update: 2 resources done",
        ]);
    });
});

describe("a failure", () => {
    test("is shown with every line of its diagnostics, however many", () => {
        const long = diagnostics + "      a line of a container's log\n".repeat(200);
        expect(failureOf(`${preview}${updating}${long}\nResources:\n    + 3 created\n`)).toBe(
            `${long}\nResources:\n    + 3 created`,
        );
    });

    test("of a mandatory policy is shown with it, although the diagnostics that follow say only that the preview failed", () => {
        const violated = policies.replaceAll("advisory", "mandatory");
        const failed = "Diagnostics:\n  pulumi:pulumi:Stack (orcheo-dev):\n    error: preview failed\n";
        expect(failureOf(`Previewing update (dev):\n${violated}${failed}`)).toBe(`${violated}${failed}`.trimEnd());
        // Advice is not the reason.
        expect(failureOf(`Previewing update (dev):\n${policies}${failed}`)).toBe(failed.trimEnd());
    });

    test("of the policies in the preview is shown with them", () => {
        expect(failureOf(preview)).toBe(preview.slice(preview.indexOf("Policies:")).trimEnd());
    });

    test("without either is shown with its last 20 lines", () => {
        const lines = Array.from({ length: 30 }, (_none, index) => `line ${index}`);
        expect(failureOf(lines.join("\n")).split("\n")).toEqual(lines.slice(10));
    });
});

describe("a success", () => {
    test("leaves how much changed and what policies advise", () => {
        expect(
            summaryOf(
                `${preview}${updating}${policies}Resources:\n    + 132 created\n    2 unchanged\n\nDuration: 6m15s\n`,
            ),
        ).toEqual(["132 created, 2 unchanged, 1 advisory policy finding"]);
    });

    test("keeps its warnings in full", () => {
        const warned = "Diagnostics:\n  pulumi:pulumi:Stack (orcheo-dev):\n    warning: unsafe: the sign-in is off\n\n";
        expect(summaryOf(`${preview}${updating}${warned}Resources:\n    1 unchanged\n`)).toEqual([
            "Diagnostics:",
            "  pulumi:pulumi:Stack (orcheo-dev):",
            "    warning: unsafe: the sign-in is off",
            "1 unchanged",
        ]);
    });
});

describe("the program", () => {
    const dir = mkdtempSync(join(tmpdir(), "orcheo-pulumi-"));
    const log = join(dir, "logs", "up.log");
    afterAll(() => {
        rmSync(dir, { recursive: true, force: true });
    });
    const environment = (code: number): NodeJS.ProcessEnv => {
        writeFileSync(join(dir, "output"), `${preview}${updating}${diagnostics}`);
        writeFileSync(join(dir, "pulumi"), `#!/bin/sh\ncat '${join(dir, "output")}'\nexit ${code}\n`);
        chmodSync(join(dir, "pulumi"), 0o755);
        return { PATH: `${dir}:${process.env.PATH ?? ""}` };
    };

    test("fails with the diagnostics and names the log, which has everything and is nobody else's to read", async () => {
        await expect(pulumi(["up"], environment(255), { log })).rejects.toThrow(
            `${diagnostics.trimEnd()}\n\npulumi up: exit code 255. The reason is above; everything that was running before still runs. ` +
                `Full output: ${log}. Fix it and run the same command again.`,
        );
        expect(readFileSync(log, "utf8")).toBe(`${preview}${updating}${diagnostics}`);
        expect(statSync(log).mode & 0o777).toBe(0o600);
    });

    test("says how far it is", async () => {
        const seen: string[] = [];
        const output = await pulumi(["up"], environment(0), { log, progress: (text) => seen.push(text) });
        expect(output).toContain("created (0.03s)");
        expect(seen.at(-1)).toBe("update: 2 resources done");
    });
});
