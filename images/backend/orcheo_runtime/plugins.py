"""Plugins in the processes that execute runs: Orcheo's API loads them when it starts, its worker never does."""

import logging
import os
from pathlib import Path

logger = logging.getLogger("orcheo_runtime.plugins")


def load() -> None:
    """Once a process, and only where there are some. A run that needs one that is not loaded says so itself."""
    if not (Path(os.environ.get("ORCHEO_PLUGIN_DIR", "")) / "plugins.toml").is_file():
        return
    try:
        from orcheo.plugins import ensure_plugins_loaded

        ensure_plugins_loaded()
    except Exception:
        logger.exception("the plugins cannot be loaded")
