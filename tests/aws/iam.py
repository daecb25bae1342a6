"""IAM's evaluation of policies within one account: actions, resources, conditions, principals, and the policies of resources.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """One permission that a request takes."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """A role of the account, or a service of AWS."""

    arn: str = ""
    service: str = ""

    def named_by(self, principal: Any) -> str | None:
        """`itself`, or `account` where only the account as a whole is named, which leaves it to its IAM policies."""
        if principal == "*":
            return "itself"
        if self.service in listed(principal.get("Service")) and self.service:
            return "itself"
        named = listed(principal.get("AWS"))
        if "*" in named or self.arn in named:
            return "itself"
        account = self.arn.split(":")[4] if self.arn else "none"
        return "account" if {account, f"arn:aws:iam::{account}:root"} & set(named) else None


def listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def like(pattern: str, value: str, ignore_case: bool = False) -> bool:
    regex = "".join(".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.fullmatch(regex, value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


OPERATORS = {
    "StringEquals": lambda wanted, given: wanted == given,
    "StringLike": like,
    "ArnLike": like,
    "ArnEquals": like,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
    "NumericLessThan": lambda wanted, given: float(given) < float(wanted),
}


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Whether all do. A key that the request lacks fails its condition. An operator that is not among these is an error."""
    known = {key.lower(): value for key, value in context.items()}
    for name, keys in conditions.items():
        operator = OPERATORS[name.removesuffix("IfExists")]
        for key, wanted in keys.items():
            given = known.get(key.lower())
            if given is None:
                if name.endswith("IfExists"):
                    continue
                return False
            if not any(operator(str(each), given) for each in listed(wanted)):
                return False
    return True


def statements(documents: Iterable[Document], effect: str, need: Need) -> list[Document]:
    """The statements with this effect that say something about what is needed."""
    return [
        statement
        for document in documents
        for statement in listed(document["Statement"])
        if statement["Effect"] == effect
        and any(like(each, need.action, ignore_case=True) for each in listed(statement["Action"]))
        and any(like(each, need.resource) for each in listed(statement.get("Resource", "*")))
        and holds(statement.get("Condition", {}), need.context)
    ]


def allowed(need: Need, caller: Caller, policies: Iterable[Document], of_resource: Document | None = None) -> bool:
    """
    Whether the caller's policies, or that of the resource, allow it and none denies it.

    A KMS key and a role are only for those whom their own policy names: the caller itself, or the account, whose policies then decide.
    """
    own = list(policies)
    theirs = [] if of_resource is None else [of_resource]

    def naming(effect: str) -> list[str | None]:
        return [caller.named_by(each["Principal"]) for each in statements(theirs, effect, need)]

    if statements(own, "Deny", need) or any(naming("Deny")):
        return False
    named = naming("Allow")
    by_own = len(statements(own, "Allow", need)) > 0
    if need.action.split(":")[0] in ("kms", "sts") and of_resource is not None:
        return "itself" in named or ("account" in named and by_own)
    return by_own or "itself" in named
