"""List the files below a folder, including the members of zip archives."""

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
"""The index file of DICOM media; its name is fixed by the standard (PS3.10, 8.6)."""

PREAMBLE_BYTES = 128
"""Length of the preamble before the prefix ``DICM`` (PS3.10, 7.1)."""


def list_files(root: Path, opener: Opener) -> tuple[tuple[Source, ...], tuple[FileProblem, ...]]:
    """List every regular file below ``root`` once, sorted by name within each folder, with archive members.

    Links are followed, but no folder or file is visited twice, so loops end. FIFOs, sockets and devices are
    skipped (opening one could block for ever). ``DICOMDIR`` is only an index and is skipped; given as
    ``root`` it stands for its folder.
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
    """Whether a file of this name is the index file of DICOM media."""
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
    """Yield the file itself or, for a zip archive, its members sorted by name."""
    if not _is_zip(path):
        yield Source(path)
        return
    try:
        members = opener.members(path)
    except BAD_FILE as error:
        reason = f"the zip archive cannot be read ({type(error).__name__})"
        problems.append(FileProblem(Source(path), "file-unreadable", reason))
        return
    for position in sorted(range(len(members)), key=lambda n: (members[n].filename, n)):
        name = members[position].filename
        if not members[position].is_dir() and not is_media_directory(name.rpartition("/")[2]):
            yield member_source(path, position, members[position])


def _is_zip(path: Path) -> bool:
    """Whether the first bytes are a zip's; not if ``DICM`` follows, as a DICOM preamble may hold anything."""
    try:
        with path.open("rb") as file:
            start = file.read(PREAMBLE_BYTES + 4)
    except OSError:
        return False  # reported when its header is read
    return start.startswith(ZIP_START) and not start.endswith(b"DICM")
