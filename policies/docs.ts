/** Writes docs/policies.md from the rules: `node policies/docs.ts`. */
import { writeFileSync } from "node:fs";

import { inCluster } from "./admission.ts";
import type { Rule } from "./rule.ts";
import { exceptionsAreCurrent } from "./rules/exceptions-are-current.ts";
import { rules } from "./table.ts";

const intro = `# Policies

<!-- Written by \`node policies/docs.ts\` from the rules; do not edit. -->

Run them with \`pulumi preview --policy-pack policies\` (Node 24 or newer; nothing is to be built). In any other project,
copy \`policies/\` beside it and run \`npm install\` there.

A value that is not known at preview breaks no rule; the engine asks again during the update, when it is known.

## Exceptions

They stand in the stack's config, with rule, resource, reason and last day. One that has expired, excepts nothing, or is
incomplete is itself a violation (\`${exceptionsAreCurrent.name}\`). They are read from \`Pulumi.<stack>.yaml\`; whoever uses
\`--config-file FILE\` sets \`ORCHEO_POLICY_STACK_CONFIG\` to the same file.

\`\`\`yaml
config:
    orcheo:policyExceptions:
        - rule: no-host-path
          resource: DaemonSet::node-exporter # Kind::name in Pulumi, type token::name, or the URN; \`stack\` for the stack
          reason: reads the node's own metrics
          expires: 2027-01-31
\`\`\`

## Settings, levels and remediation

\`--policy-pack-config FILE\` takes JSON: \`{"image-registry": {"registries": ["registry.example.com/team"]}}\`. A level is
\`mandatory\`, \`advisory\`, \`disabled\`, or, where a rule says so below, \`remediate\`: the safe fix is then made on the way
into the update. No rule remediates unless it is told to.

## In the cluster

Rules with CEL below are also ValidatingAdmissionPolicies (\`policies/admission.json\`, generated), bound in namespaces
labelled \`orcheo.dev/policies: enforced\`. They refuse with the same name and message. The verdict test asks Pulumi's engine
and a real API server about the same objects.
`;

/** A cell of a Markdown table. */
function cell(text: string): string {
    return text.replaceAll("|", "\\|");
}

function summary(rule: Rule): string {
    const cluster = inCluster(rule) ? "CEL" : `no: ${rule.notInCel}`;
    return `| [${rule.name}](#${rule.name}) | ${rule.level} | ${cell(cluster)} |`;
}

function section(rule: Rule): string {
    const settings = Object.entries(rule.settings ?? {}).map(
        ([key, setting]) =>
            `- \`${key}\` (${setting.type}, default \`${JSON.stringify(setting.default)}\`): ${setting.description}`,
    );
    const remediates = inCluster(rule) && rule.mend !== undefined ? ["", "Can remediate."] : [];
    return [
        `### ${rule.name}`,
        "",
        `${rule.description} ${rule.remedy}`,
        ...remediates,
        "",
        `Source: [${rule.reference.title}](${rule.reference.url})`,
        ...(settings.length > 0 ? ["", "Settings:", "", ...settings] : []),
    ].join("\n");
}

/** The whole document. */
export function ruleDocs(all: readonly Rule[]): string {
    const table = ["| rule | level | in the cluster |", "| --- | --- | --- |", ...all.map(summary)].join("\n");
    return [intro.trimEnd(), `## Rules\n\n${table}`, ...all.map(section), ""].join("\n\n").trimEnd() + "\n";
}

if (import.meta.main) writeFileSync(new URL("../docs/policies.md", import.meta.url), ruleDocs(rules));
