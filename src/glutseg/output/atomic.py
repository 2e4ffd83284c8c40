"""Files that are either whole or not there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from glutseg.errors import GlutsegError

TEMP_PREFIX = ".glutseg-"


def write_bytes(path: Path, content: bytes) -> None:
    """Write beside, fsync, rename: whoever kills the program finds the old file or the new one.

    Raises
    ------
    GlutsegError
        ``output-unwritable`` when the system refuses.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=TEMP_PREFIX, dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp gives 0600: a colleague could not read the table
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(path)) from error


def write_text(path: Path, content: str) -> None:
    """`write_bytes` in UTF-8; lone surrogates of broken file names become ``?``."""
    write_bytes(path, content.encode("utf-8", "replace"))
