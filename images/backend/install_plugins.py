"""Checks the plugins that were installed into the image, and writes the state with which Orcheo finds them.

    install_plugins.py SITE_PACKAGES PACKAGE==VERSION ...

Orcheo's own installer is not used: it resolves anew, without hashes, and installs a second Orcheo beside the first, in
front of it on the path. Every problem is a line that names its package; exit code 1.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from sysconfig import get_path

GROUP = "orcheo.plugins"


def canonical(name: str) -> str:
    """The name as package indexes compare it."""
    return "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)


def named(found: Iterable[Distribution]) -> dict[str, Distribution]:
    """Distributions by their names."""
    return {canonical(each.metadata["Name"]): each for each in found}


def is_plugin(distribution: Distribution) -> bool:
    """Whether Orcheo would take it for a plugin."""
    return any(entry.group == GROUP for entry in distribution.entry_points)


def wrong_packages(
    wanted: Mapping[str, str], installed: Mapping[str, Distribution], own: Mapping[str, Distribution]
) -> list[str]:
    """`wanted`: version by name, as configured; `own`: what Orcheo's image has without plugins."""
    problems = [
        f"{name} {each.version}: Orcheo's image has its own, {own[name].version}; run `make plugins` again"
        for name, each in installed.items()
        if name in own
    ]
    for name, version in wanted.items():
        each = installed.get(name)
        if each is None:
            problems.append(f"{name} {version}: is not in the lock; run `make plugins` again")
        elif each.version != version:
            problems.append(f"{name} {version}: the lock has {each.version}; run `make plugins` again")
        elif not is_plugin(each):
            problems.append(f"{name} {version}: is no plugin of Orcheo, it has no entry point in the group {GROUP}")
    return problems + [
        f"{name} {each.version}: is a plugin too; name it in images.plugins"
        for name, each in installed.items()
        if name not in wanted and is_plugin(each)
    ]


def missing_requirements(
    installed: Mapping[str, Distribution],
    own: Mapping[str, Distribution],
    needs: Callable[[str], tuple[str, Callable[[str], bool]] | None],
) -> list[str]:
    """`needs`: the name in a requirement, and whether a version is accepted; None where it does not apply here."""
    problems: list[str] = []
    for each in installed.values():
        for requirement in each.requires or []:
            needed = needs(requirement)
            if needed is None:
                continue
            name, accepts = needed
            present = installed.get(canonical(name)) or own.get(canonical(name))
            if present is None or not accepts(present.version):
                found = "which is missing" if present is None else f"and the image has {present.version}"
                problems.append(f"{each.metadata['Name']} {each.version}: needs {requirement}, {found}")
    return problems


def needs_here(requirement: str) -> tuple[str, Callable[[str], bool]] | None:
    """A requirement as this Python reads it."""
    from packaging.requirements import Requirement

    parsed = Requirement(requirement)
    if parsed.marker is not None and not parsed.marker.evaluate({"extra": ""}):
        return None
    return parsed.name, lambda version: parsed.specifier.contains(version, prereleases=True)


def write_state(wanted: Mapping[str, str], installed: Mapping[str, Distribution]) -> list[str]:
    """Writes the files that `orcheo plugin install` would have written; returns what is wrong with the manifests."""
    from orcheo.plugins import compatibility, manager, models, paths, state

    where = paths.build_storage_paths()
    problems: list[str] = []
    manifests = []
    for name, version in wanted.items():
        try:
            manifest, digest = manager._distribution_to_manifest(installed[name])
        except (manager.PluginError, TypeError, ValueError) as error:
            problems.append(f"{name} {version}: {error}")
            continue
        problems += [f"{name} {version}: {issue}" for issue in compatibility.check_manifest_compatibility(manifest)]
        manifests.append((manifest, digest, f"{name}=={version}"))
    if problems:
        return problems
    manager._write_manifest_cache(Path(where.manifests_dir), [(manifest, digest) for manifest, digest, _ in manifests])
    state.save_desired_state(
        Path(where.state_file),
        [
            models.DesiredPluginRecord(name=manifest.name, source=source, install_source="image")
            for manifest, _, source in manifests
        ],
    )
    state.save_lock_state(
        Path(where.lock_file),
        [
            models.LockedPluginRecord(
                name=manifest.name,
                version=manifest.version,
                plugin_api_version=manifest.plugin_api_version,
                orcheo_version=manifest.orcheo_version,
                location=where.install_dir,
                wheel_sha256=manager.hash_install_source(source),
                manifest_sha256=digest,
                exports=manifest.exports,
                description=manifest.description,
                author=manifest.author,
                entry_points=manifest.entry_points,
            )
            for manifest, digest, source in manifests
        ],
    )
    return []


def load() -> list[str]:
    """Loads the plugins as the API will; returns which cannot be."""
    from orcheo.plugins import PluginManager, load_enabled_plugins

    results = {each.name: each for each in load_enabled_plugins(force=True).results}
    problems: list[str] = []
    for row in PluginManager().list_plugins():
        result = results.get(row["name"])
        if result is None or not result.loaded:
            why = "Orcheo does not find it" if result is None else result.error
            problems.append(f"{row['name']} {row['version']}: cannot be loaded: {why}")
    return problems


def main(site: Path, plugins: list[str]) -> int:
    """`site`: where the plugins are installed. 0: Orcheo loads all of them."""
    wanted = {canonical(name): version for name, _, version in (each.partition("==") for each in plugins)}
    installed = named(distributions(path=[str(site)]))
    own = named(distributions(path=[get_path("purelib")]))
    problems = wrong_packages(wanted, installed, own) or missing_requirements(installed, own, needs_here)
    problems = problems or write_state(wanted, installed) or load()
    for problem in problems:
        print(f"plugin {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
