import { called, notInCel, oneOrMore, statements } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, fields, holdsUnknown, UNKNOWN } from "../values.ts";

const documents = ["policy", "assumeRolePolicy", "accessPolicy", "repositoryPolicy"] as const;
/** Meant for everybody, or judged by what lies behind them. */
const doors = /^aws:(ec2|apigateway|vpclattice|ecrpublic)\//;
/** What a caller cannot choose: whose it is, and where it calls from. */
const callerKeys =
    /^(aws:(principal(account|arn|orgid|orgpaths)|source(account|arn|ip|orgid|orgpaths|owner|vpc|vpce|vpcarn)|vpcsourceip)|kms:calleraccount)$/i;
/** A claim of a token besides its audience, which all tokens for AWS have in common. */
const tokenKeys = /:(?!aud$)[^:]+$/i;
/** Holds for the value named only: not its negation, and not where the key is missing. */
const operators = /^(foranyvalue:)?(string(equals|like|equalsignorecase)|arn(equals|like)|ipaddress)$/i;
const anything = /^(repo:)?[*?]/;

/** Whether a condition of the statement names values of a key. */
function limits(statement: unknown, key: RegExp): boolean {
    const conditions = at(statement, "Condition");
    if (conditions === UNKNOWN) return true;
    return Object.keys(fields(conditions)).some((operator) => {
        const keys = at(conditions, operator);
        const named = Object.keys(fields(keys)).filter((name) => key.test(name));
        return operators.test(operator) && (keys === UNKNOWN || named.some((name) => narrows(at(keys, name))));
    });
}

/** Whether what a key may be is less than anything. */
function narrows(given: unknown): boolean {
    const values = oneOrMore(given);
    return (values.length > 0 || holdsUnknown(given)) && !values.some((value) => anything.test(value));
}

/** Whom a statement lets in without limits; undefined when nobody. */
function letsIn(statement: unknown): string | undefined {
    if (at(statement, "Effect") !== "Allow") return undefined;
    const others = at(statement, "NotPrincipal");
    if (others !== undefined && others !== UNKNOWN) return "everybody but NotPrincipal";
    const principal = at(statement, "Principal");
    const anybody =
        principal === "*" || ["AWS", "Federated"].some((key) => oneOrMore(at(principal, key)).includes("*"));
    if (anybody && !limits(statement, callerKeys)) return "everybody";
    const provider = oneOrMore(at(principal, "Federated")).find((each) => each.includes(":oidc-provider/"));
    return provider !== undefined && !limits(statement, tokenKeys) ? `everybody whom ${provider} knows` : undefined;
}

export const awsPolicyNotPublic: ResourceRule = {
    name: "aws-policy-not-public",
    level: "mandatory",
    scope: "resource",
    types: (type) => type.startsWith("aws:") && !doors.test(type),
    description: "A role, key, queue or secret whose policy names everybody is used from any account of AWS.",
    remedy: "Name the principals; or limit them in Condition: by account, organization, source, or an OIDC token's subject.",
    reference: {
        title: "AWS IAM: the principal element, and why not to use a wildcard in it",
        url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    },
    notInCel,
    found: (resource) =>
        documents.flatMap((key) =>
            statements(at(resource.props, key)).flatMap((statement, index) => {
                const whom = letsIn(statement);
                return whom === undefined ? [] : [`${called(resource)}: ${key} Statement[${index}] lets in ${whom}`];
            }),
        ),
};
