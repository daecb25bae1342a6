#!/usr/bin/python3 -I
"""orcheo-probe api|worker|beat|any live|ready|startup: exit 0 when the process in this container answers 200."""

import ssl
import sys
import urllib.error
import urllib.request

# The certificate names the Service, not loopback; nothing is sent to it and only the status is read.
UNVERIFIED = ssl._create_unverified_context()
URLS = {
    "api": ("https://127.0.0.1:8443", "http://127.0.0.1:8000"),
    "worker": ("http://127.0.0.1:8001",),
    "beat": ("http://127.0.0.1:8002",),
}
URLS["any"] = tuple(url for urls in URLS.values() for url in urls)


def main(role: str, question: str) -> int:
    """0: 200 from one of the addresses; 1: none."""
    for url in URLS[role]:
        try:
            with urllib.request.urlopen(f"{url}/health/{question}", timeout=8, context=UNVERIFIED) as answer:
                return 0 if answer.status == 200 else 1
        except urllib.error.HTTPError as error:
            print(f"{url}/health/{question}: {error.code}", file=sys.stderr)
            return 1
        except OSError:
            continue
    print(f"nothing answers for {role}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
