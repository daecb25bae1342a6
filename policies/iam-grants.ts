/** What is wrong with a statement that gives rights: everything on everything, or the way to it. */
import { oneOrMore, testsOf } from "./iam-document.ts";
import { coversService, coversType, hasWildcard, matches, wildActions } from "./iam-patterns.ts";
import { at, UNKNOWN } from "./values.ts";

/** Actions that let a caller grant itself any other action when their resource is not restricted, by the kind of resource. */
const escalations: Readonly<Record<string, readonly string[]>> = {
    role: ["iam:PassRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"].concat(
        "iam:DeleteRolePermissionsBoundary",
        "iam:DeleteRolePolicy",
    ),
    user: ["iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:CreateAccessKey", "iam:CreateLoginProfile"].concat(
        "iam:UpdateLoginProfile",
        "iam:DeleteUserPermissionsBoundary",
    ),
    group: ["iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:PutGroupPolicy"],
    policy: ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"],
    "access-entry": ["eks:AssociateAccessPolicy"],
    cluster: ["eks:CreateAccessEntry"],
};

/** Whether roles may be passed to services that are named, and to no others. */
function toNamedServices(statement: unknown): boolean {
    const tests = testsOf(statement);
    if (tests === UNKNOWN) return true;
    return tests.some(
        ({ operator, key, values, ifExists, set, unknown }) =>
            key === "iam:passedtoservice" &&
            /^string(equals|like|equalsignorecase)$/.test(operator) &&
            set === "" &&
            !ifExists &&
            (unknown || (values.length > 0 && values.every((value) => !hasWildcard(value)))),
    );
}

/** The actions by which a statement gives away more than it names; none while its resources are unknown. */
function escalating(statement: unknown, actions: readonly string[], resources: readonly string[]): readonly string[] {
    return Object.entries(escalations).flatMap(([type, names]) => {
        const service = type === "access-entry" || type === "cluster" ? "eks" : "iam";
        if (!resources.some((resource) => coversType(resource, service, type))) return [];
        return names.filter(
            (name) =>
                actions.some((action) => matches(action, name, true)) &&
                !(name === "iam:PassRole" && toNamedServices(statement)),
        );
    });
}

/** What is wrong with a statement of a policy; undefined when nothing is. */
export function tooWide(statement: unknown): string | undefined {
    if (at(statement, "Effect") !== "Allow") return undefined;
    const [notActions, notResources] = [at(statement, "NotAction"), at(statement, "NotResource")];
    const [actions, resources] = [oneOrMore(at(statement, "Action")), oneOrMore(at(statement, "Resource"))];
    // All but everything is nothing.
    const exceptAll = (patterns: unknown, all: (pattern: string) => boolean): boolean => oneOrMore(patterns).some(all);
    const otherResources = notResources !== undefined && !exceptAll(notResources, (each) => coversService(each, "*"));
    const everywhere = (action: string): boolean =>
        otherResources || resources.some((resource) => coversService(resource, action));

    const wild = wildActions(actions).filter(everywhere);
    if (wild.length > 0) return `allows ${wild.join(", ")} on every resource`;
    if (notActions !== undefined && notActions !== UNKNOWN && everywhere("*")) {
        const nothing = exceptAll(notActions, (each) => wildActions([each]).some((action) => matches(action, "q:q")));
        if (!nothing) return "allows all but NotAction on every resource";
    }
    const given = escalating(statement, actions, otherResources ? ["*"] : resources);
    return given.length === 0
        ? undefined
        : `allows ${given.join(", ")} on everything of its kind: the way to every right`;
}
