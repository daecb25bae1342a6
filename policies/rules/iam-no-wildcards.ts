import { called, control, notInCel, oneOrMore, statements } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, list } from "../values.ts";

const administrators =
    /:policy\/(job-function\/)?(AdministratorAccess|PowerUserAccess|IAMFullAccess|SystemAdministrator)$/;

/** What is wrong with a statement of a policy; undefined when nothing is. */
function tooWide(statement: unknown): string | undefined {
    if (at(statement, "Effect") !== "Allow") return undefined;
    const everywhere = oneOrMore(at(statement, "Resource")).includes("*") || at(statement, "NotResource") !== undefined;
    if (!everywhere) return undefined;
    const wild = oneOrMore(at(statement, "Action")).filter((action) => /^(\*|[\w*-]+:\*)$/.test(action));
    if (wild.length > 0) return `allows ${wild.join(", ")} on every resource`;
    return at(statement, "NotAction") === undefined ? undefined : "allows all but NotAction on every resource";
}

export const iamNoWildcards: ResourceRule = {
    name: "iam-no-wildcards",
    level: "mandatory",
    scope: "resource",
    types: (type) => /^aws:iam\/(role|(role|user|group)?[pP]olic(y|ies)\w*):/.test(type),
    description: "A wildcard action on every resource is administration under another name.",
    remedy: "Name the actions that are needed, and the ARNs they are needed on.",
    reference: control("IAM.21"),
    notInCel,
    found(resource) {
        const { props } = resource;
        // Of an attachment, of a list of them, and of a role.
        const attached = ["policyArn", "policyArns", "managedPolicyArns"].flatMap((key) => oneOrMore(at(props, key)));
        const inline = list(at(props, "inlinePolicies")).map((each) => at(each, "policy"));
        return [
            ...attached.filter((arn) => administrators.test(arn)).map((arn) => `${called(resource)} attaches ${arn}`),
            ...[at(props, "policy"), ...inline].flatMap((policy) =>
                statements(policy).flatMap((statement, index) => {
                    const problem = tooWide(statement);
                    return problem === undefined ? [] : [`${called(resource)}: Statement[${index}] ${problem}`];
                }),
            ),
        ];
    },
};
