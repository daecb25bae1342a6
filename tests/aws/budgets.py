"""Budgets: tags, updates, and who is notified.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Budgets.html
"""

import json
from typing import Any

from added import add_calls
from moto.budgets.exceptions import NotFoundException
from moto.budgets.responses import BudgetsResponse


def tagged(self: BudgetsResponse) -> dict[str, str]:
    return self.backend.__dict__.setdefault("own_tags", {}).setdefault(self._get_param("ResourceARN"), {})


class Calls:
    def list_tags_for_resource(self: Any) -> str:
        return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tagged(self).items()]})

    def tag_resource(self: Any) -> str:
        tagged(self).update({each["Key"]: each["Value"] for each in self._get_param("ResourceTags")})
        return "{}"

    def untag_resource(self: Any) -> str:
        for key in self._get_param("ResourceTagKeys"):
            tagged(self).pop(key, None)
        return "{}"

    def create_budget(self: Any) -> str:
        name = self._get_param("Budget")["BudgetName"]
        arn = f"arn:aws:budgets::{self._get_param('AccountId')}:budget/{name}"
        tags = {each["Key"]: each["Value"] for each in self._get_param("ResourceTags") or []}
        self.backend.__dict__.setdefault("own_tags", {})[arn] = tags
        return original_create(self)

    def update_budget(self: Any) -> str:
        given = self._get_param("NewBudget")
        budget = self.backend.budgets[self._get_param("AccountId")].get(given["BudgetName"])
        if budget is None:
            raise NotFoundException(f"Unable to update budget: {given['BudgetName']} - the budget doesn't exist.")
        budget.budget.update(given)
        return "{}"

    def describe_subscribers_for_notification(self: Any) -> str:
        budget = self.backend.budgets[self._get_param("AccountId")].get(self._get_param("BudgetName"))
        wanted = self._get_param("Notification")
        found = [each for each in (budget.notifications if budget else []) if same(each.details, wanted)]
        if not found:
            raise NotFoundException("Unable to find the notification.")
        return json.dumps({"Subscribers": [each for one in found for each in one.subscribers]})


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    keys = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return all(one.get(key) == other.get(key) for key in keys)


original_create = BudgetsResponse.create_budget


def install() -> None:
    add_calls(BudgetsResponse, Calls)
