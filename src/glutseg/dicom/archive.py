"""Zip archives without harm: nothing is unpacked to disk, and every size is bounded before it is read."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

MAX_CONTENTS_BYTES = 32 * 2**20
"""Of an archive's table of contents: about 300 000 files with the names that exports give."""

MAX_MEMBER_BYTES = 2**30
"""Of one member, inflated: a multi-frame file of 2000 slices of 512 x 512."""

MAX_RATIO = 200
"""CT deflates to a half or a third, an empty image to a hundredth; deflate itself ends at 1032."""

SMALL_BYTES = 16 * 2**20
"""Members below this may have any ratio: they harm nobody."""

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
"""First bytes of archives that are named as such instead of being passed by in silence."""

ZIP_START = b"PK\x03\x04"


class _BoundedFile(io.FileIO):
    """A file whose reads are bounded: zipfile reads the whole table of contents at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > MAX_CONTENTS_BYTES:
            msg = "the archive's table of contents is too large"
            raise BadZipFile(msg)
        return super().read(size) or b""


@contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """An archive whose table of contents is bounded and whose members do not overlap.

    Raises
    ------
    BadZipFile, OSError
        When it is broken, or its members claim more compressed bytes than the archive has.
    """
    with _BoundedFile(path, "rb") as file, ZipFile(file) as archive:
        if sum(info.compress_size for info in archive.infolist()) > path.stat().st_size:
            msg = "the archive's members overlap"
            raise BadZipFile(msg)
        yield archive


def check_member(info: ZipInfo) -> None:
    """Refuse what cannot be read or would be a bomb, before a byte of it is inflated.

    Raises
    ------
    BadZipFile
        With the reason in plain words, free of the member's name.
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
    """The name of an archive's format that is not opened; "" for anything else."""
    return next((name for magic, name in OTHER_ARCHIVES.items() if start.startswith(magic)), "")
