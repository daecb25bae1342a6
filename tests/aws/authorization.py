"""IAM in front of moto: what a role's session asks for is refused unless its policies, and those of the resource, allow it.

moto's own enforcement leaves out resources, conditions and the policies of resources (moto/iam/access_control.py lists it), so that
it cannot tell a least privilege from `*`. Whoever comes with other keys than those of a role is the account's administrator.
Every permission that was asked for is a line of the file AWS_CALLS.
"""

import io
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from iam import Caller, Document, Need, allowed
from moto.core.request import Request
from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.s3.models import FakeBucket, s3_backends
from moto.sts.models import sts_backends
from needs import Call

SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
# The names that requests are signed for, where moto's differ.
SIGNED_AS = {"monitoring": "cloudwatch"}
ACCOUNT = os.environ.get("MOTO_ACCOUNT_ID", "123456789012")


def session(key: str) -> str | None:
    """The ARN of the role whose session the key is of."""
    sessions = sts_backends[ACCOUNT]["aws"].assumed_roles
    return next((each.role_arn for each in sessions if each.access_key_id == key), None)


def policies_of(role_arn: str) -> list[Document]:
    backend = iam_backends[ACCOUNT]["aws"]
    role = backend.get_role_by_arn(role_arn)
    attached, _ = backend.list_attached_role_policies(role.name)
    versions = [each for policy in attached for each in policy.versions if each.is_default]
    return [json.loads(each) for each in (*role.policies.values(), *(each.document for each in versions))]


def policy_of(resource: str, region: str) -> Document | None:
    """The policy of the resource itself, if it has one."""
    service, *rest = resource.split(":")[2:]
    if service == "kms" and rest[-1].startswith("key/") and not rest[-1].endswith("*"):
        return json.loads(kms_backends[ACCOUNT][region].get_key_policy(rest[-1].removeprefix("key/")))
    if service == "s3":
        name = rest[-1].split("/")[0]
        buckets = [backend.buckets[name] for backend in s3_backends[ACCOUNT].values() if name in backend.buckets]
        return json.loads(buckets[0].policy) if buckets and buckets[0].policy else None
    return None


def trust_of(role: str) -> Document:
    return json.loads(iam_backends[ACCOUNT]["aws"].get_role_by_arn(role).assume_role_policy_document)


ADMINISTRATOR = Caller(arn=f"arn:aws:iam::{ACCOUNT}:user/administrator")
EVERYTHING: Document = {"Statement": {"Effect": "Allow", "Action": "*"}}
# moto fails where it looks through what another request adds to.
one_by_one = threading.Lock()


def answered(need: Need, role: str | None, region: str) -> bool:
    """An administrator may do everything, but nobody is a role against its trust policy."""
    assumes = need.action == "sts:AssumeRole"
    if role is None and not assumes:
        return True
    asked_of = trust_of(need.resource) if assumes else policy_of(need.resource, region) if need.resource != "*" else None
    caller, policies = (ADMINISTRATOR, [EVERYTHING]) if role is None else (Caller(arn=role), policies_of(role))
    return allowed(need, caller, policies, asked_of)


def record(caller: str, call: str, need: Need, answer: bool, about: Mapping[str, str] | None = None) -> None:
    """@param about  what every request of this kind says of itself"""
    if "AWS_CALLS" not in os.environ:
        return
    line = {"caller": caller, "call": call, "action": need.action}
    own = {key: value for key, value in need.context.items() if key not in (about or {})}
    with open(os.environ["AWS_CALLS"], "a", encoding="utf-8") as file:
        file.write(json.dumps({**line, "resource": need.resource, "context": own, "allowed": answer}) + "\n")


def refused(environ: dict[str, Any]) -> tuple[str, Need, str] | None:
    """Who lacks what, of which service."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    key, region, service = scope.groups()
    call = Call(read(environ), SIGNED_AS.get(service, service), region, ACCOUNT)
    role = session(key)
    for need in call.needs():
        answer = answered(need, role, region)
        record(role or "administrator", f"{call.service} {call.operation}", need, answer, call.about)
        if not answer:
            return role or ADMINISTRATOR.arn, need, service
    return None


def read(environ: dict[str, Any]) -> Request:
    """The request, whose body stays to be read."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    if length:
        environ["wsgi.input"] = io.BytesIO(body)
    return Request({**environ, "wsgi.input": io.BytesIO(body)})


def refusal(environ: dict[str, Any], who: str, need: Need, service: str) -> tuple[str, str, bytes]:
    """In the protocol of the service."""
    message = f"User: {who} is not authorized to perform: {need.action} on resource: {need.resource}"
    error = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
    if service == "s3":
        return "403 Forbidden", "application/xml", f'<?xml version="1.0"?>{error}'.encode()
    if service == "ec2":
        error = error.replace("AccessDenied", "UnauthorizedOperation")
        return "403 Forbidden", "text/xml", f"<Response><Errors>{error}</Errors></Response>".encode()
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded") or service == "route53":
        return "403 Forbidden", "text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode()
    answer = {"__type": "AccessDeniedException", "message": message}
    return "400 Bad Request", "application/x-amz-json-1.1", json.dumps(answer).encode()


def install() -> None:
    answer = DomainDispatcherApplication.__call__

    def serve(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with one_by_one:
            lacking = refused(environ)
            if lacking is None:
                return answer(self, environ, start_response)
        status, kind, body = refusal(environ, *lacking)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-ErrorType", "AccessDeniedException")]
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    DomainDispatcherApplication.__call__ = serve
    # moto's own, which knows no condition: the policy that wants TLS would refuse everything.
    FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL
