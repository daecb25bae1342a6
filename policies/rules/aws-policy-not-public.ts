import { called, notInCel } from "../aws.ts";
import { letsIn } from "../iam-callers.ts";
import { readDocument } from "../iam-document.ts";
import { documentsOf, holdsPolicy } from "../policy-documents.ts";
import type { Resource, ResourceRule } from "../rule.ts";
import { at, text, UNKNOWN } from "../values.ts";

/** Meant for everybody, or evaluated by what lies behind them. */
const doors = /^aws:(ec2|apigateway|vpclattice|ecrpublic|odb|transfer)\//;

/** Grants that are no documents: the property that names the caller, and those that limit it. */
const grants: Readonly<Record<string, { readonly caller: string; readonly limits: readonly string[] }>> = {
    "aws:lambda/permission:Permission": {
        caller: "principal",
        limits: ["principalOrgId", "sourceAccount", "sourceArn"],
    },
    "aws:lambda/layerVersionPermission:LayerVersionPermission": { caller: "principal", limits: ["organizationId"] },
    "aws:cloudwatch/eventPermission:EventPermission": { caller: "principal", limits: ["condition"] },
    "aws:ec2/amiLaunchPermission:AmiLaunchPermission": { caller: "group", limits: [] },
};

function granted({ type, props }: Resource): readonly string[] {
    if (type === "aws:lambda/functionUrl:FunctionUrl" && at(props, "authorizationType") === "NONE") {
        return ["authorizationType is NONE: the URL answers everybody on the internet"];
    }
    const grant = Object.hasOwn(grants, type) ? grants[type] : undefined;
    if (grant === undefined) return [];
    const caller = text(at(props, grant.caller));
    const limited = grant.limits.some((key) => ![undefined, "", "*"].some((none) => at(props, key) === none));
    return (caller === "*" || caller === "all") && !limited ? [`${grant.caller} is ${caller}`] : [];
}

/** A domain within a VPC is reached from there alone: its policy may leave the rest to the network. */
function inVpc({ type, props }: Resource): boolean {
    return /^aws:(opensearch|elasticsearch)\/domain:/.test(type) && at(props, "vpcOptions") !== undefined;
}

export const awsPolicyNotPublic: ResourceRule = {
    name: "aws-policy-not-public",
    level: "mandatory",
    scope: "resource",
    types: (type) => type.startsWith("aws:"),
    description: "A role, key, queue, domain or function whose policy names everybody is used from any account of AWS.",
    remedy:
        "Name the principals; or limit them in Condition: by account, organization, source, or an OIDC token's subject. " +
        "Give a function URL the authorizationType AWS_IAM.",
    reference: {
        title: "AWS IAM: the principal element, and why not to use a wildcard in it",
        url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    },
    notInCel,
    found(resource) {
        const documents = documentsOf(resource).flatMap(({ key, document }) => {
            const read = readDocument(document);
            if (read === UNKNOWN) return [];
            // A property called `policy` of a type that the SDK does not know may be a name.
            const known = key !== "policy" || holdsPolicy(resource.type, key);
            if (read === "unreadable") return known ? [`${key} is not a policy document in JSON`] : [];
            if (doors.test(resource.type) || inVpc(resource)) return [];
            return read.flatMap((statement, index) => {
                const whom = letsIn(statement, read);
                return whom === undefined ? [] : [`${key} Statement[${index}] lets in ${whom}`];
            });
        });
        return [...documents, ...granted(resource)].map((found) => `${called(resource)}: ${found}`);
    },
};
