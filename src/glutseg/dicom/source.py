"""Sources of bytes: a file on disk, or a member of a zip archive."""

from __future__ import annotations

import io
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from zipfile import ZipFile, ZipInfo

from glutseg.dicom.archive import Budget, BudgetedMember, check_member, open_archive
from glutseg.dicom.text import clean_text

MAX_SHOWN_MEMBER = 256
"""Limit of characters shown of a member's name; longer names stay distinct (`clean_text`)."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or one member of a zip archive.

    Attributes
    ----------
    path : the file or the archive
    position : index of the member in the archive's central directory; None for a file on disk
    member : the member's name, cleaned; for display only, never used as a path
    """

    path: Path
    position: int | None = None
    member: str = ""

    @property
    def folder(self) -> str:
        """The folder on disk or within the archive, by which files without UIDs are grouped."""
        if self.position is None:
            return str(self.path.parent)
        return f"{self.path}!{self.member.rpartition('/')[0]}"

    @property
    def name(self) -> str:
        """Name of the file or member, without its folders."""
        return self.path.name if self.position is None else self.member.rpartition("/")[2]

    def __str__(self) -> str:
        return str(self.path) if self.position is None else f"{self.path}!{self.member}"


class Opener:
    """Opens sources; keeps the last archive open, because its members are read one after the other.

    Used in a ``with`` statement, at whose end the archive is closed.

    Parameters
    ----------
    budgeted : limit what reading all members of an archive may take, as headers need it; ``budget`` is what
        is left of it for the last archive
    """

    def __init__(self, *, budgeted: bool = False) -> None:
        self._budgeted = budgeted
        self.budget: Budget | None = None
        self._resources = ExitStack()
        self._path: Path | None = None
        self._archive: ZipFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def members(self, path: Path) -> tuple[ZipInfo, ...]:
        """The table of contents of an archive, in its own order.

        Raises
        ------
        BadZipFile, OSError
            When the archive is broken or its table of contents is absurd.
        """
        return tuple(self._zip(path).infolist())

    def open(self, source: Source) -> BinaryIO:
        """Open a source at its start; a member is inflated while it is read.

        Raises
        ------
        BadZipFile, OSError, RuntimeError, NotImplementedError, zlib.error
            If it cannot be opened; see `glutseg.dicom.archive.check_member` for members.
        """
        if source.position is None:
            return source.path.open("rb")
        archive = self._zip(source.path)
        info = archive.infolist()[source.position]
        check_member(info)
        if self.budget:
            return BudgetedMember(archive.open(info), self.budget)
        return io.BufferedReader(archive.open(info))  # type: ignore[type-var]

    def size(self, source: Source) -> int:
        """Size in bytes according to the file system or the archive's central directory."""
        if source.position is None:
            return source.path.stat().st_size
        return self._zip(source.path).infolist()[source.position].file_size

    def _zip(self, path: Path) -> ZipFile:
        if self._archive is None or path != self._path:
            self._resources.close()
            self._archive = self._resources.enter_context(open_archive(path))
            self._path = path
            self.budget = Budget.of(path.stat().st_size) if self._budgeted else None
        return self._archive


def member_source(path: Path, position: int, info: ZipInfo) -> Source:
    """Return the source of a member of an archive."""
    return Source(path, position, clean_text(info.filename, MAX_SHOWN_MEMBER))
