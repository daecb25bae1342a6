/** Judged by pack.ts, which keeps the account of the exceptions used; see exceptions.ts. */
export const exceptionsAreCurrent = {
    name: "exceptions-are-current",
    level: "mandatory",
    scope: "stack",
    description:
        "An exception that has expired, has no near end, excepts nothing or has no reason is a hole that nobody looks after.",
    remedy: "Fix the resource and remove the exception, or renew it with its reason in orcheo:policyExceptions.",
    reference: { title: "This pack: exceptions", url: "https://www.pulumi.com/docs/iac/concepts/config/" },
    notInCel: "it is about the stack's config",
} as const;
