"""RDS: what moto forgets of an instance, of a cluster and of a parameter group.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

from collections.abc import Iterable
from typing import Any

from added import add_calls
from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.rds.models import DBCluster, DBInstance, DBParameterGroup
from moto.rds.responses import RDSResponse

FORGOTTEN = {
    "PerformanceInsightsEnabled": "performance_insights_enabled",
    "EnablePerformanceInsights": "performance_insights_enabled",
    "PerformanceInsightsKMSKeyId": "performance_insights_kms_key_id",
    "PerformanceInsightsRetentionPeriod": "performance_insights_retention_period",
    "DatabaseInsightsMode": "database_insights_mode",
    "MonitoringInterval": "monitoring_interval",
    "MonitoringRoleArn": "monitoring_role_arn",
}


def keeping(call: str, result: str) -> Any:
    original = getattr(RDSResponse, call)

    def keep(self: Any) -> ActionResult:
        given = {name: self.params[name] for name in FORGOTTEN if name in self.params}
        answer = original(self)
        of = answer.result[result]
        # A cluster that is changed is answered as it was.
        held = self.backend.clusters.get(of.db_cluster_identifier, of) if result == "DBCluster" else of
        for name, value in given.items():
            setattr(held, FORGOTTEN[name], value)
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


original_scaling = DBCluster.scaling_configuration_info.fget


def scaling(cluster: DBCluster) -> dict[str, Any] | None:
    """Of Aurora Serverless alone."""
    return original_scaling(cluster) if cluster.scaling_configuration else None


original_init = DBInstance.__init__


def init(instance: DBInstance, *given: Any, **named: Any) -> None:
    """moto has one id for all, by which the provider asks for an instance."""
    original_init(instance, *given, **named)
    instance.dbi_resource_id = f"db-{mock_random.get_random_hex(26).upper()}"


def install() -> None:
    DBInstance.__init__ = init
    DBCluster.scaling_configuration_info = property(scaling)
    DBParameterGroup.update_parameters = set_parameters
    add_calls(RDSResponse, Calls)
