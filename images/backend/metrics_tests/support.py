"""What the tests share that need the packages of the image."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

from celery import Celery
from prometheus_client import CollectorRegistry, generate_latest


def read(text: str) -> dict[str, float]:
    """Series with its labels -> value."""
    lines = (re.match(r"^([a-z_]+(?:\{.*\})?) (\S+)$", line) for line in text.splitlines())
    return {found[1]: float(found[2]) for found in lines if found}


def series(registry: CollectorRegistry) -> dict[str, float]:
    """As a scraper reads them."""
    return read(generate_latest(registry).decode())


def start_worker(test: unittest.TestCase, script: str) -> tuple["subprocess.Popen[str]", Celery]:
    """A process that runs `script` with a folder for its messages as the argument, until the test ends; and who sends it tasks."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    process = subprocess.Popen(
        [sys.executable, "-c", script, folder.name],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"C_FORCE_ROOT": "1"},
    )
    test.addCleanup(process.wait, 30)
    test.addCleanup(process.kill)
    assert process.stdout is not None
    test.addCleanup(process.stdout.close)
    app = Celery("test", broker="filesystem://")
    app.conf.broker_transport_options = {name: folder.name for name in ("data_folder_in", "data_folder_out", "control_folder")}
    return process, app
