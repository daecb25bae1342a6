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

Run them with \`pulumi preview --policy-pack policies\` (Node 24 or newer; there is nothing to build).

A value that is unknown in a preview breaks no rule; the engine evaluates it during the update, once it is known. A resource
that cannot be evaluated is refused. That includes an update with \`--target\` of a stack that does not exist yet, because the engine
shows the pack the excluded resources with half of their properties. Messages name the object, the container and the remedy, and
never show a secret.

## In another project

The pack depends on nothing else in this repository. Build the package here once; it contains compiled JavaScript and needs no
compiler, whatever the project's tsconfig.json says:

\`\`\`sh
cd policies
npm pack --ignore-scripts=false
\`\`\`

Then, in the project, with npm (or \`pnpm add -D\`, \`yarn add -D\`). Yarn 2 and later need \`nodeLinker: node-modules\` in
\`.yarnrc.yml\`, because Pulumi itself does not support Plug'n'Play:

\`\`\`sh
npm install --save-dev ../orcheo/policies/orcheo-policies-0.1.0.tgz
pulumi preview --policy-pack node_modules/orcheo-policies --policy-pack-config policy-settings.json
npx orcheo-policies manifests/
\`\`\`

Alternatively, copy the folder to any place outside \`node_modules\` and install its three packages:

\`\`\`sh
cp -r policies ../shop/policies
npm install --prefix ../shop/policies
cd ../shop
pulumi preview --policy-pack policies --policy-pack-config policy-settings.json
\`\`\`

Most rules need no settings. A few do nothing until they are configured: the registries that images may come from, the monthly
budget, the storage classes, the tags. Put the settings into a JSON file whose name differs from the folder's (Node would load a
\`policies.json\` beside \`policies\` as the pack):

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

Without a budget, \`monthly-cost-estimate\` reports estimates of $100 a month or more and blocks nothing. With a budget, of the
pack or of the stack itself (\`aws.budgets.Budget\`), an update that exceeds it is refused. Prices are those of each resource's
region; resources without a price there are named ([costs.md](costs.md)).

A level is \`mandatory\`, \`advisory\`, \`disabled\` or, for the rules that say so below, \`remediate\`, which applies the safe fix
during the update. No rule remediates by default. \`"all": "advisory"\` shows a project that is new to the pack what there is to do
and blocks nothing. The engine and the reports refuse unknown rules, levels and settings, and suggest the nearest name.

## Exceptions

Exceptions are part of a stack's config, in any project: rule, resource, reason and an expiry date at most a year ahead. An
exception that has expired, matches nothing or is incomplete is itself a violation (\`${exceptionsAreCurrent.name}\`).

\`\`\`yaml
config:
    ${exceptionsKey}:
        - rule: no-host-path
          resource: DaemonSet::node-exporter # Kind::name in Pulumi, type token::name, or the URN; \`stack\` for the stack
          reason: reads the node's own metrics
          expires: 2027-01-31
\`\`\`

The pack reads the config from the engine, so \`--config-file\` works too.

The cluster does not see these exceptions. List such a rule in \`kubernetes.admission.warnOnly\` (docs/config.md) as well; that
weakens the cluster for every pod of the namespace and therefore needs an exception of its own (\`unsafe-choice\`).

## In the cluster

Rules that the cluster enforces as well are ValidatingAdmissionPolicies generated from the same table, so a \`kubectl run\`, a Helm
release or a controller is refused with the same name and message. The stack declares them for its own namespace
(\`kubernetes.admission\` in docs/config.md). For other namespaces, \`policies/admission.json\` is the same as a manifest, bound to
namespaces with the label \`${namespaceLabel.key}: ${namespaceLabel.value}\`:

\`\`\`sh
kubectl apply -f policies/admission.json
kubectl label namespace shop ${namespaceLabel.key}=${namespaceLabel.value}
\`\`\`

The allowed registries are \`kubernetes.admission.registries\` of the stack, or the variable \`registries\` of
\`orcheo-image-registry\` in the manifest; an empty list allows all.

The API server limits the cost of policies. \`pod-size\` refuses pods above that limit; below it, no policy exceeds the limit.
\`no-secret-literals\` searches the values and arguments of a pod up to 50,000 characters in total, of larger pods only those of up
to 256 characters, and does not read files inside values: only the engine does.

The rules that refer to the Pod Security Standards refuse every test pod of Kubernetes 1.34 to 1.37 that \`restricted\` refuses, and
accept every pod that it accepts.

## Reports

\`node policies/report.ts FILE|FOLDER|-…\` evaluates files without the engine: manifests, a \`pulumi stack export\`, a
\`pulumi preview --json --show-sames\`, a Compose file, every manifest below a folder, or \`-\` for standard input. It prints the findings by
resource, the most severe first, and the remedy of each rule once; or \`--json\`, \`--sarif\` for code scanning, \`--markdown\` for a pull
request. \`--config FILE\` is the pack's config, \`--stack-config FILE\` the file with the exceptions. Without \`--show-sames\`
Pulumi leaves out unchanged resources, and rules about the whole stack miss them.

Input that cannot be evaluated (text that is not YAML, an object that contains itself or is nested more than 500 levels deep, a
kustomization that changes objects) is reported with file and line; everything else is still evaluated. Other YAML and JSON in a
folder, such as a chart's values, is skipped.

Services of a Compose file are evaluated as the pods that they correspond to, with what Docker does by default (its seccomp profile), and
remedies are in Compose's words. Published ports are not evaluated: they are Compose's way in. A variable stands for its default; one without is unknown and
breaks no rule. Files that extend or include others are not evaluated: \`docker compose config\` has the whole.

| exit code | meaning |
| --- | --- |
| 0 | no mandatory rule is broken |
| 1 | a mandatory rule is broken |
| 2 | the command line or the settings are wrong |
| 3 | something could not be evaluated, whether or not a rule is broken |

## A first run on another project

\`\`\`sh
node policies/report.ts --profile baseline manifests/
node policies/report.ts --json manifests/ >known.json
node policies/report.ts --baseline known.json manifests/
\`\`\`

A profile selects rules. \`baseline\` covers container escapes, access to accounts and access to data; \`restricted\` adds Pod
Security's \`restricted\`, encryption and least privilege; \`full\`, the default, is every rule. The engine takes the profile from the
stack's config (\`${profileKey}: baseline\`), the report from there (\`--stack-config\`) or from \`--profile\`. \`--baseline FILE\`
hides the findings of an earlier JSON report, so that only new ones remain, even if the resource has moved.
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

function appliesTo(rule: Documented): string {
    switch (rule.scope) {
        case "container":
            return containers[rule.containers] + (rule.linuxOnly === true ? ", except Windows pods" : "");
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
    const remediates = "remediate" in rule ? ["- Can remediate"] : [];
    return [
        `### ${rule.name}`,
        "",
        rule.description,
        "",
        `**${rule.remedy.replaceAll("<", "\\<")}**`,
        "",
        `- Applies to: ${appliesTo(rule)}`,
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
