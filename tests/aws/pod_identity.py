"""EKS Auth: the agent on a node exchanges a pod's token for credentials of the role that its service account is associated with.

https://docs.aws.amazon.com/eks/latest/APIReference/API_auth_AssumeRoleForPodIdentity.html
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
"""

import base64
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from authorization import ACCOUNT, SCOPE
from iam import Caller, Need, allowed
from moto.eks.models import eks_backends
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.sts.models import sts_backends

PATH = re.compile(r"/clusters/([^/]+)/assume-role-for-pod-identity/?")
SERVICE = "pods.eks.amazonaws.com"


class Refused(Exception):
    pass


def claims_of(token: str) -> dict[str, Any]:
    """Of a token of Kubernetes'. That it is signed by the cluster is not checked here."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def credentials(region: str, name: str, token: str) -> dict[str, Any]:
    claims = claims_of(token)
    if SERVICE not in claims["aud"]:
        raise Refused(f"the token is for {claims['aud']}, not for {SERVICE}")
    namespace, account = claims["kubernetes.io"]["namespace"], claims["kubernetes.io"]["serviceaccount"]["name"]
    cluster = eks_backends[ACCOUNT][region].describe_cluster(name=name)
    held = cluster.__dict__.get("own_association", {}).values()
    found = [each for each in held if (each["namespace"], each["serviceAccount"]) == (namespace, account)]
    if not found:
        raise Refused(f"no association for the service account {namespace}/{account}")
    role = iam_backends[ACCOUNT]["aws"].get_role_by_arn(found[0]["roleArn"])
    trust = json.loads(role.assume_role_policy_document)
    tags = {"eks-cluster-arn": cluster.arn, "eks-cluster-name": name}
    tags |= {"kubernetes-namespace": namespace, "kubernetes-service-account": account}
    context = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    for action in ("sts:AssumeRole", "sts:TagSession"):
        if not allowed(Need(action, role.arn, context), Caller(service=SERVICE), [], trust):
            raise Refused(f"the role's trust policy does not allow {action}")
    session = sts_backends[ACCOUNT]["aws"].assume_role(
        region_name=region,
        role_session_name=f"eks-{name}-{account}",
        role_arn=role.arn,
        policy="",
        duration=21_600,
        external_id="",
    )
    return {
        "subject": {"namespace": namespace, "serviceAccount": account},
        "audience": SERVICE,
        "podIdentityAssociation": {key: found[0][key] for key in ("associationArn", "associationId")},
        "assumedRoleUser": {"arn": session.arn, "assumeRoleId": session.user_id},
        "credentials": {
            "accessKeyId": session.access_key_id,
            "secretAccessKey": session.secret_access_key,
            "sessionToken": session.session_token,
            "expiration": int(session.expiration.timestamp()),
        },
    }


def install() -> None:
    answer = DomainDispatcherApplication.__call__

    def serve(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = PATH.fullmatch(environ.get("PATH_INFO", ""))
        scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if path is None or scope is None:
            return answer(self, environ, start_response)
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        try:
            status, said = "200 OK", credentials(scope[2], path[1], body["token"])
        except Refused as error:
            status, said = "400 Bad Request", {"__type": "AccessDeniedException", "message": str(error)}
        start_response(status, [("Content-Type", "application/json"), ("x-amzn-ErrorType", str(said.get("__type", "")))])
        return [json.dumps(said).encode()]

    DomainDispatcherApplication.__call__ = serve
