"""Which clients go through a proxy: python3 proxy_clients.py < [[NO_PROXY, [URL, ...]], ...] prints {NO_PROXY: {URL: {client: verdict}}}.

Every installed client is asked: "proxied", "direct" or the name of the error with which it breaks off. Nothing is resolved.
"""

import asyncio
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

asked = threading.Event()


class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers everything itself."""

    def do_GET(self) -> None:
        """A request in the proxy's form."""
        asked.set()
        self.send_response(200)
        self.end_headers()

    def do_CONNECT(self) -> None:
        """A tunnel, which Node asks for in any case."""
        asked.set()
        self.send_error(502)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def with_urllib(url: str) -> None:
    """The standard library, and with it botocore."""
    urllib.request.build_opener().open(url, timeout=5).read()


def with_requests(url: str) -> None:
    """The tracing exporter, and many integrations."""
    import requests

    requests.get(url, timeout=5)


def with_httpx(url: str) -> None:
    """The clients of language models."""
    import httpx

    httpx.get(url, timeout=5)


def with_aiohttp(url: str) -> None:
    """Where it is told to read the environment."""
    import aiohttp

    async def get() -> None:
        async with aiohttp.ClientSession(trust_env=True) as session, session.get(url) as answer:
            await answer.read()

    asyncio.run(get())


def program(*command: str) -> Callable[[str], None]:
    """A client that is its own program."""

    def ask(url: str) -> None:
        environ = os.environ | {"NODE_USE_ENV_PROXY": "1"}
        subprocess.run([*command, url], env=environ, capture_output=True, timeout=20, check=False)

    return ask


FETCH = "fetch(process.argv[1]).catch(() => {})"
GET = "require('node:http').get(process.argv[1], (answer) => answer.resume()).on('error', () => {})"
CLIENTS: dict[str, Callable[[str], None]] = {
    "urllib": with_urllib,
    **{name: ask for name, ask in (("requests", with_requests), ("httpx", with_httpx), ("aiohttp", with_aiohttp)) if find_spec(name)},
    **({"curl": program("curl", "-sS", "--max-time", "5")} if shutil.which("curl") else {}),
    **({"node fetch": program("node", "-e", FETCH), "node http": program("node", "-e", GET)} if shutil.which("node") else {}),
}
LOST = ("URLError", "ConnectError", "ConnectionError", "ClientConnectorError", "ClientConnectorDNSError", "HTTPError", "ClientResponseError")


def verdict(ask: Callable[[str], None], url: str) -> str:
    """Of one client."""
    asked.clear()
    try:
        ask(url)
    except Exception as error:
        if not asked.is_set() and type(error).__name__ not in LOST:
            return type(error).__name__
    return "proxied" if asked.is_set() else "direct"


def main() -> None:
    """Reads the questions, prints the answers."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    resolve = socket.getaddrinfo

    def only_here(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in ("127.0.0.1", "127.9.9.9", "::1"):
            return resolve(host, *arguments, **options)
        raise socket.gaierror(socket.EAI_NONAME, "not asked in a test")

    socket.getaddrinfo = only_here
    answers: dict[str, dict[str, dict[str, str]]] = {}
    for exceptions, urls in json.load(sys.stdin):
        for name in ("http_proxy", "HTTP_PROXY"):
            os.environ[name] = f"http://127.0.0.1:{server.server_port}"
        for name in ("no_proxy", "NO_PROXY"):
            os.environ[name] = exceptions
        answers[exceptions] = {url: {name: verdict(ask, url) for name, ask in CLIENTS.items()} for url in urls}
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
