/** Writes docs/policies.md from the rules: `node policies/docs.ts`. */
import { writeFileSync } from "node:fs";

import { inCluster, namespaceLabel } from "./admission.ts";
import type { Rule } from "./rule.ts";
import { exceptionsAreCurrent } from "./rules/exceptions-are-current.ts";
import { rules } from "./table.ts";

const intro = `# Policies

<!-- Written by \`node policies/docs.ts\` from the rules; do not edit. -->

Run them with \`pulumi preview --policy-pack policies\` (Node 24 or newer; nothing is to be built).

A value that is not known at preview breaks no rule; the engine asks again during the update, when it is known. What cannot
be judged is refused: so is an update with \`--target\` of a stack that is not there yet, because the engine shows the pack the
resources that it leaves out, with half of their properties. Messages name the object, the container and the remedy, and never
show a secret.

## In another project

The pack reads only what the engine shows it: copy the folder anywhere and install its three packages.

\`\`\`sh
cp -r policies ../shop/policies
npm install --prefix ../shop/policies
cd ../shop
pulumi preview --policy-pack policies
\`\`\`

## Exceptions

They stand in the stack's config, with rule, resource, reason and last day. One that has expired, excepts nothing, or is
incomplete is itself a violation (\`${exceptionsAreCurrent.name}\`).

\`\`\`yaml
config:
    orcheo:policyExceptions:
        - rule: no-host-path
          resource: DaemonSet::node-exporter # Kind::name in Pulumi, type token::name, or the URN; \`stack\` for the stack
          reason: reads the node's own metrics
          expires: 2027-01-31
\`\`\`

The engine tells a pack the stack's name, but not which config file it read, so the pack reads \`Pulumi.<stack>.yaml\`
beside \`Pulumi.yaml\`. **With \`--config-file FILE\`, set \`ORCHEO_POLICY_STACK_CONFIG=FILE\` too**; otherwise the exceptions in
FILE are not seen, and what they except is refused.

The cluster sees no such list: a rule with an exception is also named in \`kubernetes.admission.warnOnly\` (docs/config.md).

## Settings, levels and remediation

\`--policy-pack-config FILE\` takes JSON: \`{"image-registry": {"registries": ["registry.example.com/team"]}}\`. A level is
\`mandatory\`, \`advisory\`, \`disabled\`, or, where a rule says so below, \`remediate\`: the safe fix is then made on the way
into the update. No rule remediates unless it is told to.

## In the cluster

Rules with CEL below are also ValidatingAdmissionPolicies, made from the same table: \`kubectl run\` by hand, a Helm release or
a controller is refused with the same name and message. The stack declares them for its own namespace
(\`kubernetes.admission\` in docs/config.md). Anywhere else, \`policies/admission.json\` is the same as a manifest, bound in
namespaces with the label \`${namespaceLabel.key}: ${namespaceLabel.value}\`:

\`\`\`sh
kubectl apply -f policies/admission.json
kubectl label namespace shop ${namespaceLabel.key}=${namespaceLabel.value}
\`\`\`

The rules that refer to the Pod Security Standards refuse every test pod of Kubernetes 1.34 that \`restricted\` refuses, and
none that it lets in.

## Reports

\`node policies/report.ts FILE…\` judges what is written down, without the engine: manifests, a \`pulumi stack export\`, a
\`pulumi preview --json\`, or \`-\` for standard input. It prints a summary, or \`--json\`, \`--sarif\` for code scanning,
\`--markdown\` for a pull request; \`--config FILE\` is the pack's config, \`--stack-config FILE\` the file with the exceptions.
Exit code 1: a mandatory rule is broken.
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
