#!/usr/bin/env node
/**
 * Evaluates what is already written down, without Pulumi's engine:
 *
 *     node policies/report.ts [options] FILE|FOLDER|-…
 *
 * They hold Kubernetes manifests (YAML of any number of documents, or JSON), a Compose file, a `pulumi stack export`, or a
 * `pulumi preview --json`; `-` is standard input. Exit codes: 0 nothing mandatory is broken, 1 a mandatory rule is,
 * 2 the command line or a file of settings is wrong, 3 something could not be evaluated.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { parseAllDocuments } from "yaml";

import { since } from "./baseline.ts";
import { exceptionsIn, exceptionsKey } from "./exceptions.ts";
import { findings, type Finding, type Terms } from "./findings.ts";
import { asJson, asMarkdown, asSarif, asText } from "./formats.ts";
import { readInputs, type Inputs } from "./inputs.ts";
import { profileKey, profileNamed } from "./profiles.ts";
import { worded } from "./read.ts";
import { exceptionsAreCurrent } from "./rules/exceptions-are-current.ts";
import { settingsProblems } from "./settings.ts";
import { rules } from "./table.ts";
import { at } from "./values.ts";

const options = {
    json: { type: "boolean" },
    sarif: { type: "boolean" },
    markdown: { type: "boolean" },
    config: { type: "string" },
    "stack-config": { type: "string" },
    profile: { type: "string" },
    baseline: { type: "string" },
} as const;

const usage = `usage: node policies/report.ts [--json | --sarif | --markdown] [--profile baseline|restricted|full]
    [--config FILE] [--stack-config FILE] [--baseline FILE] FILE|FOLDER|-…`;

/** The value of a file in YAML or JSON. */
function valueOf(file: string | undefined): unknown {
    if (file === undefined) return undefined;
    const [document] = parseAllDocuments(readFileSync(file === "-" ? 0 : file, "utf8"));
    const [problem] = document?.errors ?? [];
    if (problem !== undefined) throw new Error(`${file}: ${problem.message.split("\n")[0] ?? ""}`);
    return document?.toJS();
}

/** The settings, the exceptions and the profile that hold. */
export function termsOf(values: { config?: string; "stack-config"?: string; profile?: string }): Terms {
    const config = valueOf(values.config);
    const wrong = settingsProblems(config, [...rules, exceptionsAreCurrent]);
    if (wrong.length > 0) throw new Error(wrong.map((each) => `${values.config ?? ""}: ${each}`).join("\n"));
    const stack = at(valueOf(values["stack-config"]), "config");
    const names = rules.map((rule) => rule.name);
    return {
        config,
        exceptions: exceptionsIn(at(stack, exceptionsKey), names),
        profile: profileNamed(values.profile ?? at(stack, profileKey)),
    };
}

function formatted(values: Readonly<Record<string, unknown>>, all: readonly Finding[], inputs: Inputs): string {
    if (values["json"] === true) return asJson(all, inputs);
    if (values["sarif"] === true) return JSON.stringify(asSarif(all, rules, inputs), null, 2);
    return values["markdown"] === true ? asMarkdown(all, inputs) : asText(all, inputs);
}

/** @returns the exit code */
function main(): number {
    try {
        const { values, positionals } = parseArgs({ allowPositionals: true, options });
        if (positionals.length === 0) throw new Error(usage);
        const terms = termsOf(values);
        const known = values.baseline === undefined ? undefined : readFileSync(values.baseline, "utf8");
        const inputs = readInputs(positionals);
        const all = since(findings(inputs.located, rules, terms), known, values.baseline);
        console.log(formatted(values, all, inputs));
        for (const each of inputs.problems) console.error(`not evaluated: ${worded(each)}`);
        if (inputs.problems.length > 0) return 3;
        return all.some((each) => each.level === "mandatory") ? 1 : 0;
    } catch (error) {
        console.error(error instanceof Error ? error.message : String(error));
        return 2;
    }
}

if (import.meta.main) process.exitCode = main();
