#!/usr/bin/python3 -IS
"""orcheo-probe api|worker|beat|any live|ready|startup: exit 0 when the process in this container answers 200.

It runs every few seconds in every pod: urllib would cost three times the CPU.
"""

import socket
import sys

# (port, TLS)
ADDRESSES = {"api": ((8443, True), (8000, False)), "worker": ((8001, False),), "beat": ((8002, False),)}
ADDRESSES["any"] = tuple(address for addresses in ADDRESSES.values() for address in addresses)


def ask(port: int, tls: bool, path: str) -> str:
    """The status line of 127.0.0.1:`port`; raises OSError when nothing listens or no answer comes within 8 s."""
    with socket.create_connection(("127.0.0.1", port), timeout=8) as connection:
        if tls:
            import ssl

            # The certificate names the Service, not loopback; nothing is sent to it and only the status is read.
            connection = ssl._create_unverified_context().wrap_socket(connection)
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        with connection, connection.makefile("rb") as answer:
            return answer.readline().decode(errors="replace").strip()


def main(role: str, question: str) -> int:
    """0: 200 from one of the addresses; 1: none."""
    for port, tls in ADDRESSES[role]:
        try:
            status = ask(port, tls, f"/health/{question}")
        except OSError:
            continue
        if status.split(" ")[1:2] == ["200"]:
            return 0
        print(f"port {port}, /health/{question}: {status or 'no answer'}", file=sys.stderr)
        return 1
    print(f"nothing answers for {role}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
