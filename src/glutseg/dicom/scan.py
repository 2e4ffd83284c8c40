"""Index the studies and series below a folder, without reading pixels.

A scan has three steps, and each goes on from what an earlier scan, finished or killed, has left in the index:

1. walk through the folder and enter every file with its size and time of change (`files`);
2. read the headers of files that are new or have changed (`contents`), in several processes if wanted;
3. make the studies to which this adds or from which it takes, and enter what a plan needs to know of them.

Nothing of it holds more than one study in memory. Later a study is made again from its headers when it is
needed (`StoredStudies`). Without a file for the index it is a temporary one, and all studies are loaded.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from glutseg.dicom.contents import read_files
from glutseg.dicom.files import FoundFile, start_of, walk
from glutseg.dicom.model import FileProblem, Index, Study
from glutseg.dicom.store import BATCH, IndexStore, is_refused, remove_index
from glutseg.dicom.stored import StoredStudies
from glutseg.dicom.study_of import study_of
from glutseg.dicom.summary import summary_of
from glutseg.errors import GlutsegError

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
OWN_FILES = b".glutseg"
"""How the names begin of what a run keeps in its folder while it works (`glutseg.output.layout.LOCK`)."""
MIN_FILES_PER_PROCESS = 1000
"""Fewer are read sooner than a process starts."""


def scan(
    input: Path,  # noqa: A002
    *,
    progress: Progress | None = None,
    index_file: Path | None = None,
    jobs: int = 1,
) -> Index:
    """Index every DICOM file below a folder, in a zip archive, or one file.

    Parameters
    ----------
    input : a folder of any depth, a file, or a zip archive; file names and extensions do not matter.
        A ``DICOMDIR`` stands for its folder.
    progress : called with (number of files read, total number)
    index_file : keeps the index; files that are in it and have not changed since are not read again
    jobs : number of processes that read headers; the index does not depend on it

    Returns
    -------
    Index
        The same for the same files, whatever their order on disk. Files that are not DICOM are
        counted, files that cannot be read are in ``problems``; ``studies`` may be empty. With
        ``index_file`` they are loaded one at a time, when they are asked for.

    Raises
    ------
    GlutsegError
        ``input-missing`` if the path does not exist; ``index-foreign``, ``index-unwritable``.
    """
    if not input.exists():
        raise GlutsegError("input-missing", "there is no such file or folder", str(input))
    try:
        return _scan(input, progress, index_file, jobs)
    except sqlite3.DatabaseError as error:
        if is_refused(error) or index_file is None:
            raise GlutsegError("index-unwritable", str(error), str(index_file or "")) from error
        log.warning("the index of headers is damaged and made anew: %s", error)
        remove_index(index_file)
        return _scan(input, progress, index_file, jobs)


def _scan(root: Path, progress: Progress | None, index_file: Path | None, jobs: int) -> Index:
    start = start_of(root)
    if index_file is not None:
        _make_folder(index_file.parent)
    with closing(IndexStore(index_file, start)) as store:
        problems: list[FileProblem] = []
        store.enter_files(file for file in walk(start, problems) if not _is_own(start, file, index_file))
        _read(store, progress, jobs)
        stale = store.stale_studies()
        n_files, n_other_files = store.count_sources()
        problems.extend(store.problems())
        if index_file is None:
            studies: Sequence[Study] = tuple(
                study_of(store.headers(study_id)) for study_id in store.ordered_studies()
            )
        else:
            _summarise(store, stale)
            studies = StoredStudies(index_file, start)
    return Index(
        root=root, studies=studies, problems=tuple(problems), n_files=n_files, n_other_files=n_other_files
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GlutsegError("index-unwritable", error.strerror or "unknown reason", str(folder)) from error


def _is_own(start: Path, file: FoundFile, index_file: Path | None) -> bool:
    """Whether this is a run's lock or index, or what belongs to it: the output may lie below the input."""
    if os.path.basename(file.name).startswith(OWN_FILES):  # noqa: PTH119 - a name in bytes
        return True
    if index_file is None:
        return False
    path = os.fsencode(start / os.fsdecode(file.name))
    return path in (os.fsencode(index_file), os.fsencode(f"{index_file}-journal"))


def _read(store: IndexStore, progress: Progress | None, jobs: int) -> None:
    n_files, n_unread = store.count_files()
    processes = min(jobs, n_unread // MIN_FILES_PER_PROCESS)
    contents = read_files(store.unread(), processes)
    for n_read, one in enumerate(contents, start=n_files - n_unread + 1):
        store.enter_contents(one)
        if n_read % BATCH == 0:
            store.commit()
        if progress:
            progress(n_read, n_files)
    store.commit()


def _summarise(store: IndexStore, study_ids: Sequence[int]) -> None:
    for n_done, study_id in enumerate(study_ids, start=1):
        summary = summary_of(study_of(store.headers(study_id)), store.sizes(study_id))
        store.enter_summary(study_id, summary)
        if n_done % BATCH == 0:
            store.commit()
    store.commit()
