"""Paths that only the namespace may use, refused for requests through a proxy.

Every ingress controller, gateway and load balancer names its client in `X-Forwarded-For`; a worker that calls the API
does not. They also refuse these paths themselves, but some compare them as they are written: `/api/%69nternal` would
pass there, and be decoded here.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

INTERNAL = re.compile(r"/(api/)?internal(/|$)")
PROXIED = (b"x-forwarded-for", b"forwarded")


class KeepInside:
    """Answers 404 to internal paths from outside and passes everything else on to `application`."""

    def __init__(self, application: Application) -> None:
        """`application`: receives all other requests."""
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection; its path is already decoded."""
        if scope["type"] == "http" and INTERNAL.match(scope["path"]) and from_outside(scope):
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.application(scope, receive, send)


def from_outside(scope: Message) -> bool:
    """Whether a proxy passed the request on."""
    return any(name in PROXIED for name, _ in scope["headers"])
