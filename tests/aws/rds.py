"""RDS: what moto forgets of an instance, of a cluster and of a parameter group.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

from collections.abc import Iterable
from typing import Any

from added import add_calls
from moto.core.responses import ActionResult
from moto.rds.models import DBParameterGroup
from moto.rds.responses import RDSResponse

FORGOTTEN = {
    "PerformanceInsightsEnabled": "performance_insights_enabled",
    "EnablePerformanceInsights": "performance_insights_enabled",
    "PerformanceInsightsKMSKeyId": "performance_insights_kms_key_id",
    "PerformanceInsightsRetentionPeriod": "performance_insights_retention_period",
    "DatabaseInsightsMode": "database_insights_mode",
}


def keeping(call: str, result: str) -> Any:
    original = getattr(RDSResponse, call)

    def keep(self: Any) -> ActionResult:
        given = {name: self.params[name] for name in FORGOTTEN if name in self.params}
        answer = original(self)
        for name, value in given.items():
            setattr(answer.result[result], FORGOTTEN[name], value)
        return answer

    return keep


class Calls:
    create_db_instance = keeping("create_db_instance", "DBInstance")
    modify_db_instance = keeping("modify_db_instance", "DBInstance")
    create_db_cluster = keeping("create_db_cluster", "DBCluster")
    modify_db_cluster = keeping("modify_db_cluster", "DBCluster")


original_parameters = DBParameterGroup.update_parameters


def set_parameters(group: DBParameterGroup, given: Iterable[dict[str, Any]]) -> None:
    """The provider reads those alone that a user has set."""
    original_parameters(group, [{**each, "Source": "user"} for each in given])


def install() -> None:
    DBParameterGroup.update_parameters = set_parameters
    add_calls(RDSResponse, Calls)
