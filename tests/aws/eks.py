"""EKS: add-ons, access entries, Pod Identity, updates, and what moto forgets of a cluster.

https://docs.aws.amazon.com/eks/latest/APIReference/
"""

import os
from typing import Any

from added import add_calls, add_paths
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.eks import urls
from moto.eks.exceptions import InvalidParameterException, InvalidRequestException, ResourceNotFoundException
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse
from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random

CLUSTER = "/clusters/{name}"
PATHS = [
    f"{CLUSTER}/addons",
    f"{CLUSTER}/addons/{{addonName}}",
    f"{CLUSTER}/addons/{{addonName}}/update",
    f"{CLUSTER}/access-entries",
    f"{CLUSTER}/access-entries/{{principalArn+}}",
    f"{CLUSTER}/pod-identity-associations",
    f"{CLUSTER}/pod-identity-associations/{{associationId}}",
    f"{CLUSTER}/updates",
    f"{CLUSTER}/updates/{{updateId}}",
    "/addons/supported-versions",
]


def missing(what: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        clusterName=None, nodegroupName=None, fargateProfileName=None, addonName=None, message=f"No {what} found."
    )


def held(self: EKSResponse, kind: str) -> dict[Any, Any]:
    """Objects of one kind in the cluster of the request."""
    cluster = self.eks_backend.describe_cluster(name=self._get_param("name"))
    return cluster.__dict__.setdefault(f"own_{kind}", {})


def one(self: EKSResponse, kind: str, key: Any) -> dict[str, Any]:
    found = held(self, kind).get(key)
    if found is None:
        raise missing(f"{kind} {key}")
    return found


def update(kind: str) -> ActionResult:
    """An update that is done already: the provider asks for it until it is."""
    return ActionResult({"update": {"id": str(mock_random.uuid4()), "status": "Successful", "type": kind}})


def arn(self: EKSResponse, kind: str, *parts: str) -> str:
    path = "/".join((kind, self._get_param("name"), *parts))
    return f"arn:aws:eks:{self.region}:{self.current_account}:{path}"


