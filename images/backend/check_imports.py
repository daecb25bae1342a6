"""Lists what can be imported of Orcheo, or checks that everything of such a list still can be.

`record FILE` writes the names of all modules that can be imported; `verify FILE` fails when one of them cannot any
more. Run before and after the image is slimmed: a module that needs an extra nobody installed fails in both.
"""

import importlib
import os
import pkgutil
import sys

os.environ.setdefault("ORCHEO_VAULT_ENCRYPTION_KEY", "ab" * 32)

# With everything below them.
PACKAGES = ("orcheo.nodes", "orcheo.graph", "orcheo_backend")
# What is made smaller and only scripts load.
MODULES = ("datasets", "numpy", "pandas", "playwright.async_api", "pyarrow.dataset", "pyarrow.fs", "pyarrow.parquet")


def importable() -> set[str]:
    """The names of the modules of PACKAGES and MODULES that import without an error."""
    found: set[str] = set()
    for package in (*PACKAGES, *MODULES):
        pending = [package]
        while pending:
            name = pending.pop()
            if name.endswith("__main__"):
                continue
            try:
                module = importlib.import_module(name)
            except (Exception, SystemExit) as error:
                print(f"cannot import {name}: {type(error).__name__}", file=sys.stderr)
                continue
            found.add(name)
            if package in PACKAGES:
                for child in pkgutil.iter_modules(getattr(module, "__path__", []), f"{name}."):
                    pending.append(child.name)
    return found


def main(mode: str, path: str) -> int:
    """Records or verifies; returns the exit code."""
    names = importable()
    if not names >= {"orcheo_backend.app", *PACKAGES, *MODULES}:
        return 1
    if mode == "record":
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(sorted(names)))
        return 0
    with open(path, encoding="utf-8") as file:
        lost = set(file.read().split()) - names
    for name in sorted(lost):
        print(f"{name} imported before slimming and does not now", file=sys.stderr)
    print(f"{len(names)} modules import")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
