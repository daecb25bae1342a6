"""What a role's imports cost in this image: `python3 -m orcheo_runtime.measure_imports ROLE plain|ours` prints one line of JSON.

`plain`: as Orcheo's own commands import. Nothing is started, and no server is contacted.
"""

import contextlib
import importlib
import json
import os
import resource
import sys
from pathlib import Path

from orcheo_runtime import imports

PLUGINS = "PYDANTIC_DISABLE_PLUGINS"
# What each role imports before it serves.
ROLES = {
    "api": ("psycopg_pool", "uvicorn", "orcheo_backend.app", "orcheo_backend.worker.celery_app"),
    "worker": ("celery.apps.worker", "psycopg_pool", "orcheo_backend.worker.celery_app", "orcheo_backend.worker.tasks"),
    "init": ("psycopg", "fastapi.testclient", "orcheo_backend.app"),
    "beat": ("celery", "celery.beat", "psycopg", "redis"),
}


def main(role: str, how: str) -> None:
    """Imports, and prints."""
    collection: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if how == "plain":
        os.environ.pop(PLUGINS, None)
    else:
        imports.install(role)
        collection = imports.without_collection()
    with collection:
        for module in ROLES[role]:
            importlib.import_module(module)
        if role == "worker":
            imports.import_for_runs()
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    measured = {
        "cpuSeconds": round(used.ru_utime + used.ru_stime, 2),
        "modules": len(sys.modules),
        "residentMiB": pages * os.sysconf("SC_PAGE_SIZE") // 1024 // 1024,
    }
    print(json.dumps(measured), file=sys.__stdout__, flush=True)
    # Threads that a library started would wait for something.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
