/**
 * Which file may import which (CONTRIBUTING.md, "Floors"): config < kubernetes < machine.ts < parts < stack < index.ts.
 * Type imports count. `npm run imports` checks it, tests/unit/imports.test.ts proves that each rule finds something.
 */

/** The folders that are no part: any part may import every file of theirs that is below it. */
const notParts = "(?:config|kubernetes|stack)/";
/** A part is entered by the pair of files that bears its name: images/images.ts and images/images.plan.ts. */
const internals = `^components/(?!${notParts})([^/]+)/(?!\\1(?:\\.plan)?\\.ts$)`;
const error = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
    forbidden: [
        error("no-cycle", "Files that need each other are one file, or share a third one.", {}, { circular: true }),
        error(
            "config-stands-alone",
            "Settings are understood without the rest: components/config imports itself, the table of releases, zod and small libraries for formats.",
            { path: "^components/config/" },
            {
                pathNot: [
                    "^components/config/",
                    "^images/backend/releases\\.json$",
                    "^node_modules/(zod|croner|ipaddr\\.js)/",
                    "^net$",
                ],
            },
        ),
        error(
            "kubernetes-knows-no-part",
            "components/kubernetes holds Kubernetes concepts; it imports itself and config.",
            { path: "^components/kubernetes/" },
            { path: "^(components/|index\\.ts$)", pathNot: "^components/(config|kubernetes)/" },
        ),
        error(
            "machine-knows-no-part",
            "components/machine.ts is the input and output of every part; it imports config and kubernetes.",
            { path: "^components/machine\\.ts$" },
            { path: "^(components/|index\\.ts$)", pathNot: "^components/(config|kubernetes)/" },
        ),
        error(
            "stack-is-the-top",
            "Parts get their settings handed in; only index.ts imports components/stack.",
            { path: "^components/", pathNot: "^components/stack/" },
            { path: "^(components/stack/|index\\.ts$)" },
        ),
        error(
            "index-is-the-end",
            "index.ts is the program; nothing imports it but tests, which run it.",
            { path: "^(components|policies|local)/" },
            { path: "^index\\.ts$" },
        ),
        error(
            "no-internals",
            "Another part is imported by the pair that bears its name, such as network/network.ts and network/network.plan.ts.",
            { path: "^components/([^/]+)" },
            { path: internals, pathNot: "^components/$1/" },
        ),
        error("no-internals-in-index", "As no-internals.", { path: "^index\\.ts$" }, { path: internals }),
        error(
            "no-flat-file",
            "Every file below components/ has a folder, machine.ts apart.",
            { path: "^(index\\.ts$|components/)" },
            { path: "^components/[^/]+\\.ts$", pathNot: "^components/machine\\.ts$" },
        ),
        error(
            "plans-are-pure",
            "A plan decides and declares nothing: of providers it imports types, and it reads no file and no network.",
            { path: "^components/.*\\.plan\\.ts$" },
            {
                path: [
                    "^node_modules/@pulumi/(?!pulumi/)",
                    "^components/machine\\.ts$",
                    "^(fs|fs/promises|http|https|net|child_process|os)$",
                ],
                dependencyTypesNot: ["type-only"],
            },
        ),
        error(
            "no-dead-file",
            "The program needs every file below components/; config/docs.ts and config/examples.ts make docs/config.md.",
            { path: "^index\\.ts$" },
            { path: "^components/", pathNot: "^components/config/(docs|examples)\\.ts$", reachable: false },
        ),
        error(
            "program-alone",
            "The program runs without its tests, its tools and the policy pack; it reads their generated JSON at most.",
            { path: "^(index\\.ts$|components/)" },
            { path: "^(tests|tools|local|policies|images)/", pathNot: "\\.json$" },
        ),
        error(
            "policies-alone",
            "The policy pack evaluates any program: it imports nothing from this one.",
            { path: "^policies/" },
            { path: "^(index\\.ts$|(components|local|tests|images)/)" },
        ),
        error(
            "compose-renders-plans",
            "compose/ turns plans into files: it imports config, kubernetes, the plans of parts and the reader of settings, and declares nothing.",
            { path: "^compose/" },
            {
                path: "^(index\\.ts$|(components|policies|local|tests)/|node_modules/@pulumi/)",
                pathNot:
                    "^(components/(config|kubernetes)/|components/[^/]+/[^/]+\\.plan\\.ts$|components/stack/read\\.ts$|node_modules/@pulumi/kubernetes/)",
            },
        ),
        error(
            "nothing-needs-compose",
            "The Compose files are an end of their own; only tests read how they are made.",
            { path: "^(index\\.ts$|(components|policies|local|tools)/)" },
            { path: "^compose/" },
        ),
        error(
            "package-runs-the-program",
            "pulumi-package/ is the program with inputs in the place of a stack's file: it imports the program and the settings.",
            { path: "^pulumi-package/" },
            {
                path: "^((components|compose|policies|local|tools|tests)/|node_modules/@pulumi/(?!pulumi/))",
                pathNot: "^components/config/",
            },
        ),
        error(
            "nothing-needs-package",
            "The package is an end of its own; only tests read how its inputs become settings.",
            { path: "^(index\\.ts$|(components|compose|policies|local|tools)/)" },
            { path: "^pulumi-package/" },
        ),
        error(
            "local-alone",
            "`make up` runs the program as a user would, by Pulumi.",
            { path: "^local/" },
            { path: "^(index\\.ts$|(components|policies|tests)/)" },
        ),
        error(
            "tools-know-no-part",
            "Status and diagnose read a cluster as it is: of the program they share what reads Kubernetes and logs, of the pack what a secret looks like.",
            // render/program is the program itself, with another provider.
            { path: "^tools/", pathNot: "^tools/render/program/" },
            {
                path: "^(index\\.ts$|(components|policies|local|tests|images)/)",
                pathNot:
                    "^(components/kubernetes/cluster-api\\.ts|components/watch/log-lines\\.plan\\.ts|policies/secrets\\.ts)$",
            },
        ),
        error(
            "end-to-end-from-outside",
            "End-to-end tests, faults and bench see the platform as its users do: not through the program's own functions.",
            { path: "^tests/(bench|browser|compose|e2e|faults)/" },
            { path: "^(index\\.ts$|components/)" },
        ),
        error(
            "no-development-packages",
            "What runs with Pulumi is installed with `npm ci --omit=dev`.",
            { path: "^(index\\.ts$|components/|policies/)", pathNot: "\\.test\\.ts$" },
            { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
        ),
        error("no-missing-file", "The import leads nowhere.", {}, { couldNotResolve: true }),
    ],
    options: {
        tsPreCompilationDeps: true,
        // Packages that are ES modules only name the condition `import`.
        enhancedResolveOptions: {
            exportsFields: ["exports"],
            conditionNames: ["import", "require", "node", "types", "default"],
        },
        doNotFollow: { path: "node_modules" },
        exclude: { path: "^tests/canvas-app/" },
    },
};
