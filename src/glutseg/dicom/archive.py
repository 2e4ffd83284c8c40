"""Safe reading of zip archives: nothing is unpacked to disk, and every size is checked before reading."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

MAX_CONTENTS_BYTES = 32 * 2**20
"""Size limit of an archive's central directory: about 300 000 files with the long names of exports."""

MAX_MEMBER_BYTES = 2**30
"""Size limit of one inflated member: a multi-frame file of 2000 slices of 512 x 512."""

MAX_RATIO = 200
"""Highest compression ratio: CT deflates to 1/2 or 1/3, an empty image to 1/100, a bomb to 1/1032."""

SMALL_BYTES = 16 * 2**20
"""Members below this size may have any ratio: they cannot fill the memory."""

ENCRYPTED = 0x1
"""Bit of a member's general purpose flags (APPNOTE.TXT, 4.4.4)."""

OTHER_ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""First bytes of archive formats that are not read but reported, instead of ignored."""

ZIP_START = b"PK\x03\x04"


class _BoundedFile(io.FileIO):
    """A file with bounded reads, because zipfile reads the whole central directory at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > MAX_CONTENTS_BYTES:
            msg = "the archive's table of contents is too large"
            raise BadZipFile(msg)
        return super().read(size) or b""


@contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """Open an archive after checking the size of its central directory and that members do not overlap.

    Raises
    ------
    BadZipFile, OSError
        If it is damaged, or its members claim more compressed bytes than the archive has.
    """
    with _BoundedFile(path, "rb") as file, ZipFile(file) as archive:
        if sum(info.compress_size for info in archive.infolist()) > path.stat().st_size:
            msg = "the archive's members overlap"
            raise BadZipFile(msg)
        yield archive


def check_member(info: ZipInfo) -> None:
    """Check, before inflating, that a member can be read and is no zip bomb.

    Raises
    ------
    BadZipFile
        With the reason, without the member's name (which may name a patient).
    """
    if info.flag_bits & ENCRYPTED:
        raise BadZipFile("the archive is encrypted")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadZipFile(f"compression method {info.compress_type} of the archive is not read")
    if info.file_size > MAX_MEMBER_BYTES:
        raise BadZipFile(f"{info.file_size} bytes unpacked are more than a file of images has")
    if info.file_size > max(SMALL_BYTES, MAX_RATIO * info.compress_size):
        raise BadZipFile(f"{info.file_size} bytes unpacked from {info.compress_size} are no image")


def other_archive(start: bytes) -> str:
    """Return the name of an archive format that is not supported; "" for any other file."""
    return next((name for magic, name in OTHER_ARCHIVES.items() if start.startswith(magic)), "")
