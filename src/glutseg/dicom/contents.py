"""Read the headers of many files, in this process or in several."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from glutseg.dicom.archive import REFUSED
from glutseg.dicom.coding import encode
from glutseg.dicom.files import sources_of
from glutseg.dicom.header import HeaderReader
from glutseg.dicom.model import FileHeader, FileProblem
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.source import Opener, Source
from glutseg.dicom.spawn import exit_with_parent, without_main_module

CHUNK = 200
"""Files that a process reads for one message."""
CHUNKS_AHEAD = 4
"""Chunks that wait at every process."""

Numbered = tuple[int, Path]


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """A header, coded for the index; ``place`` counts the members of an archive in their order."""

    place: int
    position: int | None
    member: str
    patient_id: str
    study_uid: str
    folder: str
    shared: str
    own: str


@dataclass(frozen=True, slots=True)
class FileContents:
    """What a file holds.

    Attributes
    ----------
    number : of the file in the index
    n_sources : 1, or the number of members of an archive
    problems : those that cannot be read
    n_other : those that are not DICOM
    """

    number: int
    n_sources: int
    headers: tuple[HeaderRow, ...]
    problems: tuple[FileProblem, ...]
    n_other: int


def read_files(files: Iterable[Numbered], jobs: int) -> Iterator[FileContents]:
    """Yield the contents of the files, in their order.

    Parameters
    ----------
    jobs : number of processes; one reads in this process
    """
    if jobs < 2:
        with quiet_pydicom(), Opener(budgeted=True) as opener:
            reader = HeaderReader(opener)
            for number, path in files:
                yield _contents(number, path, opener, reader)
        return
    remaining = iter(files)
    with ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_start_process
    ) as executor:
        waiting: deque[tuple[list[Numbered], Future[list[FileContents]]]] = deque()
        broken: list[Numbered] = []
        for chunk in iter(lambda: list(islice(remaining, CHUNK)), []):
            try:
                with without_main_module():
                    waiting.append((chunk, executor.submit(_read_chunk, chunk)))
            except BrokenProcessPool:
                broken = chunk
                break
            if len(waiting) >= jobs * CHUNKS_AHEAD:
                yield from _result(*waiting.popleft())
        while waiting:
            yield from _result(*waiting.popleft())
    yield from read_files((*broken, *remaining), 1)


def _result(chunk: list[Numbered], future: Future[list[FileContents]]) -> Iterable[FileContents]:
    try:
        return future.result()
    except BrokenProcessPool:  # a process was killed; this one reads instead
        return read_files(chunk, 1)


def _read_chunk(chunk: list[Numbered]) -> list[FileContents]:
    return list(read_files(chunk, 1))


def _start_process() -> None:
    """Leave Ctrl-C to the parent, and exit when it dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exit_with_parent()


def _contents(number: int, path: Path, opener: Opener, reader: HeaderReader) -> FileContents:
    sources = sources_of(path, opener)
    if isinstance(sources, FileProblem):
        return FileContents(number, 0, (), (sources,), 0)
    headers: list[HeaderRow] = []
    problems: list[FileProblem] = []
    for place, source in enumerate(sources):
        found = reader.read(source)
        if source.position is not None and opener.budget and opener.budget.is_spent:
            refused = FileProblem(Source(path), "archive-refused", REFUSED)  # not some of its images only
            return FileContents(number, len(sources), (), (refused,), 0)
        if isinstance(found, FileHeader):
            folder = "" if found.study_uid else source.folder
            shared, own = encode(found)
            key = (found.patient_id, found.study_uid, folder)
            headers.append(HeaderRow(place, source.position, source.member, *key, shared, own))
        elif found is not None:
            problems.append(found)
    n_other = len(sources) - len(headers) - len(problems)
    return FileContents(number, len(sources), tuple(headers), tuple(problems), n_other)
