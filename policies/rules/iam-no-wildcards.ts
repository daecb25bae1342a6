import { called, control, notInCel, oneOrMore } from "../aws.ts";
import { statements } from "../iam-document.ts";
import { tooWide } from "../iam-grants.ts";
import { documentsOf } from "../policy-documents.ts";
import type { Resource, ResourceRule } from "../rule.ts";
import { at, text, UNKNOWN } from "../values.ts";

const administrators =
    /:policy\/(job-function\/)?(AdministratorAccess(-.*)?|PowerUserAccess|IAMFullAccess|SystemAdministrator)$/;
const clusterAdministrators = /:cluster-access-policy\/AmazonEKS(Cluster)?AdminPolicy$/;

/** Managed policies that a resource attaches to somebody. */
function attached({ props }: Resource): readonly string[] {
    const keys = ["policyArn", "policyArns", "managedPolicyArn", "managedPolicyArns"];
    return keys.flatMap((key) => oneOrMore(at(props, key))).filter((arn) => administrators.test(arn));
}

/** What makes somebody administrator of a cluster; a namespace's administrator is none. */
function clusterAdmin({ type, name, props }: Resource, named: RegExp): readonly string[] {
    if (!type.startsWith("aws:eks/") || named.test(name)) return [];
    const groups = type.includes("/accessEntry:") ? oneOrMore(at(props, "kubernetesGroups")) : [];
    const policies = type.includes("/accessPolicyAssociation:") ? oneOrMore(at(props, "policyArn")) : [];
    const everywhere = !["namespace", UNKNOWN].some((scope) => at(props, "accessScope", "type") === scope);
    return [
        ...policies.filter((arn) => everywhere && clusterAdministrators.test(arn)),
        ...groups.filter((group) => group === "system:masters"),
    ];
}

const types =
    /^aws:(iam\/(role|(role|user|group)?[pP]olic(y|ies)\w*)|ssoadmin\/\w+|eks\/(accessEntry|accessPolicyAssociation)):/;

export const iamNoWildcards: ResourceRule = {
    name: "iam-no-wildcards",
    level: "mandatory",
    scope: "resource",
    types: (type) => types.test(type),
    description: "A wildcard action on every resource is administration under another name.",
    remedy:
        "Name the actions that are needed, and the ARNs they are needed on; " +
        "administrators of a cluster are named in the rule's setting.",
    reference: control("IAM.21"),
    settings: {
        clusterAdministrators: {
            type: "string",
            description: "Regular expression on the names of EKS access entries that may administer their cluster.",
            default: "(^|-)(deployer|admins?|administrators?)(-|$)",
        },
    },
    notInCel,
    found(resource, settings) {
        const named = new RegExp(text(settings["clusterAdministrators"]) ?? "$^");
        const wide = documentsOf(resource)
            // Who may take a role is another rule's.
            .filter(({ key }) => key !== "assumeRolePolicy")
            .flatMap(({ document }) =>
                statements(document).flatMap((statement, index) => {
                    const problem = tooWide(statement);
                    return problem === undefined ? [] : [`${called(resource)}: Statement[${index}] ${problem}`];
                }),
            );
        const given = [...attached(resource), ...clusterAdmin(resource, named)];
        return [...given.map((each) => `${called(resource)} attaches ${each}`), ...wide];
    },
};
