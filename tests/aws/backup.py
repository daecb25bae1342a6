"""AWS Backup: selections, updates of plans, and tags, which the provider asks for at a path without its last slash.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations.html
"""

import json
from typing import Any
from urllib.parse import unquote

from added import add_calls
from moto.backup.models import Plan
from moto.backup.responses import BackupResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random


class NotFound(ServiceException):
    status_code = 400
    code = "ResourceNotFoundException"


def held(self: BackupResponse) -> dict[str, Any]:
    return self.backup_backend.__dict__.setdefault("own_selections", {})


def one(self: BackupResponse) -> dict[str, Any]:
    wanted = self.path.rstrip("/").split("/")[-1]
    if wanted not in held(self):
        raise NotFound("ResourceNotFoundException", f"Cannot find Backup selection {wanted}")
    return held(self)[wanted]


class Calls:
    def create_backup_selection(self: Any) -> ActionResult:
        plan = self.path.split("/")[3]
        selection = {
            "BackupSelection": json.loads(self.body)["BackupSelection"],
            "SelectionId": str(mock_random.uuid4()),
            "BackupPlanId": plan,
            "CreationDate": utcnow(),
        }
        held(self)[selection["SelectionId"]] = selection
        return ActionResult(selection)

    def get_backup_selection(self: Any) -> ActionResult:
        return ActionResult(one(self))

    def delete_backup_selection(self: Any) -> EmptyResult:
        del held(self)[one(self)["SelectionId"]]
        return EmptyResult()

    def update_backup_plan(self: Any) -> str:
        wanted = self.path.rstrip("/").split("/")[-1]
        plan = self.backup_backend.plans.get(wanted)
        if plan is None:
            raise NotFound("ResourceNotFoundException", f"Cannot find Backup plan {wanted}")
        new = Plan(json.loads(self.body)["BackupPlan"], plan.creator_request_id, self.backup_backend)
        plan.backup_plan, plan.version_id = new.backup_plan, new.version_id
        return json.dumps(plan.to_dict())

    def delete_backup_plan(self: Any) -> str:
        """moto keeps it, and refuses another one of its name."""
        answer = original_delete(self)
        self.backup_backend.plans.pop(self.path.rstrip("/").split("/")[-1], None)
        return answer

    def list_tags(self: Any) -> str:
        arn = unquote(self.path.rstrip("/").split("/")[-1])
        return json.dumps({"Tags": self.backup_backend.list_tags(resource_arn=arn)})


original_delete = BackupResponse.delete_backup_plan


def install() -> None:
    add_calls(BackupResponse, Calls)
