"""Commands of the AWS CLI, one after the other in one process, for it takes longer to start than to ask: a list of their words on standard input."""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver


def run(words: list[str]) -> dict[str, object]:
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = create_clidriver().main(words)
        except SystemExit as ended:
            code = ended.code
        out.flush()
    printed = out.buffer.getvalue().decode()
    return {"ok": code == 0, "said": printed if code == 0 else err.getvalue()}


print(json.dumps([run(words) for words in json.load(sys.stdin)]))
