/** Writes docs/policies.md from the rules: `node policies/docs.ts`. */
import { writeFileSync } from "node:fs";

import { namespaceLabel } from "./admission.ts";
import { exceptionsKey } from "./exceptions.ts";
import { gradeOf, profileKey } from "./profiles.ts";
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

The pack reads only what the engine shows it. Pack it here once; it holds compiled JavaScript and needs no compiler, whatever the
project's tsconfig.json says:

\`\`\`sh
cd policies
npm pack --ignore-scripts=false
\`\`\`

Then, in the project, with npm (or \`pnpm add -D\`, \`yarn add -D\`):

\`\`\`sh
npm install --save-dev ../orcheo/policies/orcheo-policies-0.1.0.tgz
pulumi preview --policy-pack node_modules/orcheo-policies --policy-pack-config policy-settings.json
npx orcheo-policies manifests/
\`\`\`

Or copy the folder anywhere but below \`node_modules\` and install its three packages:

\`\`\`sh
cp -r policies ../shop/policies
npm install --prefix ../shop/policies
cd ../shop
pulumi preview --policy-pack policies --policy-pack-config policy-settings.json
\`\`\`

Most rules need no settings. These do, or do nothing until they are set: the registries that images may come from, the monthly
budget, the storage classes, the tags. They stand in a file of any name but that of the folder (of \`policies.json\`
beside \`policies\` Node would think that it is the pack):

\`\`\`json
{
    "image-registry": { "registries": ["registry.example.com/shop"] },
    "monthly-cost-within-budget": { "budgetUsd": 800 },
    "required-tags": { "tags": ["Team"] },
    "ingress-class": { "classes": ["nginx"] },
    "one-beat": "disabled",
    "no-token-automount": "remediate"
}
\`\`\`

A level is \`mandatory\`, \`advisory\`, \`disabled\`, or, where a rule says so below, \`remediate\`: the safe fix is then made on
the way into the update. No rule remediates unless it is told to. \`"all": "advisory"\` shows a project that is new to the pack
what there is to do, and stops nothing. A rule, level or setting that does not exist is refused with the name that is nearest
to it, in the engine and in reports.

## Exceptions

They stand in the stack's config (of any project), with rule, resource, reason and last day, at most a year ahead. One that has
expired, excepts nothing, or is incomplete is itself a violation (\`${exceptionsAreCurrent.name}\`).

\`\`\`yaml
config:
    ${exceptionsKey}:
        - rule: no-host-path
          resource: DaemonSet::node-exporter # Kind::name in Pulumi, type token::name, or the URN; \`stack\` for the stack
          reason: reads the node's own metrics
          expires: 2027-01-31
\`\`\`

The engine tells the pack the stack's config, wherever it comes from (\`--config-file\` included).

The cluster sees no such list: a rule with an exception is also named in \`kubernetes.admission.warnOnly\` (docs/config.md), which
weakens the cluster for every pod of the namespace, and so is an exception of its own (\`unsafe-choice\`).

## In the cluster

Rules that the cluster enforces too are ValidatingAdmissionPolicies, made from the same table: \`kubectl run\` by hand, a Helm
release or a controller is refused with the same name and message. The stack declares them for its own namespace
(\`kubernetes.admission\` in docs/config.md). Anywhere else, \`policies/admission.json\` is the same as a manifest, bound in
namespaces with the label \`${namespaceLabel.key}: ${namespaceLabel.value}\`:

\`\`\`sh
kubectl apply -f policies/admission.json
kubectl label namespace shop ${namespaceLabel.key}=${namespaceLabel.value}
\`\`\`

The registries that images may come from are \`kubernetes.admission.registries\` of the stack, or the variable \`registries\` of
\`orcheo-image-registry\` in the manifest; none allows all.

The API server has a budget for policies. \`pod-size\` refuses pods that are larger than it; below that size no other policy
exceeds it. \`no-secret-literals\` searches the values and arguments of a pod up to 50,000 characters together, of larger pods only
those of up to 256 characters, and reads no files inside values: those, the engine alone evaluates.

The rules that refer to the Pod Security Standards refuse every test pod of Kubernetes 1.34 to 1.37 that \`restricted\` refuses, and
none that it lets in.

## Reports

\`node policies/report.ts FILE|FOLDER|-…\` evaluates what is written down, without the engine: manifests, a \`pulumi stack export\`, a
\`pulumi preview --json --show-sames\`, every manifest below a folder, or \`-\` for standard input. It prints the findings by
resource, the worst first, and how to fix each rule once; or \`--json\`, \`--sarif\` for code scanning, \`--markdown\` for a pull
request. \`--config FILE\` is the pack's config, \`--stack-config FILE\` the file with the exceptions. Without \`--show-sames\`
Pulumi leaves out what does not change, and rules on the whole stack miss it.

What cannot be evaluated (text that is not YAML, an object within itself or nested more than 500 levels deep, a kustomization
that changes objects) is named with file and line, and the rest is evaluated all the same. Other YAML and JSON in a folder, such as
values of a chart, is skipped.

| exit code | meaning |
| --- | --- |
| 0 | no mandatory rule is broken |
| 1 | a mandatory rule is broken |
| 2 | the command line is wrong, or the settings are |
| 3 | something could not be evaluated, whatever else was found |

## A first run on another project

\`\`\`sh
node policies/report.ts --profile baseline manifests/
node policies/report.ts --json manifests/ >known.json
node policies/report.ts --baseline known.json manifests/
\`\`\`

A profile is a part of the rules: \`baseline\` what leads out of a container, into an account or to the data; \`restricted\` also
Pod Security's restricted, encryption, and rights no wider than needed; \`full\`, the default, all of them. The engine takes it
from the stack's config (\`${profileKey}: baseline\`), the report from there (\`--stack-config\`) or from \`--profile\`.
\`--baseline FILE\` leaves out what an earlier report as JSON has: what remains is new, wherever the resource now stands.
`;

