import { called, control, notInCel, oneOrMore, statements } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, text } from "../values.ts";

export const iamNoWildcards: ResourceRule = {
    name: "iam-no-wildcards",
    level: "mandatory",
    scope: "resource",
    types: (type) =>
        /^aws:iam\/(policy|rolePolicy|userPolicy|groupPolicy|rolePolicyAttachment|userPolicyAttachment|groupPolicyAttachment):/.test(
            type,
        ),
    description: "A wildcard action on every resource is administration under another name.",
    remedy: "Name the actions that are needed, and the ARNs they are needed on.",
    reference: control("IAM.21"),
    notInCel,
    found(resource) {
        const attached = text(at(resource.props, "policyArn")) ?? "";
        if (/:policy\/(AdministratorAccess|PowerUserAccess|IAMFullAccess)$/.test(attached)) {
            return [`${called(resource)} attaches ${attached}`];
        }
        return statements(at(resource.props, "policy")).flatMap((statement, index) => {
            if (at(statement, "Effect") !== "Allow") return [];
            const where = `${called(resource)}: Statement[${index}]`;
            const everywhere = oneOrMore(at(statement, "Resource")).includes("*");
            const wild = oneOrMore(at(statement, "Action")).filter((action) => /^(\*|[\w-]+:\*)$/.test(action));
            if (everywhere && wild.length > 0) return [`${where} allows ${wild.join(", ")} on every resource`];
            const inverted = oneOrMore(at(statement, "NotAction")).length > 0;
            return everywhere && inverted ? [`${where} allows all but NotAction on every resource`] : [];
        });
    },
};
