"""Amazon Managed Service for Prometheus: what moto lacks of a workspace, and what AWS refuses of rules and alert managers.

https://docs.aws.amazon.com/prometheus/latest/APIReference/API_Operations.html
https://docs.aws.amazon.com/prometheus/latest/userguide/AMP_quotas.html
https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-receiver-config.html

Metrics that are written to a workspace are in a store of the tests (PROMETHEUS_STORE), if their writer's signature is right and its role
may write there.

https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-APIReference-RemoteWrite.html
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.request import Request as ToStore
from urllib.request import urlopen

import yaml
from added import add_calls, add_paths
from authorization import ACCOUNT, answered, one_by_one, record
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from iam import Need
from moto.amp import urls
from moto.amp.exceptions import AmpException, ResourceNotFoundException
from moto.amp.models import Workspace, amp_backends
from moto.amp.responses import PrometheusServiceResponse
from moto.core.utils import unix_time
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.sts.models import sts_backends

WORKSPACE = "/workspaces/{workspaceId}"
PATHS = [f"{WORKSPACE}/alertmanager/definition", f"{WORKSPACE}/configuration"]
LARGEST = 1_000_000
SHORTEST_SECONDS = 30
LOG_GROUP = re.compile(r"arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:([A-Za-z0-9._#/-]{1,512}):\*")


class Invalid(AmpException):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class Exists(AmpException):
    code = 409

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


class NotFound(ResourceNotFoundException):
    code = 404


def seconds(duration: str) -> float:
    """Of a duration of Prometheus', such as 1m30s."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
    parts = re.findall(r"(\d+)(ms|[smhd])", duration)
    if "".join(number + unit for number, unit in parts) != duration:
        raise Invalid(f"{duration} is no duration")
    return sum(int(number) * units[unit] for number, unit in parts)


def read_yaml(data: str) -> Any:
    text = base64.b64decode(data)
    if len(text) > LARGEST:
        raise Invalid(f"the file has {len(text)} bytes, more than {LARGEST}")
    return yaml.safe_load(text)


def check_rules(data: str) -> None:
    groups = read_yaml(data).get("groups")
    if not groups:
        raise Invalid("a rules file without groups")
    names = [group["name"] for group in groups]
    if len(set(names)) < len(names):
        raise Invalid(f"groups of one name in {names}")
    for group in groups:
        if seconds(group.get("interval", "1m")) < SHORTEST_SECONDS:
            raise Invalid(f"{group['name']}: evaluated more often than every {SHORTEST_SECONDS} seconds")
        for rule in group["rules"]:
            if ("record" in rule) == ("alert" in rule) or not rule.get("expr"):
                raise Invalid(f"{group['name']}: a rule records or alerts, by an expression")


def receivers_in(route: dict[str, Any]) -> list[str]:
    below = [each for one in route.get("routes", []) for each in receivers_in(one)]
    return [*([route["receiver"]] if "receiver" in route else []), *below]


def check_definition(data: str) -> None:
    definition = read_yaml(data)
    if not isinstance(definition, dict) or set(definition) - {"alertmanager_config", "template_files"}:
        raise Invalid("a definition has the keys alertmanager_config and template_files alone")
    config = yaml.safe_load(definition["alertmanager_config"])
    for receiver in config["receivers"]:
        if set(receiver) - {"name", "sns_configs"}:
            raise Invalid(f"{receiver['name']}: only topics of SNS are notified")
        for topic in receiver.get("sns_configs", []):
            if {"api_url", "http_config"} & set(topic):
                raise Invalid(f"{receiver['name']}: api_url and http_config are AWS' own")
            if not topic.get("sigv4", {}).get("region"):
                raise Invalid(f"{receiver['name']}: sigv4 lacks its region")
            if topic["topic_arn"].split(":")[4] != ACCOUNT:
                raise Invalid(f"{receiver['name']}: a topic of another account")
    unknown = set(receivers_in(config["route"])) - {each["name"] for each in config["receivers"]}
    if "receiver" not in config["route"] or unknown:
        raise Invalid(f"routes to no receiver: {sorted(unknown)}")


def workspace_of(self: PrometheusServiceResponse) -> Workspace:
    return self.amp_backend.describe_workspace(self.path.split("/")[2])


def definition_of(self: PrometheusServiceResponse) -> dict[str, Any]:
    workspace = workspace_of(self)
    if "own_definition" not in workspace.__dict__:
        message = "Alert manager definition not found"
        raise NotFound(message, workspace.workspace_id, "AWS::APS::AlertManagerDefinition")
    return workspace.own_definition


def accepted() -> tuple[int, dict[str, Any], str]:
    return 202, {}, json.dumps({"status": {"statusCode": "ACTIVE"}})


