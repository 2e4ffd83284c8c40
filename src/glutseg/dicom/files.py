"""List the files below a folder, including the members of zip archives."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glutseg.dicom.archive import ZIP_START
from glutseg.dicom.model import FileProblem
from glutseg.dicom.source import Opener, Source, member_source
from glutseg.dicom.text import BAD_FILE

MEDIA_DIRECTORY_NAME = "DICOMDIR"
"""The index file of DICOM media; its name is fixed by the standard (PS3.10, 8.6)."""

PREAMBLE_BYTES = 128
"""Length of the preamble before the prefix ``DICM`` (PS3.10, 7.1)."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file below a folder; ``name`` is its path from there, as the system writes it."""

    name: bytes
    size: int
    mtime_ns: int
    device: int
    inode: int


def start_of(root: Path) -> Path:
    """Where files are looked for: ``DICOMDIR`` is only an index and stands for its folder."""
    return root.parent if is_media_directory(root.name) and root.is_file() else root


def is_media_directory(name: str) -> bool:
    """Whether a file of this name is the index file of DICOM media."""
    return name.upper() == MEDIA_DIRECTORY_NAME


def walk(start: Path, problems: list[FileProblem]) -> Iterator[FoundFile]:
    """Yield every regular file below ``start``, or itself, sorted by name within each folder.

    Links are followed, but no folder is visited twice, so loops end; a file is yielded again for each of its
    links. FIFOs, sockets and devices are skipped (opening one could block for ever), and so is ``DICOMDIR``.
    """
    seen: set[tuple[int, int]] = set()
    origin = os.fsencode(start)
    waiting: list[Path | os.DirEntry[bytes]] = [start]
    while waiting:
        one = waiting.pop()
        try:
            status = one.stat()
            if stat.S_ISREG(status.st_mode):
                if not is_media_directory(os.fsdecode(one.name)):
                    name = os.fsencode(one)[len(origin) :].lstrip(os.fsencode(os.sep))
                    yield FoundFile(name, status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino)
            elif stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                with os.scandir(os.fsencode(one)) as entries:
                    waiting.extend(sorted(entries, key=lambda entry: entry.name, reverse=True))
        except OSError as error:
            where = Source(Path(os.fsdecode(one)))
            problems.append(FileProblem(where, "file-unreadable", os.strerror(error.errno or 0)))


def sources_of(path: Path, opener: Opener) -> tuple[Source, ...] | FileProblem:
    """Return the file itself or, for a zip archive, its members sorted by name."""
    if not _is_zip(path):
        return (Source(path),)
    try:
        members = opener.members(path)
    except BAD_FILE as error:
        reason = f"the zip archive cannot be read ({type(error).__name__})"
        return FileProblem(Source(path), "file-unreadable", reason)
    return tuple(
        member_source(path, position, members[position])
        for position in sorted(range(len(members)), key=lambda n: (members[n].filename, n))
        if not members[position].is_dir()
        and not is_media_directory(members[position].filename.rpartition("/")[2])
    )


def _is_zip(path: Path) -> bool:
    """Whether the first bytes are a zip's; not if ``DICM`` follows, as a DICOM preamble may hold anything."""
    try:
        with path.open("rb") as file:
            start = file.read(PREAMBLE_BYTES + 4)
    except OSError:
        return False  # reported when its header is read
    return start.startswith(ZIP_START) and not start.endswith(b"DICM")
