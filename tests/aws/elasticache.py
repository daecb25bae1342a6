"""ElastiCache: parameter groups and user groups, and what moto forgets of a replication group.

https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/
"""

from typing import Any

from added import add_calls
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.responses import ElastiCacheResponse


class NotFound(ServiceException):
    status_code = 404


def held(self: ElastiCacheResponse, kind: str) -> dict[str, Any]:
    return self.elasticache_backend.__dict__.setdefault(f"own_{kind}", {})


def one(self: ElastiCacheResponse, kind: str, name: str, code: str) -> dict[str, Any]:
    found = held(self, kind).get(name)
    if found is None:
        raise NotFound(code, f"{kind} {name} not found")
    return found


def arn(self: ElastiCacheResponse, kind: str, name: str) -> str:
    return f"arn:aws:elasticache:{self.region}:{self.current_account}:{kind}:{name}"


class Calls:
    def create_cache_parameter_group(self: Any) -> ActionResult:
        given = self._get_params()
        name = given["CacheParameterGroupName"]
        group = {
            "CacheParameterGroupName": name,
            "CacheParameterGroupFamily": given["CacheParameterGroupFamily"],
            "Description": given["Description"],
            "IsGlobal": False,
            "ARN": arn(self, "parametergroup", name),
            "parameters": {},
        }
        held(self, "parameter group")[name] = group
        tag(self, group["ARN"], given.get("Tags"))
        return ActionResult({"CacheParameterGroup": group})

    def describe_cache_parameter_groups(self: Any) -> ActionResult:
        name = self._get_params().get("CacheParameterGroupName")
        code = "CacheParameterGroupNotFound"
        found = held(self, "parameter group").values() if name is None else [one(self, "parameter group", name, code)]
        return ActionResult({"CacheParameterGroups": list(found)})

    def modify_cache_parameter_group(self: Any) -> ActionResult:
        given = self._get_params()
        name = given["CacheParameterGroupName"]
        group = one(self, "parameter group", name, "CacheParameterGroupNotFound")
        for parameter in given["ParameterNameValues"]:
            group["parameters"][parameter["ParameterName"]] = parameter["ParameterValue"]
        return ActionResult({"CacheParameterGroupName": name})

    def reset_cache_parameter_group(self: Any) -> ActionResult:
        given = self._get_params()
        group = one(self, "parameter group", given["CacheParameterGroupName"], "CacheParameterGroupNotFound")
        for parameter in given.get("ParameterNameValues", []):
            group["parameters"].pop(parameter["ParameterName"], None)
        return ActionResult({"CacheParameterGroupName": given["CacheParameterGroupName"]})

    def describe_cache_parameters(self: Any) -> ActionResult:
        given = self._get_params()
        group = one(self, "parameter group", given["CacheParameterGroupName"], "CacheParameterGroupNotFound")
        parameters = [
            {"ParameterName": name, "ParameterValue": value, "Source": "user", "IsModifiable": True}
            for name, value in group["parameters"].items()
        ]
        return ActionResult({"Parameters": parameters})

    def delete_cache_parameter_group(self: Any) -> EmptyResult:
        name = self._get_params()["CacheParameterGroupName"]
        one(self, "parameter group", name, "CacheParameterGroupNotFound")
        del held(self, "parameter group")[name]
        return EmptyResult()

    def create_user_group(self: Any) -> ActionResult:
        given = self._get_params()
        name = given["UserGroupId"]
        group = {
            "UserGroupId": name,
            "Status": "active",
            "Engine": given["Engine"].lower(),
            "UserIds": given.get("UserIds", []),
            "MinimumEngineVersion": "7.2",
            "ReplicationGroups": [],
            "ARN": arn(self, "usergroup", name),
        }
        held(self, "user group")[name] = group
        tag(self, group["ARN"], given.get("Tags"))
        return ActionResult(group)

    def describe_user_groups(self: Any) -> ActionResult:
        name = self._get_params().get("UserGroupId")
        found = held(self, "user group").values() if name is None else [one(self, "user group", name, "UserGroupNotFound")]
        return ActionResult({"UserGroups": list(found)})

    def modify_user_group(self: Any) -> ActionResult:
        given = self._get_params()
        group = one(self, "user group", given["UserGroupId"], "UserGroupNotFound")
        removed = given.get("UserIdsToRemove", [])
        group["UserIds"] = [each for each in group["UserIds"] if each not in removed] + given.get("UserIdsToAdd", [])
        return ActionResult(group)

    def delete_user_group(self: Any) -> ActionResult:
        name = self._get_params()["UserGroupId"]
        group = one(self, "user group", name, "UserGroupNotFound")
        del held(self, "user group")[name]
        return ActionResult({**group, "Status": "deleting"})

    def modify_user(self: Any) -> ActionResult:
        given = self._get_params()
        [user] = self.elasticache_backend.describe_users(given["UserId"])
        if (access := given.get("AccessString")) is not None:
            user.access_string = access
        return ActionResult(user)

    # Replication groups: moto has one node in each, and no cache cluster for it.

    def create_replication_group(self: Any) -> ActionResult:
        given = self._get_params()
        result = original_create_group(self)
        group = result.result["ReplicationGroup"]
        group.own = given
        [shard] = group.node_groups
        shard["reader_endpoint"] = {"address": shard["reader_endpoint_address"], "port": group.port}
        set_nodes(self, group, int(given["NumCacheClusters"]))
        return result

    def modify_replication_group(self: Any) -> ActionResult:
        given = self._get_params()
        [group] = self.elasticache_backend.describe_replication_groups(given["ReplicationGroupId"])
        group.own.update(given)
        for name, kept in {
            "SnapshotRetentionLimit": "snapshot_retention_limit",
            "SnapshotWindow": "snapshot_window",
            "CacheNodeType": "cache_node_type",
            "ReplicationGroupDescription": "description",
        }.items():
            if name in given:
                setattr(group, kept, given[name])
        return ActionResult({"ReplicationGroup": group})

    def increase_replica_count(self: Any) -> ActionResult:
        given = self._get_params()
        [group] = self.elasticache_backend.describe_replication_groups(given["ReplicationGroupId"])
        set_nodes(self, group, int(given["NewReplicaCount"]) + 1)
        return ActionResult({"ReplicationGroup": group})

    def describe_cache_clusters(self: Any) -> ActionResult:
        name = self._get_params().get("CacheClusterId")
        groups = self.elasticache_backend.describe_replication_groups()
        nodes = [node(each, group) for group in groups for each in group.member_clusters if name in (None, each)]
        return ActionResult({"CacheClusters": nodes}) if nodes else original_clusters(self)

    # Tags

    def list_tags_for_resource(self: Any) -> ActionResult:
        name = self._get_params()["ResourceName"]
        if name in held(self, "tags"):
            return ActionResult({"TagList": listed(self, name)})
        return original_list_tags(self)

    def add_tags_to_resource(self: Any) -> ActionResult:
        given = self._get_params()
        if given["ResourceName"] not in held(self, "tags"):
            return original_add_tags(self)
        tag(self, given["ResourceName"], given["Tags"])
        return ActionResult({"TagList": listed(self, given["ResourceName"])})

    def remove_tags_from_resource(self: Any) -> ActionResult:
        given = self._get_params()
        if given["ResourceName"] not in held(self, "tags"):
            return original_remove_tags(self)
        for key in given["TagKeys"]:
            held(self, "tags")[given["ResourceName"]].pop(key, None)
        return ActionResult({"TagList": listed(self, given["ResourceName"])})


