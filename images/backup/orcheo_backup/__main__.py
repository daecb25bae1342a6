"""Writes one dump and its metadata. Reports the outcome in one line of JSON.

Exit code 78: refused, and would be again (settings, credentials, bucket); 1: may go well another time. Either way
there is no object: the upload is completed only after pg_dump and pg_restore have ended well.
"""

import json
import os
import signal
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from orcheo_backup import libpq, record, settings
from orcheo_backup.bucket import Bucket, Upload
from orcheo_backup.dump import Dump, FailedError, wait_for

REFUSED = 78


def main() -> int:
    """The exit code."""
    signal.signal(signal.SIGTERM, stopped)
    try:
        written = backup(settings.read(os.environ))
    except (settings.RefusedError, FailedError, OSError) as error:
        log("ERROR", f"no backup was made: {error}")
        return REFUSED if isinstance(error, settings.RefusedError) else 1
    log("INFO", "backup complete", **written)
    return 0


def backup(given: settings.Settings) -> dict[str, Any]:
    """Description of the dump that was written."""
    started = time.monotonic()
    bucket = Bucket(given)
    dump = Dump(given)
    key = f"{given.prefix}{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.dump"
    wait_for(given.dsn)
    upload = Upload(bucket, key)
    try:
        with closing(dump.parts()) as parts:
            for part in parts:
                upload.add(part)
        version = upload.complete(dump.size)
    except BaseException:
        abort(upload)
        raise
    written = {
        "bucket": given.bucket,
        "key": key,
        "version": version,
        "bytes": dump.size,
        "sha256": dump.sha256.hexdigest(),
        "seconds": round(time.monotonic() - started, 1),
    }
    # Written last: a dump with this file next to it is complete.
    bucket.put(f"{key}.json", json.dumps(written))
    try:
        record.note(given, dump.size, written["seconds"])
    except (libpq.ExecuteError, OSError) as error:
        log("WARNING", f"the backup is complete, but the database does not know it: {error}")
    return {**written, "parts": len(upload.parts)}


def abort(upload: Upload) -> None:
    """Aborts the upload; parts that remain are invisible, and the bucket's lifecycle rule deletes them."""
    try:
        upload.abort()
    except (settings.RefusedError, FailedError) as error:
        log("WARNING", f"parts of an upload are left: {error}")


def stopped(number: int, _frame: FrameType | None) -> None:
    """Handles SIGTERM: a deadline, or a node being drained."""
    raise FailedError(f"stopped by {signal.Signals(number).name}")


def log(level: str, message: str, **fields: object) -> None:
    """One line."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    print(json.dumps({"time": now, "level": level, "message": message, **fields}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