class Calls:
    def create_workspace(self: Any) -> str:
        key = json.loads(self.body).get("kmsKeyArn")
        if key is not None and key.split("/")[-1] not in kms_backends[ACCOUNT][self.region].keys:
            raise Invalid(f"no key {key}")
        created = json.loads(original_create(self))
        self.amp_backend.workspaces[created["workspaceId"]].own_key = key
        return json.dumps({**created, "kmsKeyArn": key})

    def create_logging_configuration(self: Any) -> str:
        given = LOG_GROUP.fullmatch(self._get_param("logGroupArn"))
        if given is None or given[1] not in logs_backends[ACCOUNT][self.region].groups:
            raise Invalid(f"no log group {self._get_param('logGroupArn')}")
        return original_logging(self)

    def create_rule_groups_namespace(self: Any) -> str:
        given = json.loads(self.body)
        if given["name"] in workspace_of(self).rule_group_namespaces:
            raise Exists(f"{given['name']} exists")
        check_rules(given["data"])
        return original_rules(self)

    def put_rule_groups_namespace(self: Any) -> str:
        check_rules(json.loads(self.body)["data"])
        return original_put_rules(self)

    def describe_workspace_configuration(self: Any) -> str:
        configuration = {"retentionPeriodInDays": 150, **workspace_of(self).__dict__.get("own_configuration", {})}
        return json.dumps({"workspaceConfiguration": {"status": {"statusCode": "ACTIVE"}, **configuration}})

    def update_workspace_configuration(self: Any) -> tuple[int, dict[str, Any], str]:
        given = {key: value for key, value in json.loads(self.body).items() if key != "clientToken"}
        workspace = workspace_of(self)
        workspace.own_configuration = {**workspace.__dict__.get("own_configuration", {}), **given}
        return accepted()

    def create_alert_manager_definition(self: Any) -> tuple[int, dict[str, Any], str]:
        workspace, data = workspace_of(self), json.loads(self.body)["data"]
        if "own_definition" in workspace.__dict__:
            raise Exists("the workspace has a definition")
        check_definition(data)
        workspace.own_definition = {"data": data, "createdAt": unix_time()}
        return accepted()

    def put_alert_manager_definition(self: Any) -> tuple[int, dict[str, Any], str]:
        data = json.loads(self.body)["data"]
        check_definition(data)
        definition_of(self)["data"] = data
        return accepted()

    def describe_alert_manager_definition(self: Any) -> str:
        held = {"status": {"statusCode": "ACTIVE"}, "modifiedAt": unix_time(), **definition_of(self)}
        return json.dumps({"alertManagerDefinition": held})

    def delete_alert_manager_definition(self: Any) -> tuple[int, dict[str, Any], str]:
        definition_of(self)
        del workspace_of(self).own_definition
        return 202, {}, ""


original_create = PrometheusServiceResponse.create_workspace
original_logging = PrometheusServiceResponse.create_logging_configuration
original_rules = PrometheusServiceResponse.create_rule_groups_namespace
original_put_rules = PrometheusServiceResponse.put_rule_groups_namespace
original_workspace = Workspace.to_dict


def with_key(self: Any) -> dict[str, Any]:
    key = self.__dict__.get("own_key")
    return {**original_workspace(self), **({"kmsKeyArn": key} if key else {})}


# Writing

WRITE = re.compile(r"/workspaces/([^/]+)/api/v1/remote_write")
SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class Refused(Exception):
    pass


def signer(environ: dict[str, Any], body: bytes, service: str = "aps") -> tuple[str, str]:
    """The role whose session has signed the request to this service, and for which region. @raises Refused"""
    given = SIGNATURE.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    if given is None or given["service"] != service:
        raise Refused("Missing Authentication Token")
    sessions = sts_backends[ACCOUNT]["aws"].assumed_roles
    session = next((each for each in sessions if each.access_key_id == given["key"]), None)
    if session is None or environ.get("HTTP_X_AMZ_SECURITY_TOKEN") != session.session_token:
        raise Refused("The security token included in the request is invalid.")
    signed = given["headers"].split(";")
    if not {"host", "x-amz-date", "x-amz-security-token"} <= set(signed):
        raise Refused(f"only {signed} are signed")
    names = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
    values = {name: environ.get(names.get(name, f"HTTP_{name.upper().replace('-', '_')}"), "") for name in signed}
    request = AWSRequest("POST", f"https://{environ['HTTP_HOST']}{environ['PATH_INFO']}", values, body)
    request.context["timestamp"] = environ["HTTP_X_AMZ_DATE"]
    auth = SigV4Auth(Credentials(session.access_key_id, session.secret_access_key), service, given["region"])
    hashed = environ.get("HTTP_X_AMZ_CONTENT_SHA256", hashlib.sha256(body).hexdigest())
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    if hashed != hashlib.sha256(body).hexdigest() or signature != given["signature"]:
        raise Refused("The request signature we calculated does not match the signature you provided.")
    return session.role_arn, given["region"]


def allowed(role: str, region: str, need: Need) -> bool:
    with one_by_one:
        may = answered(need, role, region)
        record(role, need.action.replace(":", " "), need, may)
    return may


def write(environ: dict[str, Any], workspace: str) -> tuple[str, bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        role, region = signer(environ, body)
    except Refused as error:
        return "403 Forbidden", json.dumps({"message": str(error)}).encode()
    held = amp_backends[ACCOUNT][region].workspaces
    need = Need("aps:RemoteWrite", f"arn:aws:aps:{region}:{ACCOUNT}:workspace/{workspace}")
    if not allowed(role, region, need):
        message = f"User: {role} is not authorized to perform: {need.action} on resource: {need.resource}"
        return "403 Forbidden", json.dumps({"message": message}).encode()
    if workspace not in held:
        return "404 Not Found", json.dumps({"message": f"no workspace {workspace}"}).encode()
    headers = {"Content-Type": environ["CONTENT_TYPE"], "Content-Encoding": environ["HTTP_CONTENT_ENCODING"]}
    with urlopen(ToStore(f"{os.environ['PROMETHEUS_STORE']}/api/v1/write", body, headers)) as stored:
        return f"{stored.status} OK", stored.read()


def install() -> None:
    add_calls(PrometheusServiceResponse, Calls)
    add_paths(urls, PATHS)
    Workspace.to_dict = with_key
    answer = DomainDispatcherApplication.__call__

    def serve(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = WRITE.fullmatch(environ.get("PATH_INFO", ""))
        if path is None or environ["REQUEST_METHOD"] != "POST":
            return answer(self, environ, start_response)
        status, said = write(environ, path[1])
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(said)))])
        return [said]

    DomainDispatcherApplication.__call__ = serve
