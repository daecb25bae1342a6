"""Adds calls to a service of moto."""

import re
from typing import Any


def add_calls(responses: type, calls: type) -> None:
    """Methods of `calls` become the service's, by the name of the API's action in snake case."""
    for name, method in vars(calls).items():
        if not name.startswith("__"):
            setattr(responses, name, method)


def add_paths(urls: Any, paths: list[str]) -> None:
    """Paths that moto does not route to the service, with its placeholders of the API reference: /clusters/{name}."""
    dispatch = next(iter(urls.url_paths.values()))
    for path in paths:
        pattern = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", path)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        urls.url_paths["{0}" + pattern + "/?$"] = dispatch
