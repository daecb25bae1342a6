"""Imports that wait until their names are used, with packages made here. The image's build tries Orcheo's own."""

import ast
import gc
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from orcheo_runtime import imports, prepare_imports

RUNTIME = Path(__file__).parents[1]
REGISTRY = """
class Metadata:
    def __init__(self, name): self.name = name
    def model_dump_json(self): return self.name
class NodeRegistry:
    def __init__(self):
        self._nodes, self._metadata = {}, {}
    def register(self, name):
        def decorate(node):
            self._nodes[name], self._metadata[name] = node, Metadata(name)
            return node
        return decorate
    def get_node(self, name): return self._nodes.get(name)
    def get_metadata(self, name): return self._metadata.get(name)
    def list_metadata(self): return sorted(self._metadata.values(), key=lambda each: each.name)
    def get_metadata_by_callable(self, obj):
        for name, node in self._nodes.items():
            if isinstance(obj, node): return self._metadata.get(name)
    def unregister(self, name):
        self._nodes.pop(name, None)
        self._metadata.pop(name, None)
registry = NodeRegistry()
"""
FILES = {
    "orcheo/__init__.py": "",
    "orcheo/nodes/__init__.py": "from orcheo.nodes.heavy import Heavy\nfrom orcheo.nodes.light import Light\n",
    "orcheo/nodes/registry.py": REGISTRY,
    "orcheo/nodes/heavy.py": (
        "import library\nfrom orcheo.nodes.registry import registry\n@registry.register('Heavy')\nclass Heavy(library.Base): ...\n"
    ),
    "orcheo/nodes/light.py": (
        "from __future__ import annotations\nimport library\nfrom library.part import make as build, Error\n"
        "from orcheo.nodes.registry import registry\n@registry.register('Light')\nclass Light:\n"
        "    def run(self):\n        return [library.VERSION for _ in (1,)][0] + build()\n"
        "def failing():\n    raise Error('at work')\n"
    ),
    "orcheo_backend/__init__.py": "",
    "orcheo_backend/app.py": "import orcheo.nodes\n",
    "langchain_openai.py": "",
    "langchain_mcp_adapters/client.py": "",
    "library/__init__.py": "VERSION = 'one '\nclass Base: ...\n",
    "library/part.py": "def make(): return 'made'\nclass Error(Exception): ...\n",
}
LIST = {
    "modules": {"orcheo.nodes": ["orcheo.nodes.heavy"], "orcheo.nodes.light": ["library"]},
    "nodes": ["orcheo.nodes.heavy"],
    "absent": ["library", "orcheo.nodes.heavy"],
}


def prepared(source: str, *packages: str) -> list[str]:
    """The names that come late."""
    return sorted(prepare_imports.prepare(textwrap.dedent(source), "here", packages or ("heavy",))[1])


class Prepare(unittest.TestCase):
    """The decision which names can wait."""

    def test_names_that_only_functions_use_wait(self) -> None:
        for source in (
            "from heavy import x\ndef f(): return x()",
            "from heavy.part import x\nclass C:\n    def f(self, y=1): return x + y",
            "import heavy as x\nf = lambda: x.y",
            "from heavy import x\ndef f(v):\n    match v:\n        case x(): return 1",
            "from heavy import x\nasync def f():\n    y: x = 1\n    return [x for _ in y]",
            "from heavy import x\n__all__ = ['x']",
        ):
            self.assertEqual(prepared(source), ["x"], source)

    def test_names_that_are_used_at_once_or_could_be_noticed_do_not_wait(self) -> None:
        for source in (
            "from heavy import x\nx()",
            "from heavy import x\nclass C(x): ...",
            "from heavy import x\nclass C:\n    y: x",
            "from heavy import x\nclass C:\n    y: 'list[x]'",
            "from heavy import x\nclass C:\n    y = x",
            "from heavy import x\n@x\ndef f(): ...",
            "from heavy import x\ndef f(y=x): ...",
            "from heavy import x\ndef f(y: x): ...",
            "from __future__ import annotations\nfrom heavy import x\ndef f() -> x: ...",
            "from heavy import x\nf = lambda y=x: y",
            "from heavy import x\nf = [x for _ in (1,)]",
            "from heavy import x\ndef f(x): return x",
            "from heavy import x\ndef f():\n    global x\n    x = 1",
            "try:\n    from heavy import x\nexcept ImportError:\n    x = None\ndef f(): return x",
            "from heavy import *",
            "import heavy.part\ndef f(): return heavy.part",
            "def f():\n    from heavy import x\n    return x",
            "import other\ndef f(): return other",
            "from heavy import x\ndef __getattr__(name): return x",
        ):
            with self.assertRaises(ValueError, msg=source):
                prepared(source)

    def test_a_function_imports_for_the_functions_within_it(self) -> None:
        self.assertEqual(prepared("def f():\n    from heavy import x\n    return lambda: x()"), ["x"])
        source = "from __future__ import annotations\ndef f():\n    from heavy import x\n    def g() -> x: return x()\n    return g"
        self.assertEqual(prepared(source), ["x"])

    def test_the_rest_of_an_import_and_relative_ones_are_understood(self) -> None:
        tree, names = prepare_imports.prepare("from .part import x, y\nclass C(y):\n    def f(self): return x", "heavy", ["heavy"])
        self.assertEqual(names, {"x": ("heavy.part", "x")})
        self.assertEqual([each.name for each in tree.body[0].names], ["y"])  # type: ignore[attr-defined]


