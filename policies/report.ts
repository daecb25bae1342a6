/**
 * Judges what is already written down, without Pulumi's engine:
 *
 *     node policies/report.ts [--json | --sarif | --markdown] [--config FILE] [--stack-config FILE] FILE…
 *
 * A FILE holds Kubernetes manifests (YAML of any number of documents, or JSON), a `pulumi stack export`, or a
 * `pulumi preview --json`; `-` is standard input. `--config` takes what `--policy-pack-config` takes; `--stack-config` is
 * the Pulumi.<stack>.yaml with the exceptions. Exit code 1 when a mandatory rule is broken, 2 when a file cannot be
 * read or holds no resource.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { parseAllDocuments } from "yaml";

import { exceptionsIn, exceptionsKey } from "./exceptions.ts";
import { findings, type Located, type Terms } from "./findings.ts";
import { asJson, asMarkdown, asSarif, asText } from "./formats.ts";
import { resourcesIn } from "./read.ts";
import { rules } from "./table.ts";
import { at } from "./values.ts";

const options = {
    json: { type: "boolean" },
    sarif: { type: "boolean" },
    markdown: { type: "boolean" },
    config: { type: "string" },
    "stack-config": { type: "string" },
} as const;

function read(file: string): string {
    return readFileSync(file === "-" ? 0 : file, "utf8");
}

/** The value of a file in YAML or JSON. */
function valueOf(file: string | undefined): unknown {
    if (file === undefined) return undefined;
    const [document] = parseAllDocuments(read(file));
    const [problem] = document?.errors ?? [];
    if (problem !== undefined) throw new Error(`${file}: ${problem.message}`);
    return document?.toJS();
}

const names = rules.map((rule) => rule.name);

/** @returns the exit code */
function main(): number {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (positionals.length === 0) {
        console.error(
            "usage: node policies/report.ts [--json | --sarif | --markdown] [--config FILE] [--stack-config FILE] FILE…",
        );
        return 2;
    }
    let located: readonly Located[];
    let terms: Terms;
    try {
        located = positionals.flatMap((file) => {
            const within = resourcesIn(read(file), file);
            // What came to nothing on the way here must not pass for what breaks no rule.
            if (within.length === 0) throw new Error(`${file}: there is no resource in it`);
            return within;
        });
        terms = {
            config: valueOf(values.config),
            exceptions: exceptionsIn(at(valueOf(values["stack-config"]), "config", exceptionsKey), names),
        };
    } catch (error) {
        console.error(error instanceof Error ? error.message : String(error));
        return 2;
    }
    const all = findings(located, rules, terms);
    if (values.json === true) console.log(asJson(all, located.length));
    else if (values.sarif === true) console.log(JSON.stringify(asSarif(all, rules), null, 2));
    else if (values.markdown === true) console.log(asMarkdown(all, located.length));
    else console.log(asText(all, located.length));
    return all.some((each) => each.level === "mandatory") ? 1 : 0;
}

if (import.meta.main) process.exitCode = main();
