"""Files that are either whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from glutseg.errors import GlutsegError

TEMP_PREFIX = ".glutseg-"
RENAMES_OPEN_FILES = os.name != "nt"
"""So that a file is held (`is_abandoned`) until it has its name; Windows lets nobody remove an open one."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` when the block ends without an error.

    It is written beside, fsynced and renamed: whoever kills the program finds the old file or the new one.

    Raises
    ------
    GlutsegError
        ``output-unwritable`` when the system refuses.
    """
    import_module("filelock")  # before there is a file, which a kill meanwhile would leave behind
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=TEMP_PREFIX, dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            _hold(handle)
            yield file
            file.flush()
            os.fsync(handle)
            Path(temporary).chmod(0o644)  # mkstemp gives 0600: a colleague could not read the table
            if RENAMES_OPEN_FILES:
                Path(temporary).replace(path)
        if not RENAMES_OPEN_FILES:
            Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(path)) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _hold(handle: int) -> bool:
    """Whether this process holds a file from now on until it is closed; no, where another one does."""
    from filelock import lock_descriptor  # loaded by who writes, not by who looks

    try:
        return lock_descriptor(handle, blocking=False)
    except OSError:  # the file system has no locks
        return True


def is_abandoned(temporary: Path) -> bool:
    """Whether nobody writes this file any more, because its process was ended.

    Where the file system has no locks every one counts as abandoned.
    """
    try:
        with temporary.open("r+b") as file:
            return _hold(file.fileno())
    except OSError:
        return False


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that is either whole or not there, as `replacing` does.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """`write_bytes` in UTF-8; lone surrogates of broken file names become ``?``."""
    write_bytes(path, content.encode("utf-8", "replace"))
