"""The id of a request: whose it is, and where it goes. With Celery itself: metrics_tests/test_request_ids.py."""

import unittest
from typing import Any

from orcheo_runtime import request_ids

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def scope(kind: str = "http", **headers: str) -> dict[str, Any]:
    return {"type": kind, "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}


class Ids(unittest.TestCase):
    def test_the_one_that_it_brings(self) -> None:
        for headers, expected in (
            ({"x_request_id": "from-the-proxy.1"}, "from-the-proxy.1"),
            ({"x_request_id": "from-the-proxy.1", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, "from-the-proxy.1"),
            ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
            ({"x_amzn_trace_id": "Self=1-2-3;Root=1-67891233-abcdef012345678912345678"}, "1-67891233-abcdef012345678912345678"),
        ):
            self.assertEqual(request_ids.id_of(scope(**headers)), expected)

    def test_anything_else_is_replaced_by_a_new_one(self) -> None:
        found = set()
        for bad in ("", "short", "with blank inside", "ada@example.com", "x" * 129, "a\tb-------", "\u00e9" * 10, '"};drop----'):
            found.add(request_ids.id_of(scope(x_request_id=bad)))
        self.assertEqual(len(found), 8)
        for each in found:
            self.assertRegex(each, "^[0-9a-f]{32}$")


class Answers(unittest.IsolatedAsyncioTestCase):
    async def answer(self, asked: dict[str, Any], begins: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """The id while the application runs, and the message as it was sent on."""
        seen: str | None = None
        sent: list[dict[str, Any]] = []

        async def application(_scope: Any, _receive: Any, send: Any) -> None:
            nonlocal seen
            seen = request_ids.request.get()
            await send(begins)

        async def send(message: Any) -> None:
            sent.append(message)

        await request_ids.Identified(application)(asked, None, send)
        return seen, sent[0]

    async def test_the_application_and_the_answer_have_the_id(self) -> None:
        for kind, begins in (("http", "http.response.start"), ("websocket", "websocket.accept")):
            seen, sent = await self.answer(scope(kind, x_request_id="request-1"), {"type": begins, "headers": [(b"a", b"b")]})
            self.assertEqual(seen, "request-1")
            self.assertEqual(sent["headers"], [(b"a", b"b"), (b"x-request-id", b"request-1")])

    async def test_other_messages_stay(self) -> None:
        body = {"type": "http.response.body", "body": b"x"}
        self.assertEqual((await self.answer(scope(x_request_id="request-1"), body))[1], body)

    async def test_the_applications_start_is_no_request(self) -> None:
        started = {"type": "lifespan.startup.complete"}
        self.assertEqual(await self.answer({"type": "lifespan"}, started), (None, started))
