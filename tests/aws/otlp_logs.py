"""CloudWatch Logs' endpoint for OTLP, which moto lacks: logs that are sent to it are in a store of the tests (LOGS_STORE), if their sender's
signature is right, its role may write there, and the log group and its stream exist.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
"""

import gzip
import json
import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.request import Request as ToStore
from urllib.request import urlopen

from authorization import ACCOUNT
from iam import Need
from moto.logs.models import logs_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from prometheus import Refused, allowed, signer

# Uncompressed.
LARGEST = 1_048_576
Answer = tuple[str, dict[str, Any]]


def take(environ: dict[str, Any]) -> Answer:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        role, region = signer(environ, body, "logs")
    except Refused as error:
        return "403 Forbidden", {"message": str(error)}
    group, stream = (environ.get(f"HTTP_X_AWS_LOG_{each}", "") for each in ("GROUP", "STREAM"))
    need = Need("logs:PutLogEvents", f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}:log-stream:{stream}")
    if not allowed(role, region, need):
        return "403 Forbidden", {"message": f"User: {role} is not authorized to perform: {need.action} on resource: {need.resource}"}
    held = logs_backends[ACCOUNT][region].groups
    if group not in held or stream not in held[group].streams:
        return "404 Not Found", {"message": "The specified log group or log stream does not exist."}
    encoding = environ.get("HTTP_CONTENT_ENCODING", "")
    size = len(gzip.decompress(body) if encoding == "gzip" else body)
    if encoding not in ("", "gzip") or size > LARGEST:
        return "400 Bad Request", {"message": f"{size} bytes, as {encoding or 'they are'}"}
    headers = {"Content-Type": environ["CONTENT_TYPE"], "Content-Encoding": encoding or "identity"}
    with urlopen(ToStore(f"{os.environ['LOGS_STORE']}/insert/opentelemetry/v1/logs", body, headers)) as stored:
        return f"{stored.status} OK", {}


def install() -> None:
    answer = DomainDispatcherApplication.__call__

    def serve(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/v1/logs" or environ["REQUEST_METHOD"] != "POST":
            return answer(self, environ, start_response)
        status, said = take(environ)
        text = json.dumps(said).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]

    DomainDispatcherApplication.__call__ = serve
