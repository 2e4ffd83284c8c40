"""JSON files in an output folder, which anybody may have changed or damaged."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

MAX_JSON_BYTES = 200_000_000
"""Limit of a file: several times the largest that glutseg writes, the run.json of 100,000 studies."""


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises
    ------
    OSError
        If there is none.
    ValueError
        If it is no plain file (a pipe would be waited for without end), too large, not JSON, or nested too
        deeply.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_JSON_BYTES:
        raise ValueError("it is no plain file of sensible size")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
