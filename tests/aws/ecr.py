"""ECR's registry, where moto has repositories alone: a token opens it with the permissions of whoever asked for the token.

The images are in a registry of the tests (ECR_REGISTRY), in front of which hosts.py stands with ECR's own host name. Who may do what
is asked of IAM, request by request.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
"""

import base64
import hashlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

from added import add_calls
from authorization import ACCOUNT, ADMINISTRATOR, answered, one_by_one, record, session
from iam import Need
from moto.core.responses import ActionResult
from moto.ecr.models import ecr_backends
from moto.ecr.responses import ECRResponse

HOST = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
ROUTE = re.compile(r"/v2/(?P<name>[^?]+?)/(?P<kind>manifests|blobs/uploads|blobs)/(?P<reference>[^?/]*)(?P<query>\?.*)?")
# What each request of the registry's protocol is among ECR's actions.
ACTIONS = {
    ("HEAD", "manifests"): ["BatchGetImage"],
    ("GET", "manifests"): ["BatchGetImage"],
    ("PUT", "manifests"): ["PutImage"],
    ("HEAD", "blobs"): ["BatchCheckLayerAvailability"],
    ("GET", "blobs"): ["GetDownloadUrlForLayer"],
    ("POST", "blobs/uploads"): ["InitiateLayerUpload"],
    ("PATCH", "blobs/uploads"): ["UploadLayerPart"],
    ("PUT", "blobs/uploads"): ["UploadLayerPart", "CompleteLayerUpload"],
}
MANIFESTS = [
    *(f"application/vnd.oci.image.{kind}.v1+json" for kind in ("index", "manifest")),
    *(f"application/vnd.docker.distribution.manifest.{kind}v2+json" for kind in ("", "list.")),
]
VALID = timedelta(hours=12)

# By password: the role that asked for it, or None for the administrator, and until when it is valid.
tokens: dict[str, tuple[str | None, datetime]] = {}
Answer = tuple[int, Mapping[str, str], bytes]


class Calls:
    def get_authorization_token(self: Any) -> ActionResult:
        password = secrets.token_urlsafe(1200)
        until = datetime.now(UTC) + VALID
        tokens[password] = (session(self.get_access_key()), until)
        data = {
            "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
            "expiresAt": until,
            "proxyEndpoint": f"https://{self.current_account}.dkr.ecr.{self.region}.amazonaws.com",
        }
        return ActionResult({"authorizationData": [data]})


def refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return status, {"Content-Type": "application/json", **(headers or {})}, body


def caller_of(authorization: str) -> str | None:
    """@raises KeyError where nobody has been given this token, or it is no longer valid"""
    user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    role, until = tokens[password]
    if user != "AWS" or until < datetime.now(UTC):
        raise KeyError(user)
    return role


def upstream(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """What the tests' registry says."""
    connection = HTTPConnection(os.environ["ECR_REGISTRY"])
    try:
        connection.request(method, path, body, {**headers, "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        return answer.status, {key: value for key, value in answer.getheaders() if key != "Transfer-Encoding"}, answer.read()
    finally:
        connection.close()


def answer_to(host: re.Match[str], method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """@param host  a match of HOST"""
    if host["account"] != ACCOUNT:
        return refusal(403, "DENIED", f"the registry of {host['account']} is not this account's")
    if "Authorization" not in headers:
        challenge = {"WWW-Authenticate": f'Basic realm="https://{host[0]}/",service="ecr.amazonaws.com"'}
        return refusal(401, "UNAUTHORIZED", "Not Authorized", challenge)
    try:
        role = caller_of(headers["Authorization"])
    except (KeyError, ValueError):
        return refusal(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
    if path == "/v2/":
        return 200, {"Content-Type": "application/json"}, b"{}"
    return of_repository(method, path, headers, body, host["region"], role)


def of_repository(
    method: str, path: str, headers: Mapping[str, str], body: bytes, region: str, role: str | None
) -> Answer:
    route = ROUTE.fullmatch(path)
    actions = ACTIONS.get((method, route["kind"])) if route is not None else None
    if route is None or actions is None:
        return refusal(405, "UNSUPPORTED", f"{method} {path}")
    name = route["name"]
    for action in actions:
        need = Need(f"ecr:{action}", f"arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}")
        with one_by_one:
            allowed = answered(need, role, region)
            record(role or "administrator", f"ecr {method} {route['kind']}", need, allowed)
        if not allowed:
            who = role or ADMINISTRATOR.arn
            message = f"User: {who} is not authorized to perform: {need.action} on resource: {need.resource}"
            return refusal(403, "DENIED", message)
    repository = ecr_backends[ACCOUNT][region].repositories.get(name)
    if repository is None:
        message = f"The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'"
        return refusal(404, "NAME_UNKNOWN", message)
    if route["kind"] == "blobs/uploads" and method == "POST":
        # No layer is taken over from another repository.
        return upstream(method, path.partition("?")[0], headers, body)
    if method == "PUT" and route["kind"] == "manifests" and repository.image_tag_mutability == "IMMUTABLE":
        _, held, _ = upstream("HEAD", path, {"Accept": ", ".join(MANIFESTS)}, b"")
        digest = held.get("Docker-Content-Digest")
        if digest is not None and digest != f"sha256:{hashlib.sha256(body).hexdigest()}":
            message = (
                f"The image tag '{route['reference']}' already exists in the '{name}' repository and cannot be "
                "overwritten because the repository is immutable."
            )
            return refusal(400, "TAG_INVALID", message)
    return upstream(method, path, headers, body)


def install() -> None:
    add_calls(ECRResponse, Calls)
