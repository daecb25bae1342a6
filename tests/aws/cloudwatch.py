"""CloudWatch in CBOR, which the SDK of the provider sends and moto does not read: translated to its JSON, and back.

https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

import io
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import botocore.model
import botocore.session
from botocore.parsers import JSONParser, RpcV2CBORParser
from botocore.serialize import JSONSerializer, RpcV2CBORSerializer
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

PREFIX = "/service/GraniteServiceVersion20100801/operation/"
model = botocore.session.get_session().get_service_model("cloudwatch")
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def translate(answer: Application, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    operation = model.operation_model(environ["PATH_INFO"].removeprefix(PREFIX))
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    given = RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body))) if body else {}
    asked = JSONSerializer().serialize_to_request(given, operation)["body"]
    translated = {
        **environ,
        "PATH_INFO": "/",
        "CONTENT_TYPE": "application/x-amz-json-1.0",
        "CONTENT_LENGTH": str(len(asked)),
        "HTTP_X_AMZ_TARGET": f"GraniteServiceVersion20100801.{operation.name}",
        "wsgi.input": io.BytesIO(asked),
    }
    said: dict[str, Any] = {}

    def remember(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        said.update(status=status, headers=headers)

    body = b"".join(answer(translated, remember))
    start_response(said["status"], [("Content-Type", "application/cbor"), ("Smithy-Protocol", "rpc-v2-cbor")])
    return [in_cbor(operation, int(said["status"].split()[0]), body)]


def in_cbor(operation: Any, status: int, answer: bytes) -> bytes:
    if status >= 300:
        told = json.loads(answer)
        error = {"__type": told.get("__type", "InternalFailure"), "message": told.get("message", "")}
        strings = botocore.model.DenormalizedStructureBuilder().with_members(
            {name: {"type": "string"} for name in error}
        )
        return RpcV2CBORSerializer()._serialize_body_params(error, strings.build_model())
    if operation.output_shape is None:
        return b"\xa0"
    parsed = JSONParser().parse({"status_code": status, "headers": {}, "body": answer}, operation.output_shape)
    parsed.pop("ResponseMetadata", None)
    return RpcV2CBORSerializer()._serialize_body_params(parsed, operation.output_shape)


def install() -> None:
    answer = DomainDispatcherApplication.__call__

    def serve(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        own = partial(answer, self)
        if environ.get("PATH_INFO", "").startswith(PREFIX):
            return translate(own, environ, start_response)
        return own(environ, start_response)

    DomainDispatcherApplication.__call__ = serve
