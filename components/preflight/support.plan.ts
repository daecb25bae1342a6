/** Versions whose support has ended, ends soon or is not known: reported in every preview and update, never refused. */
import table from "../../policies/support-ends.json";
import { shown, type Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import { daysBetween, endsSoon, lastingVersions, supportOf, type Product } from "./support-dates";

/** @returns the finding, such as "whose support … ends on 2026-12-02"; undefined while support lasts */
function finding(product: Product, version: string, today: string): string | undefined {
    const { name } = table.products[product];
    const support = supportOf(product, version, today);
    if (support.kind === "unknown") return `whose end of support is not known (${name})`;
    if (support.kind === "ended") {
        return support.on === undefined
            ? `whose support has ended (${name})`
            : `whose support ended on ${support.on} (${name})`;
    }
    if (support.until === undefined || !endsSoon(support.until, today)) return undefined;
    return `whose support ends on ${support.until}, in ${daysBetween(today, support.until)} days (${name})`;
}

function remedyFor(product: Product, today: string): string {
    const lasting = lastingVersions(product, today);
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
 * @param version  response of its API server at /version
 */
export function clusterSupport(context: string, version: string, today: string): Problem[] {
    const [, minor, vendor = ""] = /^v?(\d+\.\d+)\.\d+(.*)$/.exec(gitVersion(version) ?? "") ?? [];
    // The cluster does not report its version.
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
