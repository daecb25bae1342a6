"""At the image's build: byte code of some modules whose imports wait until their names are used (see imports.py).

    python3 -m orcheo_runtime.prepare_imports build | verify NODES

NODES: a file, written by `build`, with all nodes as Orcheo registers them; `verify` compares.

lazy_imports.json says which modules, and which packages they import late. A module is refused when it uses such a name
while it is executed itself, or in any way in which the import on first use could be noticed.
"""

import ast
import importlib
import json
import marshal
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.util import MAGIC_NUMBER, find_spec
from pathlib import Path
from typing import Any

from orcheo_runtime import imports

LIST = Path(__file__).parent / "lazy_imports.json"
Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def matches(module: str, packages: Iterable[str]) -> bool:
    """Whether `module` is one of `packages` or below one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def found(statement: ast.stmt, package: str, packages: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """The names that an import of one of `packages` binds."""
    if isinstance(statement, ast.Import):
        return {
            each.asname or each.name: (each.name, None)
            for each in statement.names
            if matches(each.name, packages) and (each.asname or "." not in each.name)
        }
    if not isinstance(statement, ast.ImportFrom):
        return {}
    module = statement.module or ""
    if statement.level:
        parent = package.rsplit(".", statement.level - 1)[0] if statement.level > 1 else package
        module = f"{parent}.{module}" if module else parent
    if not matches(module, packages):
        return {}
    return {each.asname or each.name: (module, each.name) for each in statement.names if each.name != "*"}


def bound(tree: ast.AST) -> Iterator[str]:
    """Every name that is bound anywhere in `tree`, once each time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (each.asname or each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest


def used_at_once(node: ast.AST, annotations: bool = True) -> Iterator[str]:
    """Names used when `node` itself is executed: not those of function bodies, but those of `annotations`."""
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        arguments = node.args
        parts: list[ast.AST] = [*arguments.defaults, *(each for each in arguments.kw_defaults if each)]
        if not isinstance(node, ast.Lambda):
            parts += node.decorator_list
        if annotations and not isinstance(node, ast.Lambda):
            parts += [each for each in ast.walk(arguments) if isinstance(each, ast.arg)]
            parts += [node.returns] if node.returns else []
        for part in parts:
            yield from used_at_once(part, annotations)
        return
    if isinstance(node, ast.Name):
        yield node.id
    # An annotation within a text.
    annotation = node.annotation if isinstance(node, (ast.AnnAssign, ast.arg)) else None
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        yield from used_at_once(ast.parse(annotation.value, mode="eval"))
    for child in ast.iter_child_nodes(node):
        yield from used_at_once(child, annotations)


class Late(ast.NodeTransformer):
    """Removes the imports of `names` and turns each use into an attribute of the module, which imports it."""

    def __init__(self, names: Iterable[str], statements: Iterable[ast.stmt]) -> None:
        """`statements`: those that import the names."""
        self.names = set(names)
        self.statements = {id(each) for each in statements}

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802
        """One use."""
        if node.id not in self.names:
            return node
        module = ast.Name("__lazy__", ast.Load())
        return ast.copy_location(ast.Attribute(ast.copy_location(module, node), node.id, node.ctx), node)

    def import_(self, node: ast.Import | ast.ImportFrom) -> ast.stmt | None:
        """One import, without the names that come late."""
        if id(node) not in self.statements:
            return node
        rest = [each for each in node.names if (each.asname or each.name) not in self.names]
        if not rest:
            return ast.copy_location(ast.Pass(), node)
        node.names = rest
        return node

    visit_Import = import_
    visit_ImportFrom = import_


def prepare(source: str, package: str, packages: Iterable[str]) -> tuple[ast.Module, dict[str, tuple[str, str | None]]]:
    """The module that imports `packages` late, and the names that it imports so; ValueError if it cannot.

    Names that the module or a class uses at once stay as they are, those of functions too that use them outside of the
    functions within; when nothing is left of one of `packages`, the module is refused.
    """
    tree = ast.parse(source)
    packages = list(packages)
    if {"__getattr__", "__lazy__"} & set(bound(tree)):
        raise ValueError("it has a __getattr__ of its own")
    late: dict[str, tuple[str, str | None]] = {}
    counts = list(bound(tree))
    at_once = set(used_at_once(tree))
    removed = [each for each in tree.body if found(each, package, packages)]
    for statement in removed:
        for name, origin in found(statement, package, packages).items():
            if name not in at_once and counts.count(name) == 1:
                late[name] = origin
    tree = Late(late, removed).visit(tree)
    # Those of functions in functions: nobody but the function itself could ask for them.
    evaluated = not any(isinstance(each, ast.ImportFrom) and each.module == "__future__" for each in tree.body)
    for function in [each for each in ast.walk(tree) if isinstance(each, FUNCTIONS)]:
        within(function, package, packages, late, evaluated)
    missing = [each for each in packages if not any(matches(module, [each]) for module, _ in late.values())]
    if missing:
        raise ValueError(f"it imports nothing of {', '.join(missing)}, or uses all of it at once")
    return ast.fix_missing_locations(tree), late


def within(
    function: Function, package: str, packages: list[str], late: dict[str, tuple[str, str | None]], annotations: bool
) -> None:
    """A function that imports a name for functions within it: these import it when they are called."""
    removed = [each for each in function.body if found(each, package, packages)]
    counts = list(bound(function))
    at_once = {name for statement in function.body for name in used_at_once(statement, annotations)}
    names = {
        name: origin
        for statement in removed
        for name, origin in found(statement, package, packages).items()
        if name not in at_once and counts.count(name) == 1 and late.get(name, origin) == origin
    }
    if names:
        late.update(names)
        Late(names, removed).visit(function)


def listed(release: str) -> dict[str, Any]:
    """What lazy_imports.json says of the release."""
    contents: dict[str, Any] = json.loads(LIST.read_text(encoding="utf-8"))
    return contents[release]  # type: ignore[no-any-return]


def late_nodes(modules: Iterable[str]) -> dict[str, str]:
    """Name of each node that one of `modules` registers -> that module, by Orcheo's own registry."""
    registry = importlib.import_module(imports.REGISTRY).registry
    importlib.import_module("orcheo.nodes")
    wanted = set(modules)
    late = {name: node.__module__ for name, node in registry._nodes.items() if node.__module__ in wanted}
    if wanted - set(late.values()):
        raise ValueError(f"{', '.join(sorted(wanted - set(late.values())))}: registers no node")
    return late


def build(release: str) -> None:
    """Writes the byte code and the index."""
    contents = listed(release)
    imports.PREPARED.mkdir()
    names: imports.Names = {}
    site = ""
    for module, packages in sorted(contents["modules"].items()):
        spec = find_spec(module)
        if spec is None or spec.origin is None or spec.parent is None:
            raise ValueError(f"{module} of lazy_imports.json does not exist")
        path = Path(spec.origin)
        try:
            tree, names[module] = prepare(path.read_text(encoding="utf-8"), spec.parent, packages)
        except ValueError as error:
            raise ValueError(f"{module} cannot import {', '.join(packages)} late: {error}") from error
        code = compile(tree, spec.origin, "exec", dont_inherit=True)
        (imports.PREPARED / f"{module}.bin").write_bytes(marshal.dumps(code))
        site = str(path.parents[len(module.split(".")) - (path.name != "__init__.py")])
    index = {"magic": MAGIC_NUMBER.hex(), "site": site, "names": names, "late": late_nodes(contents["nodes"])}
    (imports.PREPARED / "index.json").write_text(json.dumps(index, indent=1), encoding="utf-8")


def nodes() -> dict[str, str]:
    """Every node by name: its class and metadata."""
    registry = importlib.import_module(imports.REGISTRY).registry
    importlib.import_module("orcheo.nodes")
    described: dict[str, str] = {}
    for metadata in registry.list_metadata():
        node = registry.get_node(metadata.name)
        described[metadata.name] = f"{node.__module__}.{node.__qualname__} {metadata.model_dump_json()}"
    return described


def verify(release: str, expected: dict[str, str]) -> list[str]:
    """Everything that is wrong, found in this process, which has imported nothing of Orcheo yet."""
    if not imports.install("api"):
        return ["the prepared modules are not used"]
    importlib.import_module("orcheo_backend.app")
    problems = [f"{name} is imported at start" for name in listed(release)["absent"] if name in sys.modules]
    found = nodes()
    for name in sorted(expected.keys() | found.keys()):
        if found.get(name) != expected.get(name):
            problems.append(f"node {name}: {found.get(name)} instead of {expected.get(name)}")
    imports.import_for_runs()
    index = json.loads((imports.PREPARED / "index.json").read_text(encoding="utf-8"))
    for module, names in index["names"].items():
        for name, (source, attribute) in names.items():
            try:
                value = getattr(importlib.import_module(module), name)
                origin = importlib.import_module(source)
                if value is not (origin if attribute is None else imports.from_module(origin, attribute)):
                    problems.append(f"{module}.{name} is not {source}.{attribute}")
            except Exception as error:
                problems.append(f"{module}.{name} cannot be imported: {type(error).__name__}: {error}")
    return problems


def main(mode: str, path: Path) -> int:
    """Returns the exit code."""
    release = os.environ["ORCHEO_RELEASE"]
    if mode == "build":
        build(release)
        path.write_text(json.dumps(nodes()), encoding="utf-8")
        return 0
    problems = verify(release, json.loads(path.read_text(encoding="utf-8")))
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
