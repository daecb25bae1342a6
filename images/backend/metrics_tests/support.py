"""What the tests share that need the packages of the image."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar

from celery import Celery
from prometheus_client import CollectorRegistry, generate_latest


def read(text: str) -> dict[str, float]:
    """Series with its labels -> value."""
    lines = (re.match(r"^([a-z_]+(?:\{.*\})?) (\S+)$", line) for line in text.splitlines())
    return {found[1]: float(found[2]) for found in lines if found}


def series(registry: CollectorRegistry) -> dict[str, float]:
    """As a scraper reads them."""
    return read(generate_latest(registry).decode())


def certificate(folder: Path, name: str, host: str) -> None:
    """tls.crt, which is its own authority, and tls.key."""
    command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name}"
    files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    subprocess.run([*command.split(), "-addext", f"subjectAltName=DNS:{host}", *files], check=True, capture_output=True, timeout=30)


# What a worker's script starts with: an application whose messages are files in the folder of its argument, and the log in JSON.
APP = """
import os, sys
from celery import Celery
from celery.signals import setup_logging
from orcheo_runtime import logs

setup_logging.connect(lambda **_: logs.install(), weak=False)
app = Celery("orcheo-backend", broker="filesystem://", backend=None)
folder = sys.argv[1]
app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1)
"""
# What it ends with.
WORK = """
app.worker_main(["--quiet", "worker", "--concurrency", "1", "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""


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


class Postgres(unittest.TestCase):
    """A server of its own, on a socket in `folder` only."""

    folder: ClassVar[str]

    @classmethod
    def command(cls, *words: str) -> str:
        """As nobody: Postgres refuses root."""
        account = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PGHOST": cls.folder, "PGUSER": "postgres", "PGDATABASE": "postgres"}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd="/", timeout=60, **account)  # type: ignore[call-overload]
        if done.returncode != 0:
            raise AssertionError(f"{words[0]}: {done.stdout}{done.stderr}")
        return str(done.stdout)

    @classmethod
    def setUpClass(cls) -> None:
        """Starts it."""
        cls.folder = tempfile.mkdtemp(prefix="orcheo-sql-")
        os.chmod(cls.folder, 0o777)
        data = f"{cls.folder}/data"
        cls.command("initdb", "--no-sync", "--auth=trust", "--username=postgres", "-D", data)
        options = f"-c listen_addresses= -c unix_socket_directories={cls.folder} -c fsync=off"
        cls.command("pg_ctl", "-w", "-D", data, "-o", options, "-l", f"{cls.folder}/log", "start")

    @classmethod
    def tearDownClass(cls) -> None:
        """Nothing is left."""
        cls.command("pg_ctl", "-m", "immediate", "-D", f"{cls.folder}/data", "stop")
        shutil.rmtree(cls.folder, ignore_errors=True)