/** A cell of a Markdown table. */
function cell(text: string): string {
    return text.replaceAll("|", "\\|");
}

/** Every rule of the pack, the one about its exceptions too. */
type Documented = Rule | typeof exceptionsAreCurrent;

const containers = {
    all: "containers, init containers and ephemeral containers of every pod",
    lasting: "containers and init containers of every pod",
    running: "containers and sidecars of every pod",
};

function looksAt(rule: Documented): string {
    switch (rule.scope) {
        case "container":
            return containers[rule.containers] + (rule.linuxOnly === true ? ", Windows pods apart" : "");
        case "pod":
            return "every pod";
        case "resource":
            return "each resource by itself";
        case "stack":
            return "the stack as a whole";
    }
}

function enforcedBy(rule: Documented): string {
    return "notInCel" in rule ? `engine only: ${rule.notInCel}` : "engine and cluster";
}

function summary(rule: Documented): string {
    const { severity, profile } = gradeOf(rule.name);
    return `| [${rule.name}](#${rule.name}) | ${severity} | ${profile} | ${rule.level} | ${cell(enforcedBy(rule))} |`;
}

function section(rule: Documented): string {
    const settings = Object.entries("settings" in rule ? (rule.settings ?? {}) : {}).map(
        ([key, setting]) =>
            `- \`${key}\` (${setting.type}, default \`${JSON.stringify(setting.default)}\`): ${setting.description}`,
    );
    const remediates = "mend" in rule ? ["- Can remediate"] : [];
    return [
        `### ${rule.name}`,
        "",
        rule.description,
        "",
        `**${rule.remedy.replaceAll("<", "\\<")}**`,
        "",
        `- Looks at: ${looksAt(rule)}`,
        `- Level: ${rule.level}; ${enforcedBy(rule)}`,
        ...remediates,
        `- Source: [${rule.reference.title}](${rule.reference.url})`,
        ...(settings.length > 0 ? ["", "Settings:", "", ...settings] : []),
    ].join("\n");
}

/** The whole document. */
export function ruleDocs(given: readonly Rule[]): string {
    const all = [...given, exceptionsAreCurrent];
    const table = [
        "| rule | severity | profile | level | enforced by |",
        "| --- | --- | --- | --- | --- |",
        ...all.map(summary),
    ].join("\n");
    return [intro.trimEnd(), `## Rules\n\n${table}`, ...all.map(section), ""].join("\n\n").trimEnd() + "\n";
}

if (import.meta.main) writeFileSync(new URL("../docs/policies.md", import.meta.url), ruleDocs(rules));