class Calls:
    # Clusters

    def create_cluster(self: Any) -> ActionResult:
        result = original_create(self)
        cluster = result.result["cluster"]
        config = cluster.resources_vpc_config
        ec2 = ec2_backends[self.current_account][self.region]
        vpc_id = ec2.get_subnet(config["subnetIds"][0]).vpc_id
        group = ec2.create_security_group(
            f"eks-cluster-sg-{cluster.name}-1", "EKS created security group", vpc_id=vpc_id
        )
        cluster.resources_vpc_config = {
            "securityGroupIds": [],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
            "publicAccessCidrs": ["0.0.0.0/0"],
            **config,
            "vpcId": vpc_id,
            "clusterSecurityGroupId": group.id,
        }
        access = {"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": True}
        cluster.access_config = {**access, **(self._get_param("accessConfig") or {})}
        cluster.upgrade_policy = self._get_param("upgradePolicy") or {"supportType": "EXTENDED"}
        cluster.deletion_protection = self._get_param("deletionProtection") or False
        cluster.compute_config = self._get_param("computeConfig")
        cluster.storage_config = self._get_param("storageConfig")
        cluster.zonal_shift_config = self._get_param("zonalShiftConfig")
        network = self._get_param("kubernetesNetworkConfig") or {}
        cluster.kubernetes_network_config = {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4", **network}
        # That of the tests, so that what goes into a new cluster is asked of a real API server.
        cluster.endpoint = os.environ.get("EKS_ENDPOINT", cluster.endpoint)
        cluster.certificate_authority = {"data": os.environ.get("EKS_CA", "Q0E=")}
        return result

    def update_cluster_config(self: Any) -> ActionResult:
        cluster = self.eks_backend.describe_cluster(name=self._get_param("name"))
        for given, kept in {
            "logging": "logging",
            "accessConfig": "access_config",
            "upgradePolicy": "upgrade_policy",
            "computeConfig": "compute_config",
            "storageConfig": "storage_config",
        }.items():
            if (value := self._get_param(given)) is not None:
                before = getattr(cluster, kept)
                setattr(cluster, kept, {**before, **value} if isinstance(before, dict) else value)
        if (config := self._get_param("resourcesVpcConfig")) is not None:
            cluster.resources_vpc_config.update(config)
        if (protected := self._get_param("deletionProtection")) is not None:
            cluster.deletion_protection = protected
        return update("ConfigUpdate")

    def update_cluster_version(self: Any) -> ActionResult:
        cluster = self.eks_backend.describe_cluster(name=self._get_param("name"))
        cluster.version = self._get_param("version")
        return update("VersionUpdate")

    def update_nodegroup_version(self: Any) -> ActionResult:
        group = self.eks_backend.describe_nodegroup(self._get_param("name"), self._get_param("nodegroupName"))
        if (version := self._get_param("version")) is not None:
            group.version = version
        if (template := self._get_param("launchTemplate")) is not None:
            group.launch_template.update(template)
        return update("VersionUpdate")

    def delete_cluster(self: Any) -> ActionResult:
        cluster = self.eks_backend.describe_cluster(name=self._get_param("name"))
        if cluster.deletion_protection:
            raise InvalidRequestException(message="Deletion protection is enabled for the cluster.")
        return original_delete(self)

    def create_nodegroup(self: Any) -> ActionResult:
        result = original_nodegroup(self)
        group = result.result["nodegroup"]
        group.update_config = self._get_param("updateConfig") or {"maxUnavailable": 1}
        cluster = self.eks_backend.describe_cluster(name=self._get_param("name"))
        group.version = self._get_param("version") or cluster.version
        group.release_version = f"{group.version}.0-20261101"
        if self._get_param("remoteAccess") is None:
            group.remote_access = None
            group.resources = {"autoScalingGroups": group.resources["autoScalingGroups"]}
        if self._get_param("launchTemplate") is not None:
            group.disk_size = None
        return result

    def update_nodegroup_config(self: Any) -> ActionResult:
        group = self.eks_backend.describe_nodegroup(self._get_param("name"), self._get_param("nodegroupName"))
        sizes = {**group.scaling_config, **(self._get_param("scalingConfig") or {})}
        fewest, most, wanted = sizes["minSize"], sizes["maxSize"], sizes["desiredSize"]
        if fewest > wanted:
            raise InvalidParameterException(
                message=f"Minimum capacity {fewest} can't be greater than desired size {wanted}"
            )
        if wanted > most:
            raise InvalidParameterException(message=f"desired capacity {wanted} can't be greater than max size {most}")
        return original_nodegroup_config(self)

    def describe_update(self: Any) -> ActionResult:
        return ActionResult({"update": {"id": self._get_param("updateId"), "status": "Successful"}})

    # Add-ons

    def describe_addon_versions(self: Any) -> ActionResult:
        name = self._get_param("addonName")
        # The default is another one for each version of Kubernetes.
        default = f"v{self._get_param('kubernetesVersion') or '1.0'}.0-eksbuild.1"
        version = {"addonVersion": default, "compatibilities": [{"defaultVersion": True}]}
        return ActionResult({"addons": [{"addonName": name, "addonVersions": [version]}]})

    def create_addon(self: Any) -> ActionResult:
        name = self._get_param("addonName")
        identities = [
            associate(self, {"namespace": "kube-system", **given})["associationArn"]
            for given in self._get_param("podIdentityAssociations") or []
        ]
        addon = {
            "addonName": name,
            "clusterName": self._get_param("name"),
            "status": "ACTIVE",
            "addonVersion": self._get_param("addonVersion") or "v1.0.0-eksbuild.1",
            "health": {"issues": []},
            "addonArn": arn(self, "addon", name, str(mock_random.uuid4())),
            "createdAt": utcnow(),
            "modifiedAt": utcnow(),
            "serviceAccountRoleArn": self._get_param("serviceAccountRoleArn"),
            "configurationValues": self._get_param("configurationValues"),
            "podIdentityAssociations": identities,
            "tags": self._get_param("tags") or {},
        }
        held(self, "addon")[name] = addon
        return ActionResult({"addon": addon})

    def describe_addon(self: Any) -> ActionResult:
        return ActionResult({"addon": one(self, "addon", self._get_param("addonName"))})

    def update_addon(self: Any) -> ActionResult:
        addon = one(self, "addon", self._get_param("addonName"))
        for key in ("addonVersion", "configurationValues", "serviceAccountRoleArn"):
            if (value := self._get_param(key)) is not None:
                addon[key] = value
        return update("AddonUpdate")

    def delete_addon(self: Any) -> ActionResult:
        addon = one(self, "addon", self._get_param("addonName"))
        del held(self, "addon")[addon["addonName"]]
        return ActionResult({"addon": {**addon, "status": "DELETING"}})

    # Access entries

    def create_access_entry(self: Any) -> ActionResult:
        principal = self._get_param("principalArn")
        kind, name = principal.split(":")[5].split("/", 1)
        roles = iam_backends[self.current_account]["aws"].roles.values()
        if kind == "role" and principal not in [role.arn for role in roles]:
            raise InvalidParameterException(message="The specified principalArn is invalid: invalid principal.")
        entry = {
            "clusterName": self._get_param("name"),
            "principalArn": principal,
            "kubernetesGroups": self._get_param("kubernetesGroups") or [],
            "accessEntryArn": arn(self, "access-entry", kind, self.current_account, name, str(mock_random.uuid4())),
            "createdAt": utcnow(),
            "modifiedAt": utcnow(),
            "tags": self._get_param("tags") or {},
            "username": self._get_param("username")
            or f"arn:aws:sts::{self.current_account}:assumed-role/{name}/{{{{SessionName}}}}",
            "type": self._get_param("type") or "STANDARD",
        }
        held(self, "access entry")[principal] = entry
        return ActionResult({"accessEntry": entry})

    def describe_access_entry(self: Any) -> ActionResult:
        return ActionResult({"accessEntry": one(self, "access entry", self._get_param("principalArn"))})

    def update_access_entry(self: Any) -> ActionResult:
        entry = one(self, "access entry", self._get_param("principalArn"))
        entry["kubernetesGroups"] = self._get_param("kubernetesGroups") or entry["kubernetesGroups"]
        return ActionResult({"accessEntry": entry})

    def delete_access_entry(self: Any) -> EmptyResult:
        principal = self._get_param("principalArn")
        one(self, "access entry", principal)
        del held(self, "access entry")[principal]
        held(self, "access policy").pop(principal, None)
        return EmptyResult()

    def associate_access_policy(self: Any) -> ActionResult:
        principal = self._get_param("principalArn")
        one(self, "access entry", principal)
        policy = {
            "policyArn": self._get_param("policyArn"),
            "accessScope": {"namespaces": [], **self._get_param("accessScope")},
            "associatedAt": utcnow(),
            "modifiedAt": utcnow(),
        }
        held(self, "access policy").setdefault(principal, {})[policy["policyArn"]] = policy
        answer = {"clusterName": self._get_param("name"), "principalArn": principal}
        return ActionResult({**answer, "associatedAccessPolicy": policy})

    def list_associated_access_policies(self: Any) -> ActionResult:
        principal = self._get_param("principalArn")
        one(self, "access entry", principal)
        policies = list(held(self, "access policy").get(principal, {}).values())
        answer = {"clusterName": self._get_param("name"), "principalArn": principal}
        return ActionResult({**answer, "associatedAccessPolicies": policies})

    def disassociate_access_policy(self: Any) -> EmptyResult:
        held(self, "access policy").get(self._get_param("principalArn"), {}).pop(self._get_param("policyArn"), None)
        return EmptyResult()

    # Pod Identity

    def create_pod_identity_association(self: Any) -> ActionResult:
        given = {key: self._get_param(key) for key in ("namespace", "serviceAccount", "roleArn", "tags")}
        given["disableSessionTags"] = self._get_param("disableSessionTags") or False
        return ActionResult({"association": associate(self, given)})

    def describe_pod_identity_association(self: Any) -> ActionResult:
        return ActionResult({"association": one(self, "association", self._get_param("associationId"))})

    def update_pod_identity_association(self: Any) -> ActionResult:
        association = one(self, "association", self._get_param("associationId"))
        association["roleArn"] = self._get_param("roleArn") or association["roleArn"]
        return ActionResult({"association": association})

    def delete_pod_identity_association(self: Any) -> ActionResult:
        association = one(self, "association", self._get_param("associationId"))
        del held(self, "association")[association["associationId"]]
        return ActionResult({"association": association})

    def list_pod_identity_associations(self: Any) -> ActionResult:
        return ActionResult({"associations": list(held(self, "association").values())})

    # Tags of all of these

    def tag_resource(self: Any) -> EmptyResult:
        tagged(self).update(self._get_param("tags"))
        return EmptyResult()

    def untag_resource(self: Any) -> EmptyResult:
        for key in self.querystring.get("tagKeys", []):
            tagged(self).pop(key, None)
        return EmptyResult()

    def list_tags_for_resource(self: Any) -> ActionResult:
        return ActionResult({"tags": tagged(self)})


def associate(self: EKSResponse, given: dict[str, Any]) -> dict[str, Any]:
    identity = f"a-{mock_random.get_random_hex(17)}"
    association = {
        **given,
        "clusterName": self._get_param("name"),
        "associationId": identity,
        "associationArn": arn(self, "podidentityassociation", identity),
        "tags": given.get("tags") or {},
        "createdAt": utcnow(),
        "modifiedAt": utcnow(),
    }
    held(self, "association")[identity] = association
    return association


def tagged(self: EKSResponse) -> dict[str, str]:
    """The tags of whatever has the ARN."""
    wanted = self._extract_arn_from_path()
    backend: EKSBackend = self.eks_backend
    for cluster in backend.clusters.values():
        if cluster.arn == wanted:
            return cluster.tags
        for group in cluster.nodegroups.values():
            if group.arn == wanted:
                return group.tags
        for kind, name in (("addon", "addonArn"), ("access entry", "accessEntryArn"), ("association", "associationArn")):
            for each in cluster.__dict__.get(f"own_{kind}", {}).values():
                if each[name] == wanted:
                    return each["tags"]
    raise missing(f"resource {wanted}")


original_create = EKSResponse.create_cluster
original_delete = EKSResponse.delete_cluster
original_nodegroup = EKSResponse.create_nodegroup
original_nodegroup_config = EKSResponse.update_nodegroup_config


def install() -> None:
    add_calls(EKSResponse, Calls)
    urls.url_paths["{0}/clusters/(?P<name>[^/]+)/node-groups/(?P<nodegroupName>[^/]+)/update-version$"] = (
        urls.response.dispatch
    )
    add_paths(urls, PATHS)
