"""Imports of Orcheo that wait until their names are used, as the image's build prepared them (see prepare_imports.py).

A process that never uses a library of a node, such as Telegram's or OpenAI's, does not load it. ORCHEO_LAZY_IMPORTS=false
imports everything at start, as Orcheo itself does, to find out whether a problem has to do with this.
"""

import gc
import importlib
import json
import marshal
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

PREPARED = Path(__file__).parent / "prepared"
VARIABLE = "ORCHEO_LAZY_IMPORTS"
REGISTRY = "orcheo.nodes.registry"
# Module -> name in it -> where the name comes from: a module, and None or the name there.
Names = dict[str, dict[str, tuple[str, str | None]]]


def wanted(role: str, environ: Mapping[str, str]) -> bool:
    """Not in a worker whose processes are replaced after some runs: each would load again what its parent can load once."""
    if role == "worker" and environ.get("ORCHEO_WORKER_RUNS_PER_PROCESS"):
        return False
    return environ.get(VARIABLE) != "false"


def resolver(
    module: ModuleType, names: Mapping[str, tuple[str, str | None]], sources: Collection[str] = ()
) -> Callable[[str], Any]:
    """`__getattr__` of a prepared module: imports a name when it is used for the first time.

    `sources`: modules that the plain imports would have loaded, and made attributes of their packages.
    """

    def get(name: str) -> Any:
        if name not in names and f"{module.__name__}.{name}" in sources:
            return importlib.import_module(f"{module.__name__}.{name}")
        if name not in names:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        source, attribute = names[name]
        try:
            found = importlib.import_module(source)
            value = found if attribute is None else from_module(found, attribute)
        except ImportError as error:
            error.add_note(f"{module.__name__} imports {name} from {source} on first use")
            raise
        # As the plain import would; a value that someone set meanwhile stays.
        return vars(module).setdefault(name, value)

    return get


def from_module(module: ModuleType, attribute: str) -> Any:
    """As `from module import attribute`."""
    try:
        return getattr(module, attribute)
    except AttributeError:
        try:
            return importlib.import_module(f"{module.__name__}.{attribute}")
        except ModuleNotFoundError:
            raise ImportError(f"cannot import name {attribute!r} from {module.__name__!r}", name=module.__name__) from None


class LateNodes(dict[str, Any]):
    """Nodes by name, some of which belong to a module that is imported when someone asks for them, or for all nodes."""

    def __init__(self, present: Mapping[str, Any], late: Mapping[str, str]) -> None:
        """`late`: name of a node -> its module, which registers it."""
        super().__init__(present)
        self.late = dict(late)

    def load(self, name: object) -> None:
        """Imports the node's module; it registers the node here."""
        module = self.late.get(name) if isinstance(name, str) else None
        if module is not None and not dict.__contains__(self, name):
            importlib.import_module(module)

    def load_all(self) -> None:
        """Imports the module of every node that is not registered yet."""
        for name in list(self.late):
            self.load(name)

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict."""
        self.load(key)
        return super().get(key, default)

    def __missing__(self, key: str) -> Any:
        """Of [key]; raises KeyError for a name that no module registers."""
        self.load(key)
        if dict.__contains__(self, key):
            return dict.__getitem__(self, key)
        raise KeyError(key)

    def pop(self, key: str, *default: Any) -> Any:
        """As a dict; the node does not come back."""
        self.load(key)
        self.late.pop(key, None)
        return super().pop(key, *default)

    def __contains__(self, key: object) -> bool:
        """As a dict."""
        self.load(key)
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        """As a dict."""
        self.load_all()
        return super().__iter__()

    def __len__(self) -> int:
        """As a dict."""
        self.load_all()
        return super().__len__()

    def keys(self) -> Any:
        """As a dict."""
        self.load_all()
        return super().keys()

    def values(self) -> Any:
        """As a dict."""
        self.load_all()
        return super().values()

    def items(self) -> Any:
        """As a dict."""
        self.load_all()
        return super().items()


def complete(registry: Any, late: Mapping[str, str]) -> None:
    """The registry has every node, those of modules that are not imported yet too."""
    for attribute in ("_nodes", "_metadata"):
        setattr(registry, attribute, LateNodes(getattr(registry, attribute), late))
    search = type(registry).get_metadata_by_callable

    def by_callable(obj: Any) -> Any:
        """Something that exists is never of a class that is not imported yet."""
        # dict.copy would use the methods above.
        present = dict(dict.items(registry._nodes))
        return search(SimpleNamespace(_nodes=present, _metadata=registry._metadata), obj)

    registry.get_metadata_by_callable = by_callable


class Loader(SourceFileLoader):
    """Loads the prepared byte code of its own module instead."""

    def __init__(self, fullname: str, path: str, names: Names, late: Mapping[str, str]) -> None:
        """`names` that wait, of all modules, and `late` nodes for the registry."""
        super().__init__(fullname, path)
        self.names = names.get(fullname, {})
        self.sources = {source for each in names.values() for source, _ in each.values()}
        self.late = late

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code."""
        if not self.names:
            return super().get_code(fullname)
        code = marshal.loads((PREPARED / f"{fullname}.bin").read_bytes())  # noqa: S302
        assert isinstance(code, CodeType)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Executes it."""
        if self.names:
            vars(module)["__lazy__"] = module
            vars(module)["__getattr__"] = resolver(module, self.names, self.sources)
        super().exec_module(module)
        if module.__name__ == REGISTRY:
            complete(vars(module)["registry"], self.late)


class Finder(MetaPathFinder):
    """Finds prepared modules where Python finds them, so that a copy elsewhere on the path is not mistaken for them."""

    def __init__(self, site: str, names: Names, late: Mapping[str, str]) -> None:
        """`site`: the folder of the packages that were prepared."""
        self.site = Path(site)
        self.names = names
        self.late = late

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """None: the module is not prepared."""
        if fullname not in self.names and not (fullname == REGISTRY and self.late):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        here = self.site.joinpath(*fullname.split("."))
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return spec
        if spec.loader.path not in (f"{here}.py", f"{here}/__init__.py"):
            return spec
        spec.loader = Loader(fullname, spec.loader.path, self.names, self.late)
        return spec


def install(role: str) -> bool:
    """Call before anything of Orcheo is imported. False: nothing was prepared, or not for this Python, or it is not wanted."""
    if not wanted(role, os.environ) or not (PREPARED / "index.json").is_file():
        return False
    index = json.loads((PREPARED / "index.json").read_text(encoding="utf-8"))
    if index["magic"] != MAGIC_NUMBER.hex():
        return False
    names: Names = {
        module: {name: (source, attribute) for name, (source, attribute) in each.items()}
        for module, each in index["names"].items()
    }
    sys.meta_path.insert(0, Finder(index["site"], names, index["late"]))
    return True


# What a run of an agent always imports: about a fifth of what waits.
OF_AGENTS = ("langchain_openai", "langchain_mcp_adapters.client")


def import_for_runs() -> None:
    """Before the worker's processes are forked: they share the memory of what most of them will use."""
    for module in OF_AGENTS:
        importlib.import_module(module)


@contextmanager
def without_collection() -> Iterator[None]:
    """For imports, which make a million objects that stay: none is garbage, and each collection would look at all of them.

    Afterwards they are left out of all collections; processes that are forked later share their memory for longer.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
