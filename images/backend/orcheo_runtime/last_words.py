"""One line of what a process did, as its pod's status shows it afterwards (`kubectl describe pod`, `make status`).

The kubelet reads it from a file: an Event would need a service-account token, and no pod of the stack has one.
"""

import logging
import os

from orcheo_runtime.logs import Formatter

# Kubernetes' default; the container's user may write it, although its root file system is read-only.
FILE = "/dev/termination-log"
# The kubelet cuts a longer message off.
MOST_BYTES = 4096
logger = logging.getLogger("orcheo_runtime.last_words")


def leave(text: str) -> None:
    """Replaces what was left before; secrets become ***. Does nothing outside of Kubernetes."""
    line = Formatter(os.environ).redact(" ".join(text.split()))
    try:
        # Not created where there is none.
        descriptor = os.open(FILE, os.O_WRONLY | os.O_TRUNC)
    except OSError as error:
        logger.debug("nobody reads %s: %s", FILE, error)
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(line.encode()[:MOST_BYTES])
