"""Internal paths from inside and from outside."""

import unittest

from orcheo_runtime import inside


async def application(_: inside.Message, __: inside.Receive, send: inside.Send) -> None:
    """Answers every request with 418."""
    await send({"type": "http.response.start", "status": 418, "headers": []})


async def nothing() -> inside.Message:
    raise AssertionError("nobody reads the body of a refused request")


class KeepInside(unittest.IsolatedAsyncioTestCase):
    async def status(self, path: str, *headers: tuple[bytes, bytes]) -> int:
        sent: list[inside.Message] = []

        async def send(message: inside.Message) -> None:
            sent.append(message)

        scope = {"type": "http", "path": path, "headers": [(b"host", b"api"), *headers]}
        await inside.KeepInside(application)(scope, nothing, send)
        return int(sent[0]["status"])

    async def test_from_outside(self) -> None:
        for header in ((b"x-forwarded-for", b"203.0.113.7"), (b"forwarded", b"for=203.0.113.7")):
            for path in ("/internal", "/internal/x", "/api/internal", "/api/internal/listeners/wecom/reply"):
                self.assertEqual(await self.status(path, header), 404, path)
            for path in ("/", "/api/workflows", "/api/internals", "/apix/internal", "/api/workflows/internal"):
                self.assertEqual(await self.status(path, header), 418, path)

    async def test_from_inside(self) -> None:
        self.assertEqual(await self.status("/api/internal/listeners/wecom/reply"), 418)


if __name__ == "__main__":
    unittest.main()
