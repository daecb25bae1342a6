#!/usr/bin/env node
/**
 * A pull request's comment, from a preview:
 *
 *     node policies/review.ts --stack NAME [--failed] [--config FILE] [--stack-config FILE] [--whole FILE] [--where TEXT] PREVIEW.json
 *
 * The comment goes to standard output. `--whole` writes everything to a file, `--where` says in the comment where that is.
 * Exit codes: 0, or 2 when the command line, a file of settings or the preview cannot be read.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { changesOf, ranked } from "./changes.ts";
import { commentOf, wholeOf, type Review } from "./comment.ts";
import { estimate } from "./cost.ts";
import { findings } from "./findings.ts";
import { commentBytes } from "./fit.ts";
import { imageChanges, signedPackages, type PackagesOf } from "./image-packages.ts";
import { contentsOf, worded, type Contents } from "./read.ts";
import { termsOf } from "./report.ts";
import { rules } from "./table.ts";
import { at, fields, list, text } from "./values.ts";

const options = {
    stack: { type: "string" },
    failed: { type: "boolean" },
    config: { type: "string" },
    "stack-config": { type: "string" },
    profile: { type: "string" },
    whole: { type: "string" },
    where: { type: "string" },
} as const;

/** The resources of one side of a preview. What is only read is someone else's, and its properties are not in the preview. */
function side(preview: unknown, key: "oldState" | "newState"): Contents {
    const resources = list(at(preview, "steps"))
        .filter((step) => text(at(step, "op")) !== "read")
        .map((step) => at(step, key))
        .filter((state) => state !== undefined)
        // What is to be deleted was there before.
        .map((state) => ({ ...fields(state), delete: false }));
    return contentsOf(JSON.stringify({ deployment: { resources } }), "preview");
}

/** Pulumi's own words about where plugins are from are no news. */
const isNews = (message: string): boolean => !message.includes("from $PATH");

function said(preview: unknown, severity: string): readonly string[] {
    const messages = list(at(preview, "diagnostics"))
        .filter((each) => at(each, "severity") === severity)
        .map((each) => (text(at(each, "message")) ?? "").trim())
        .filter((message) => message !== "" && isNews(message));
    return [...new Set(messages)];
}

/** What of the file is a preview; a program that failed early has left none, or half of one. */
function previewIn(content: string): unknown {
    try {
        return JSON.parse(content);
    } catch {
        return {
            diagnostics: [
                { severity: "error", message: "The preview did not come to an end; the run's log says why." },
            ],
        };
    }
}

export function reviewOf(
    preview: unknown,
    stack: string,
    passed: boolean,
    terms: ReturnType<typeof termsOf>,
    packagesOf: PackagesOf = signedPackages(terms.config),
): Review {
    const [before, after] = [side(preview, "oldState"), side(preview, "newState")];
    const resources = (contents: Contents) => contents.located.map(({ resource }) => resource);
    return {
        ...{ stack, passed, ranked: ranked(changesOf(preview)) },
        unchanged: list(at(preview, "steps")).filter((step) => text(at(step, "op")) === "same").length,
        findings: findings(after.located, rules, terms).map((each) => ({ ...each, file: "", line: 0 })),
        notEvaluated: after.problems.map(worded),
        images: imageChanges(resources(before), resources(after), packagesOf),
        cost: { before: estimate(resources(before)), after: estimate(resources(after)) },
        ...{ errors: said(preview, "error"), warnings: said(preview, "warning") },
    };
}

/** @returns the exit code */
function main(): number {
    try {
        const { values, positionals } = parseArgs({ allowPositionals: true, options });
        const [file, ...more] = positionals;
        if (file === undefined || more.length > 0 || values.stack === undefined)
            throw new Error(
                "usage: node policies/review.ts --stack NAME [--failed] [--config FILE] [--stack-config FILE] [--whole FILE] [--where TEXT] PREVIEW.json",
            );
        const review = reviewOf(
            previewIn(readFileSync(file, "utf8")),
            values.stack,
            values.failed !== true,
            termsOf(values),
        );
        if (values.whole !== undefined) writeFileSync(values.whole, wholeOf(review));
        const where = values.where ?? values.whole ?? "nowhere; give --whole";
        console.log(commentOf(review, commentBytes, where, `<!-- preview of ${values.stack} -->`));
        return 0;
    } catch (error) {
        console.error(error instanceof Error ? error.message : String(error));
        return 2;
    }
}

if (import.meta.main) process.exitCode = main();
