/**
 * Which resource types and functions of @pulumi/aws the program uses, and their names in terraform-provider-aws: the table that the
 * bridged provider of the tests is made from. `npm run aws-types` writes it.
 */
import { globSync, readFileSync } from "node:fs";

export interface BridgedTypes {
    /** `aws_vpc` to `ec2/Vpc`. */
    readonly resources: Readonly<Record<string, string>>;
    /** `aws_caller_identity` to `index/getCallerIdentity`. */
    readonly functions: Readonly<Record<string, string>>;
}

const snake = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();

/** Terraform's name of a type: the service and the type, except for EC2 and RDS, which are older than the rule, and Prometheus. */
export function terraformName(module: string, name: string): string {
    if (["ec2", "index"].includes(module)) return `aws_${snake(name)}`;
    if (module === "vpc") return `aws_vpc_${snake(name)}`;
    if (module === "rds" && !name.startsWith("Cluster")) return `aws_db_${snake(name)}`;
    if (module === "amp") return `aws_prometheus_${snake(name)}`;
    return `aws_${module}_${snake(name)}`;
}

/** @throws on a form of import that hides what is used */
export function typesIn(sources: Readonly<Record<string, string>>): BridgedTypes {
    const resources = new Map<string, string>();
    const functions = new Map<string, string>();
    for (const [file, source] of Object.entries(sources)) {
        const hidden = /^import (?!(?:type )?\* as aws from "@pulumi\/aws";).*"@pulumi\/aws.*$/m.exec(source);
        if (hidden !== null)
            throw new Error(
                `${file}: ${hidden[0]}: write \`import * as aws from "@pulumi/aws"\`, which tests/aws-types.ts reads`,
            );
        for (const [, module = "", name = ""] of source.matchAll(/\bnew aws\.([a-z0-9]+)\.([A-Z]\w*)\(/g))
            resources.set(terraformName(module, name), `${module}/${name}`);
        for (const [, module = "index", name = ""] of source.matchAll(/\baws\.(?:([a-z0-9]+)\.)?(get[A-Z]\w*)\(/g))
            functions.set(
                terraformName(module, name.replace(/^get|Output$/g, "")),
                `${module}/${name.replace(/Output$/, "")}`,
            );
    }
    const sorted = (types: ReadonlyMap<string, string>): Record<string, string> =>
        Object.fromEntries([...types].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { resources: sorted(resources), functions: sorted(functions) };
}

/** Of the program's own sources. */
export const usedTypes = (): BridgedTypes =>
    typesIn(
        Object.fromEntries(
            ["index.ts", ...globSync("components/**/*.ts")].map((file) => [file, readFileSync(file, "utf8")]),
        ),
    );
