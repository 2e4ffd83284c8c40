"""Walking a folder that may hold anything, zip archives included."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from glutseg.dicom.archive import ZIP_START
from glutseg.dicom.model import FileProblem
from glutseg.dicom.source import Opener, Source, member_source
from glutseg.dicom.text import BAD_FILE

MEDIA_DIRECTORY_NAME = "DICOMDIR"
"""The table of contents of an export; its name is fixed by the standard (PS3.10, 8.6)."""

PREAMBLE_BYTES = 128


def list_files(root: Path, opener: Opener) -> tuple[tuple[Source, ...], tuple[FileProblem, ...]]:
    """Every regular file below ``root`` once, sorted by name within each folder, archives opened.

    Links are followed, but no folder or file is visited twice, so loops end; FIFOs, sockets and
    devices are passed by (opening one could wait for ever). ``DICOMDIR`` is only a table of
    contents and is left out; given as ``root`` itself it stands for its folder.
    """
    problems: list[FileProblem] = []
    start = root.parent if is_media_directory(root.name) and root.is_file() else root
    files = [
        source
        for path in _walk(start, problems)
        if not is_media_directory(path.name)
        for source in _with_members(path, opener, problems)
    ]
    return tuple(files), tuple(problems)


def is_media_directory(name: str) -> bool:
    """Whether a file of this name is an export's table of contents."""
    return name.upper() == MEDIA_DIRECTORY_NAME


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
            problems.append(FileProblem(Source(path), "file-unreadable", os.strerror(error.errno or 0)))


def _by_name(path: Path) -> bytes:
    return os.fsencode(path.name)


def _with_members(path: Path, opener: Opener, problems: list[FileProblem]) -> Iterator[Source]:
    """The file itself or, of a zip archive, its members sorted by name."""
    if not _is_zip(path):
        yield Source(path)
        return
    try:
        members = opener.members(path)
    except BAD_FILE as error:
        reason = f"the zip archive cannot be read ({type(error).__name__})"
        problems.append(FileProblem(Source(path), "file-unreadable", reason))
        return
    for k in sorted(range(len(members)), key=lambda k: (members[k].filename, k)):
        name = members[k].filename
        if not members[k].is_dir() and not is_media_directory(name.rpartition("/")[2]):
            yield member_source(path, k, members[k])


def _is_zip(path: Path) -> bool:
    """By its first bytes; a DICOM file may begin with any, its mark stands behind them."""
    try:
        with path.open("rb") as file:
            start = file.read(PREAMBLE_BYTES + 4)
    except OSError:
        return False  # reading its header will tell
    return start.startswith(ZIP_START) and not start.endswith(b"DICM")
