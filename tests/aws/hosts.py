"""Host names of AWS' that are no endpoints of an API: ECR's registry, and where RDS' CA certificates are.

They are served at port 443 of HOSTS_ADDRESS, with the certificate HOSTS_CERTIFICATE; tests/verdicts/aws/hosts.ts leads clients there.
"""

import os
import re
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import ecr

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
TRUST_STORE = "truststore.pki.rds.amazonaws.com"
BUNDLE = re.compile(r"/([a-z0-9-]+)/\1-bundle\.pem")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def answer(self, name: str, given: dict[str, str], body: bytes) -> ecr.Answer:
        registry = ecr.HOST.fullmatch(name)
        if registry is not None:
            return ecr.answer_to(registry, self.command, self.path, given, body)
        if name == TRUST_STORE and self.command == "GET" and BUNDLE.fullmatch(self.path) is not None:
            return 200, {"Content-Type": "application/x-pem-file"}, Path(os.environ["RDS_BUNDLE"]).read_bytes()
        return 404, {"Content-Type": "text/plain"}, b""

    def serve(self) -> None:
        body = self.body()
        ignored = ("transfer-encoding", "content-length", "connection", "expect")
        given = {key: value for key, value in self.headers.items() if key.lower() not in ignored}
        status, headers, content = self.answer(self.headers["Host"], given, body)
        self.send_response(status)
        for key, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve


def install() -> None:
    if "HOSTS_ADDRESS" not in os.environ:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["HOSTS_CERTIFICATE"])
    server = ThreadingHTTPServer((os.environ["HOSTS_ADDRESS"], 443), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
