"""Prints the ORCHEO_* variables that an installed Orcheo reads, one a line.

    python3 known_environment.py SITE_PACKAGES > environment-RELEASE.txt

The build compares its answer with that file; the start step refuses what is not in it. Needs Python 3.12, as Orcheo.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("orcheo", "orcheo_backend")
NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
# Dynaconf reads ORCHEO_X as the setting X; these are the objects that are asked for one.
SETTINGS = {"settings", "source", "config", "get_settings()"}


def names(tree: ast.AST) -> Iterator[str]:
    """Variables that one module names in full, and those of the settings that it asks for or gives a default."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and node.value.startswith("ORCHEO_") and NAME.fullmatch(node.value):
                yield node.value
        elif isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr == "get":
                if ast.unparse(function.value) in SETTINGS:
                    yield from map(prefixed, literals(node.args[:1]))
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_DEFAULTS":
            if isinstance(node.value, ast.Dict):
                yield from map(prefixed, literals(node.value.keys))


def literals(nodes: list[ast.expr] | list[ast.expr | None]) -> Iterator[str]:
    """Those of `nodes` that are texts in capitals."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
            yield node.value


def prefixed(setting: str) -> str:
    """The variable of a setting."""
    return setting if setting.startswith("ORCHEO_") else f"ORCHEO_{setting}"


def main(site_packages: str) -> int:
    """0, or 1 when an Orcheo is not there."""
    found: set[str] = set()
    for package in PACKAGES:
        files = sorted((Path(site_packages) / package).rglob("*.py"))
        if not files:
            print(f"{site_packages} holds no {package}", file=sys.stderr)
            return 1
        for file in files:
            found.update(names(ast.parse(file.read_text(encoding="utf-8"))))
    print(*sorted(found), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
