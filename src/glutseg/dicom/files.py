"""Walking a folder that may hold anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from glutseg.dicom.model import FileProblem


def list_files(root: Path) -> tuple[tuple[Path, ...], tuple[FileProblem, ...]]:
    """Every regular file below ``root`` once, sorted by name within each folder.

    Links are followed, but no folder or file is visited twice, so loops end; FIFOs, sockets and
    devices are passed by (opening one could wait for ever). ``DICOMDIR`` is only a table of
    contents and is left out.
    """
    problems: list[FileProblem] = []
    files = tuple(path for path in _walk(root, problems) if path.name.upper() != "DICOMDIR")
    return files, tuple(problems)


def _walk(root: Path, problems: list[FileProblem]) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        path = waiting.pop()
        try:
            status = path.stat()
            key = (status.st_dev, status.st_ino)
            if key in seen:
                continue
            seen.add(key)
            if stat.S_ISREG(status.st_mode):
                yield path
            elif stat.S_ISDIR(status.st_mode):
                waiting.extend(sorted(path.iterdir(), key=_by_name, reverse=True))
        except OSError as error:
            problems.append(FileProblem(path, "file-unreadable", os.strerror(error.errno or 0)))


def _by_name(path: Path) -> bytes:
    return os.fsencode(path.name)
