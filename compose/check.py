"""Checks .env before anything else starts: every problem at once, with the variable, its form and the remedy.

    check.py dev | prod

The rules are variables.json, from the schema of the Kubernetes stack's settings.
"""

import difflib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REFUSED = 78
# Set by the backend's image.
OWN = {"ORCHEO_RELEASE"}
SOURCE = Path("/src")


def problems(file: str, environ: Mapping[str, str], rules: Mapping[str, Any], source: Path = SOURCE) -> list[str]:
    """What is wrong with the variables of `file`, one line for each."""
    found: list[str] = []
    for name, rule in rules.items():
        if file not in rule["files"]:
            continue
        value = environ.get(name, "")
        accepted = f"accepted: {rule['accepted']}; for example {name}={rule['example']}"
        if not value:
            needed = file in rule["required"] or (name == "ORCHEO_ACME_EMAIL" and environ.get("ORCHEO_TLS") == "acme")
            if needed:
                found.append(f"{name}: is missing; {accepted}")
        # The patterns are JavaScript's: \d and \w are ASCII there.
        elif not re.fullmatch(rule["pattern"], value, re.ASCII):
            found.append(f'{name}: found "{value}"; {accepted}')
    for name in sorted(environ):
        if name.startswith("ORCHEO_") and name not in rules and name not in OWN:
            near = difflib.get_close_matches(name, sorted(rules), n=1, cutoff=0.7)
            hint = f"did you mean {near[0]}?" if near else f"accepted: {', '.join(rules)}"
            found.append(f"{name}: is no variable of these files; {hint}")
    if file == "dev" and environ.get("ORCHEO_SOURCE") and not (source / "src" / "orcheo").is_dir():
        found.append(
            f'ORCHEO_SOURCE: found "{environ["ORCHEO_SOURCE"]}", without src/orcheo; accepted: the directory of an Orcheo source tree'
        )
    return found


def main() -> int:
    """0: everything can start; 78: nothing may."""
    file = sys.argv[1]
    rules = json.loads((Path(__file__).parent / "variables.json").read_text(encoding="utf-8"))
    found = problems(file, os.environ, rules)
    if not found:
        print(f"compose/.env: accepted for {file}.yaml")
        return 0
    count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    print(f"compose/.env: {count}, nothing was started; correct it and run the same command again", file=sys.stderr)
    for each in found:
        print(f"  - {each}", file=sys.stderr)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
