"""S3 Control's answer to who may not use it: the provider then asks S3 itself for the tags of a bucket, which moto keeps there.

The account's number is part of its host name. Of 127.0.0.1 there is no such: HTTP_PROXY leads those requests here.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListTagsForResource.html
"""

from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

REFUSED = (
    b'<?xml version="1.0"?><ErrorResponse><Error><Code>MethodNotAllowed</Code>'
    b"<Message>not here</Message></Error></ErrorResponse>"
)


def install() -> None:
    answer = DomainDispatcherApplication.__call__

    def serve(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith("/v20180820/"):
            return answer(self, environ, start_response)
        start_response("405 Method Not Allowed", [("Content-Type", "text/xml")])
        return [REFUSED]

    DomainDispatcherApplication.__call__ = serve