class Process(unittest.TestCase):
    """As the image does it, in its own process."""

    site: Path

    @classmethod
    def setUpClass(cls) -> None:
        """Prepared once; a test that changes a file takes it back."""
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.site = Path(place.name)
        for name, text in FILES.items():
            (cls.site / name).parent.mkdir(parents=True, exist_ok=True)
            (cls.site / name).write_text(text)
        (cls.site / "list.json").write_text(json.dumps({"0": LIST}))
        cls("python").python("prepare_imports.build('0')")

    def change(self, name: str, text: str | None) -> None:
        """None: without the file."""
        file = self.site / name
        self.addCleanup(file.write_text, FILES[name])
        file.unlink() if text is None else file.write_text(text)

    def python(self, script: str, environ: Mapping[str, str] | None = None) -> str:
        """What it prints."""
        start = (
            "import sys; from pathlib import Path; from orcheo_runtime import imports, prepare_imports;"
            f"imports.PREPARED = Path({str(self.site / 'prepared')!r}); prepare_imports.LIST = Path({str(self.site / 'list.json')!r});"
        )
        path = {"PYTHONPATH": f"{RUNTIME}:{self.site}", "PYTHONDONTWRITEBYTECODE": "1"}
        ended = subprocess.run(
            [sys.executable, "-c", f"{start}\n{textwrap.dedent(script)}"],
            env={"PATH": os.environ["PATH"], **path, **(environ or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended.stdout

    def test_nothing_heavy_is_imported_until_it_is_used(self) -> None:
        loaded = "print(sorted(name for name in sys.modules if name in ('library', 'library.part', 'orcheo.nodes.heavy')))"
        self.assertEqual(self.python(f"imports.install('api'); import orcheo.nodes; {loaded}"), "[]\n")
        used = "import orcheo.nodes; print(orcheo.nodes.Light().run())"
        self.assertEqual(self.python(f"imports.install('api'); {used}; {loaded}"), "one made\n['library', 'library.part']\n")
        eager = "['library', 'library.part', 'orcheo.nodes.heavy']\n"
        off = {"ORCHEO_LAZY_IMPORTS": "false"}
        self.assertEqual(self.python(f"imports.install('api'); import orcheo.nodes; {loaded}", off), eager)
        self.assertEqual(self.python(f"import orcheo.nodes; {loaded}"), eager)

    def test_every_node_is_listed_and_found(self) -> None:
        expected = {
            "registry.get_metadata_by_callable(nodes.Light()).name": "'Light'",
            "registry.get_node('None')": "None",
            "'library' in sys.modules": "False",
            "'Heavy' in registry._metadata": "True",
            "registry.get_node('Heavy').__module__": "'orcheo.nodes.heavy'",
            "registry._nodes['Heavy'].__name__": "'Heavy'",
            "registry.get_metadata_by_callable(nodes.Heavy()).name": "'Heavy'",
            "nodes.heavy.Heavy is nodes.Heavy": "True",
            "registry.unregister('Heavy')": "None",
            "registry.get_node('Heavy')": "None",
            "len(registry._nodes)": "1",
        }
        begin = "imports.install('api'); from orcheo import nodes; from orcheo.nodes.registry import registry\n"
        found = self.python(begin + "\n".join(f"print(repr({each}))" for each in expected))
        self.assertEqual(dict(zip(expected, found.splitlines(), strict=True)), expected)

    def test_whatever_asks_for_all_nodes_gets_all(self) -> None:
        questions: tuple[Callable[[imports.LateNodes], Any], ...] = (
            len,
            lambda nodes: len(list(nodes)),
            lambda nodes: len(nodes.keys()),
            lambda nodes: len(nodes.values()),
            lambda nodes: len(nodes.items()),
            lambda nodes: nodes.pop("Heavy"),
            lambda nodes: nodes["Heavy"],
            lambda nodes: nodes.get("Heavy"),
        )
        for question in questions:
            late = imports.LateNodes({"Light": 1}, {"Heavy": "heavy"})
            with mock.patch("importlib.import_module", lambda _, late=late: late.update(Heavy=2)):
                self.assertEqual(question(late), 2)
                with self.assertRaises(KeyError):
                    late["None"]

    def test_what_is_replaced_stays_replaced(self) -> None:
        script = "imports.install('api'); import orcheo.nodes.light as light; light.build = lambda: 'mine'; print(light.Light().run())"
        self.assertEqual(self.python(script), "one mine\n")

    def test_a_module_that_cannot_be_imported_is_named_with_its_user(self) -> None:
        self.change("library/part.py", None)
        script = """
            imports.install('api')
            import orcheo.nodes
            try:
                orcheo.nodes.Light().run()
            except ImportError as error:
                print(type(error).__name__, error.name, *error.__notes__)
        """
        self.assertEqual(
            self.python(script),
            "ModuleNotFoundError library.part orcheo.nodes.light imports build from library.part on first use\n",
        )

    def test_the_build_compares_with_the_plain_modules(self) -> None:
        verify = "print(prepare_imports.verify('0', {expected}))"
        expected = json.loads(self.python("import json; print(json.dumps(prepare_imports.nodes()))"))
        self.assertEqual(list(expected), ["Heavy", "Light"])
        self.assertEqual(self.python(verify.format(expected=expected)), "[]\n")
        self.assertIn("node Light", self.python(verify.format(expected={"Heavy": expected["Heavy"]})))
        self.change("orcheo_backend/app.py", "import orcheo.nodes, library\n")
        self.assertIn("library is imported at start", self.python(verify.format(expected=expected)))
        self.change("library/part.py", "def make(): ...\n")
        self.assertIn("orcheo.nodes.light.Error cannot be imported", self.python(verify.format(expected=expected)))

    def test_a_copy_elsewhere_on_the_path_is_itself(self) -> None:
        other = self.site / "other/orcheo/nodes"
        other.mkdir(parents=True)
        (other.parent / "__init__.py").write_text("")
        (other / "__init__.py").write_text("print('mine')")
        script = f"sys.path.insert(0, {str(self.site / 'other')!r}); imports.install('api'); import orcheo.nodes"
        self.assertEqual(self.python(script), "mine\n")


class Wanted(unittest.TestCase):
    """When nothing waits."""

    def test_a_worker_whose_processes_are_replaced_imports_once_for_all_of_them(self) -> None:
        runs = {"ORCHEO_WORKER_RUNS_PER_PROCESS": "1"}
        self.assertFalse(imports.wanted("worker", runs))
        self.assertTrue(imports.wanted("api", runs))
        self.assertTrue(imports.wanted("worker", {}))
        self.assertFalse(imports.wanted("worker", {imports.VARIABLE: "false"}))

    def test_another_python_than_the_build_s_uses_the_plain_modules(self) -> None:
        with tempfile.TemporaryDirectory() as place, mock.patch.object(imports, "PREPARED", Path(place)):
            self.assertFalse(imports.install("api"))
            (Path(place) / "index.json").write_text(json.dumps({"magic": "00"}))
            before = list(sys.meta_path)
            self.assertFalse(imports.install("api"))
            self.assertEqual(sys.meta_path, before)


class Image(unittest.TestCase):
    """What the image and its roles do with it."""

    def test_the_build_prepares_and_compares(self) -> None:
        text = (RUNTIME / "Dockerfile").read_text()
        self.assertIn("prepare build; prepare verify;", text)
        self.assertIn("\nENV ORCHEO_RELEASE=${ORCHEO_RELEASE} PYDANTIC_DISABLE_PLUGINS=logfire-plugin ", text)

    def test_every_release_has_its_list(self) -> None:
        releases = json.loads((RUNTIME / "releases.json").read_text())["releases"]
        listed = json.loads(prepare_imports.LIST.read_text())
        self.assertEqual(sorted(listed), sorted(releases))
        for contents in listed.values():
            self.assertEqual(sorted(contents), ["absent", "modules", "nodes"])

    def test_roles_import_the_backend_without_collections(self) -> None:
        for role in ("api", "worker", "init"):
            tree = ast.parse((RUNTIME / f"orcheo_runtime/{role}.py").read_text())
            blocks = [each for each in ast.walk(tree) if isinstance(each, ast.With)]
            quiet = [each for each in blocks if ast.unparse(each.items[0]) == "imports.without_collection()"]
            inside = {id(node) for block in quiet for node in ast.walk(block)}
            found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
            backend = [node for node in found if (node.module or "") in ("orcheo_backend.app", "orcheo_backend.worker.celery_app")]
            outside = [ast.unparse(node) for node in backend if id(node) not in inside]
            self.assertTrue(backend, role)
            # Shared by the processes that are forked afterwards.
            self.assertEqual("imports.import_for_runs()" in ast.unparse(tree), role == "worker")
            # What the block has imported costs nothing again.
            self.assertFalse([each for each in outside if "chatkit_runtime" not in each], role)


class Collection(unittest.TestCase):
    """Garbage collection during imports."""

    def test_it_is_off_during_imports_and_on_afterwards_without_what_was_imported(self) -> None:
        self.addCleanup(gc.unfreeze)
        with self.assertRaises(ImportError), imports.without_collection():
            self.assertFalse(gc.isenabled())
            raise ImportError
        self.assertTrue(gc.isenabled())
        self.assertGreater(gc.get_freeze_count(), 0)


if __name__ == "__main__":
    unittest.main()
