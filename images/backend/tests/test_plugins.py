"""What the build refuses about plugins, on real metadata; and their loading in the worker."""

import os
import sys
import tempfile
import types
import unittest
from collections.abc import Callable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from unittest.mock import patch

import install_plugins
from orcheo_runtime import plugins


def needs(requirement: str) -> tuple[str, Callable[[str], bool]] | None:
    """NAME==VERSION, as the image's `packaging` would read it."""
    if "extra" in requirement:
        return None
    name, _, version = requirement.partition("==")
    return name, lambda found: version in ("", found)


class Packages(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.site = Path(place.name)

    def installed(self, *packages: tuple[str, str, bool], requires: str = "") -> dict[str, Distribution]:
        for name, version, plugin in packages:
            info = self.site / f"{name}-{version}.dist-info"
            info.mkdir(parents=True)
            needed = "".join(f"Requires-Dist: {each}\n" for each in requires.split("|") if each)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}")
            if plugin:
                (info / "entry_points.txt").write_text("[orcheo.plugins]\none = one\n")
        return install_plugins.named(distributions(path=[str(self.site)]))

    def test_what_was_asked_for_is_accepted(self) -> None:
        found = self.installed(("Orcheo_Plugin.One", "1.0", True), ("humanize", "4.0", False))
        self.assertEqual(install_plugins.wrong_packages({"orcheo-plugin-one": "1.0"}, found, {}), [])

    def test_each_wrong_package_is_named(self) -> None:
        found = self.installed(
            ("one", "1.0", True), ("two", "1.0", False), ("other", "3.0", True), ("httpx", "0.1", False)
        )
        problems = install_plugins.wrong_packages(
            {"one": "2.0", "two": "1.0", "three": "1.0"}, found, {"httpx": found["other"]}
        )
        self.assertEqual(
            problems,
            [
                "httpx 0.1: Orcheo's image has its own, 3.0; run `make plugins` again",
                "one 2.0: the lock has 1.0; run `make plugins` again",
                "two 1.0: is no plugin of Orcheo, it has no entry point in the group orcheo.plugins",
                "three 1.0: is not in the lock; run `make plugins` again",
                "other 3.0: is a plugin too; name it in images.plugins",
            ],
        )

    def test_requirements_are_met_by_plugins_or_by_orcheo(self) -> None:
        own = self.installed(("orcheo", "0.33.1", False), ("Own_Part", "1", False))
        found = self.installed(("one", "1.0", True), requires="orcheo==0.33.1|own.part|nothing; extra == 'x'")
        found = {"one": found["one"]}
        self.assertEqual(install_plugins.missing_requirements(found, own, needs), [])
        self.assertEqual(
            install_plugins.missing_requirements(found, {"orcheo": own["own-part"]}, needs),
            [
                "one 1.0: needs orcheo==0.33.1, and the image has 1",
                "one 1.0: needs own.part, which is missing",
            ],
        )


class Loading(unittest.TestCase):
    def loaded(self, *, state: bool, fails: bool = False) -> int:
        """How often Orcheo was asked to load."""
        calls: list[None] = []

        def ensure() -> None:
            calls.append(None)
            if fails:
                raise ValueError("broken")

        orcheo = types.ModuleType("orcheo.plugins")
        orcheo.ensure_plugins_loaded = ensure  # type: ignore[attr-defined]
        with tempfile.TemporaryDirectory() as place:
            if state:
                (Path(place) / "plugins.toml").touch()
            modules = {"orcheo": types.ModuleType("orcheo"), "orcheo.plugins": orcheo}
            with patch.dict(sys.modules, modules), patch.dict(os.environ, {"ORCHEO_PLUGIN_DIR": place}):
                plugins.load()
        return len(calls)

    def test_only_where_there_are_some(self) -> None:
        self.assertEqual(self.loaded(state=False), 0)
        self.assertEqual(self.loaded(state=True), 1)

    def test_a_run_is_executed_even_so(self) -> None:
        with self.assertLogs("orcheo_runtime.plugins", "ERROR"):
            self.assertEqual(self.loaded(state=True, fails=True), 1)
