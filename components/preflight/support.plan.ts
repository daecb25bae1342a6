/** Versions whose support has ended, ends soon or is not known: reported in every preview and update, refused by none. */
import table from "../../policies/support-ends.json";
import { shown, type Problem } from "../config/problems";
import type { Sections } from "../config/schema";

type Product = keyof typeof table.products;

/** @returns what is to be said of the version, such as "whose support … ends on 2026-12-02"; undefined when nothing is */
function finding(product: Product, version: string, today: string): string | undefined {
    const { name } = table.products[product];
    const ends = endsOf(product);
    const end = ends.get(version);
    if (end === undefined) {
        const older = [...ends.keys()].every((known) => isOlder(version, known));
        return older ? `whose support has ended (${name})` : `whose end of support is not known (${name})`;
    }
    if (end === null) return undefined;
    if (end < today) return `whose support ended on ${end} (${name})`;
    const days = daysBetween(today, end);
    return days <= table.noticeDays ? `whose support ends on ${end}, in ${days} days (${name})` : undefined;
}

function remedyFor(product: Product, today: string): string {
    const lasting = [...endsOf(product)]
        .filter(([, end]) => end === null || daysBetween(today, end) > table.noticeDays)
        .map(([version]) => version);
    const step = product === "rds-postgresql" ? "" : ", one minor version at a time";
    return lasting.length === 0
        ? "renew policies/support-ends.json: on this day it has no version with lasting support"
        : `upgrade to ${lasting.join(" or ")}${step}; docs/versions.md has the dates`;
}

/** The versions that the settings name. */
export function settingsSupport({ aws, database }: Partial<Sections>, today: string, secret = false): Problem[] {
    const named: { key: string; product: Product; value: string | number }[] = [];
    if (aws?.cluster.kind === "new")
        named.push({ key: "aws.cluster.version", product: "eks", value: aws.cluster.version });
    if (database?.kind === "rds")
        named.push({ key: "database.engineMajor", product: "rds-postgresql", value: database.engineMajor });
    return named.flatMap(({ key, product, value }) => {
        const found = finding(product, String(value), today);
        if (found === undefined) return [];
        return [
            {
                at: `orcheo:stack.${key}`,
                found: `${shown(value, secret)}, ${found}`,
                remedy: remedyFor(product, today),
            },
        ];
    });
}

/**
 * The version that a cluster runs.
 *
 * @param version  what its API server answers at /version
 */
export function clusterSupport(context: string, version: string, today: string): Problem[] {
    const [, minor, vendor = ""] = /^v?(\d+\.\d+)\.\d+(.*)$/.exec(gitVersion(version) ?? "") ?? [];
    // A cluster that does not say is none of this check's business.
    if (minor === undefined) return [];
    const product = vendor.startsWith("-eks") ? "eks" : "kubernetes";
    const found = finding(product, minor, today);
    if (found === undefined) return [];
    const longer = product === "kubernetes" && vendor !== "" ? ", unless its vendor supports it longer" : "";
    return [
        {
            at: "orcheo:stack.kubernetes.context",
            found: `the cluster of ${JSON.stringify(context)} runs Kubernetes ${minor}, ${found}`,
            remedy: `${remedyFor(product, today)}${longer}`,
        },
    ];
}

function gitVersion(answer: string): string | undefined {
    try {
        const value: unknown = JSON.parse(answer);
        if (typeof value !== "object" || value === null || !("gitVersion" in value)) return undefined;
        return typeof value.gitVersion === "string" ? value.gitVersion : undefined;
    } catch {
        return undefined;
    }
}

const endsOf = (product: Product): ReadonlyMap<string, string | null> =>
    new Map(Object.entries(table.products[product].ends));

const daysBetween = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);

function isOlder(version: string, other: string): boolean {
    const [a, b] = [version, other].map((each) => each.split(".").map(Number));
    const different = a?.findIndex((part, index) => part !== b?.[index]) ?? -1;
    return different >= 0 && (a?.[different] ?? 0) < (b?.[different] ?? 0);
}
