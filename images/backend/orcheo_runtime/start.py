"""Reads secrets from files, checks the environment of the image's release, then becomes one of Orcheo's processes.

    start api | worker | beat | init | run PROGRAM [ARGUMENT ...]

Exit code 78: the environment is wrong; every problem is a line of the log and no secret is ever printed.
"""

import logging
import os
import runpy
import signal
import sys

from orcheo_runtime import environment, imports, logs, tls

USAGE_ERROR = 64
CONFIGURATION_ERROR = 78
MODULES = {name: f"orcheo_runtime.{name}" for name in ("api", "worker", "beat", "init")}
logger = logging.getLogger("orcheo_runtime.start")


def main(arguments: list[str]) -> int:
    """Returns when the process has ended, or could not start because of the reported problems."""
    # Process 1 of a container ignores signals without a handler: a SIGTERM during start-up would have no effect for the whole
    # grace period. The process that runs next has its own handlers.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    role = arguments[0] if arguments else ""
    if role not in environment.REQUIRED or (role == "run" and len(arguments) < 2):
        print(f"usage: {' | '.join(MODULES)} | run PROGRAM [ARGUMENT ...]; got {role!r}", file=sys.stderr)
        return USAGE_ERROR
    release = os.environ.get("ORCHEO_RELEASE", "")
    try:
        contract, known = environment.load_contract(release)
    except KeyError:
        print(f"ORCHEO_RELEASE {release!r} is not a release of this image", file=sys.stderr)
        return CONFIGURATION_ERROR
    problems = environment.read_secrets(os.environ, environment.SECRET_DIR)
    problems += tls.demand_tls(os.environ)
    # A manually run program may read variables that are not known here.
    if role != "run":
        problems += environment.unknown_names(os.environ, contract, known)
    problems += environment.apply_contract(role, os.environ, contract)
    logs.install()
    for problem in problems:
        logger.error("%s of Orcheo %s cannot start: %s", role, release, problem)
    if problems:
        return CONFIGURATION_ERROR
    environment.limit_silence(os.environ)
    if role == "run":
        os.execvp(arguments[1], arguments[1:])
    for name in sorted(contract["ignored"].keys() & os.environ.keys()):
        logger.info("%s has no effect in Orcheo %s: %s", name, release, contract["ignored"][name])
    imports.install(role)
    # In this process: a new one would expose the secrets in /proc/PID/environ.
    runpy.run_module(MODULES[role], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
