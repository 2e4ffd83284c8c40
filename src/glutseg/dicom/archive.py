"""Safe reading of zip archives: nothing is unpacked to disk, and every size is checked before reading."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

MAX_CONTENTS_BYTES = 32 * 2**20
"""Size limit of an archive's central directory: about 300 000 files with the long names of exports."""

MAX_MEMBER_BYTES = 2**30
"""Size limit of one inflated member: a multi-frame file of 2000 slices of 512 x 512."""

MAX_RATIO = 200
"""Highest compression ratio: CT deflates to 1/2 or 1/3, an empty image to 1/100, a bomb to 1/1032."""

SMALL_BYTES = 16 * 2**20
"""Members below this size may have any ratio: they cannot fill the memory."""

FREE_READS, READS_PER_BYTE = 500_000, 1 / 20
FREE_BYTES, BYTES_PER_BYTE = 256 * 2**20, 20
"""What reading all headers of an archive may take: so many reads and unpacked bytes, and so many more for
each byte of the archive. An image of 5 kB, packed, may thus have 250 elements and be unpacked for 100 kB; CT
images have about 150, and 64 kB are read at once. Without this limit an archive of 6 MB, whose members unpack
to 16 MB of tiny elements each, is read for half an hour."""

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


class ArchiveRefusedError(BadZipFile):
    """Reading the archive's headers would take more than an archive of images of this size needs."""


@dataclass
class Budget:
    """What is left of reads and unpacked bytes for the headers of an archive."""

    n_reads: float
    n_bytes: float

    @classmethod
    def of(cls, archive_bytes: int) -> Budget:
        """For an archive of this size on disk."""
        return cls(FREE_READS + READS_PER_BYTE * archive_bytes, FREE_BYTES + BYTES_PER_BYTE * archive_bytes)

    @property
    def is_spent(self) -> bool:
        return self.n_reads < 0 or self.n_bytes < 0

    def spend(self, n_bytes: int) -> None:
        """One read, by which so many bytes were unpacked.

        Raises
        ------
        ArchiveRefusedError
            When nothing is left.
        """
        self.n_reads -= 1
        self.n_bytes -= n_bytes
        if self.is_spent:
            raise ArchiveRefusedError(REFUSED)


REFUSED = "its headers are longer or have more elements than those of images in an archive of this size"


class BudgetedMember(io.BufferedReader):
    """A member of an archive, unpacked as it is read, within a budget."""

    def __init__(self, member: IO[bytes], budget: Budget) -> None:
        super().__init__(member)  # type: ignore[arg-type]
        self._budget = budget
        self._place = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        place = self.tell()
        self._budget.spend(max(0, place - self._place))  # what was skipped is unpacked as well
        self._place = place
        return content


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
