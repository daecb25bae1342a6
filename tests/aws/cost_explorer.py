"""Cost Explorer: the tags that costs are allocated by.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_UpdateCostAllocationTagsStatus.html
"""

import json
from typing import Any

from added import add_calls
from moto.ce.responses import CostExplorerResponse


def held(self: CostExplorerResponse) -> dict[str, str]:
    return self.ce_backend.__dict__.setdefault("own_tags", {})


class Calls:
    def update_cost_allocation_tags_status(self: Any) -> str:
        for each in json.loads(self.body)["CostAllocationTagsStatus"]:
            held(self)[each["TagKey"]] = each["Status"]
        return json.dumps({"Errors": []})

    def list_cost_allocation_tags(self: Any) -> str:
        tags = [{"TagKey": key, "Type": "UserDefined", "Status": status} for key, status in held(self).items()]
        return json.dumps({"CostAllocationTags": tags})


def install() -> None:
    add_calls(CostExplorerResponse, Calls)