def subnets_of(self: ElastiCacheResponse, given: dict[str, Any]) -> list[dict[str, str]]:
    [group] = self.elasticache_backend.describe_cache_subnet_groups(given["CacheSubnetGroupName"])
    return group.subnets


def set_nodes(self: ElastiCacheResponse, group: Any, count: int) -> None:
    names = [f"{group.replication_group_id}-{node:03}" for node in range(1, count + 1)]
    [shard] = group.node_groups
    zones = [subnet["subnet_availability_zone"] for subnet in subnets_of(self, group.own)]
    shard["node_group_members"] = [
        {
            "cache_cluster_id": name,
            "cache_node_id": shard["node_group_id"],
            "preferred_availability_zone": zones[index % len(zones)],
            "current_role": "replica" if index else "primary",
        }
        for index, name in enumerate(names)
    ]
    group.member_clusters = names


def node(name: str, group: Any) -> dict[str, Any]:
    given = group.own
    return {
        "CacheClusterId": name,
        "ReplicationGroupId": group.replication_group_id,
        "CacheClusterStatus": "available",
        "CacheNodeType": given["CacheNodeType"],
        "Engine": given["Engine"],
        # AWS adds the patch.
        "EngineVersion": f"{given['EngineVersion']}.0",
        "NumCacheNodes": 1,
        "AutoMinorVersionUpgrade": given.get("AutoMinorVersionUpgrade", True),
        "CacheSubnetGroupName": given["CacheSubnetGroupName"],
        "SecurityGroups": [{"SecurityGroupId": each, "Status": "active"} for each in given["SecurityGroupIds"]],
        "CacheParameterGroup": {
            "CacheParameterGroupName": given["CacheParameterGroupName"],
            "ParameterApplyStatus": "in-sync",
        },
        "PreferredMaintenanceWindow": given["PreferredMaintenanceWindow"],
        "AtRestEncryptionEnabled": given["AtRestEncryptionEnabled"],
        "TransitEncryptionEnabled": given["TransitEncryptionEnabled"],
        "TransitEncryptionMode": given.get("TransitEncryptionMode", "required"),
        "AuthTokenEnabled": False,
    }


def tag(self: ElastiCacheResponse, name: str, tags: list[dict[str, str]] | None) -> None:
    held(self, "tags").setdefault(name, {}).update({each["Key"]: each["Value"] for each in tags or []})


def listed(self: ElastiCacheResponse, name: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in held(self, "tags")[name].items()]


original_create_group = ElastiCacheResponse.create_replication_group
original_clusters = ElastiCacheResponse.describe_cache_clusters
original_list_tags = ElastiCacheResponse.list_tags_for_resource
original_add_tags = ElastiCacheResponse.add_tags_to_resource
original_remove_tags = ElastiCacheResponse.remove_tags_from_resource


def install() -> None:
    add_calls(ElastiCacheResponse, Calls)
