"""A whole run, from a folder of images (or a server) to a folder of results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from glutseg import dicom
from glutseg.batch.measurer import AUTOMATIC, Measurer
from glutseg.batch.plan import RunContext
from glutseg.batch.pool import Started
from glutseg.batch.process import Worker
from glutseg.batch.run import Progress, RunOptions, RunSummary, measure_index, run_context
from glutseg.batch.worker import run_task
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants
from glutseg.output.folder import check, read_run_record
from glutseg.output.lock import only_run
from glutseg.output.pseudonym import pseudonymiser
from glutseg.pacs import PacsQuery
from glutseg.protocol import Protocol

MEASURING = ("glutseg.case.study", "glutseg.segmentation.gluteus", "glutseg.output.overlay", "onnxruntime")
"""Modules that bring the libraries with which a study is measured."""


def run_folder(
    source: Path | PacsQuery,
    out: Path,
    protocol: Protocol,
    participants: Participants | None = None,
    *,
    options: RunOptions,
    key_file: Path | None = None,
    scan_progress: Callable[[int, int], None] | None = None,
    progress: Progress | None = None,
    on_start: Started | None = None,
    measurer: Measurer = AUTOMATIC,
) -> RunSummary:
    """Scan ``source``, measure every study, write everything below ``out``.

    Parameters
    ----------
    source : a folder, zip or file, or a server with the query to send to it
    key_file : file with the key for pseudonyms; a new one is written if it does not exist
    scan_progress, progress, on_start : told how far it is; the last two as in `glutseg.batch.run`
    measurer : makes the outlines, or reads given ones

    Raises
    ------
    GlutsegError
        Those of `glutseg.dicom.scan` or `glutseg.pacs.search.find`, of
        `glutseg.output.pseudonym.pseudonymiser` and `glutseg.batch.run`. Whether ``out`` may be written is
        checked before anything is read; from then on no other run may write there.

    Notes
    -----
    The index of headers stays in ``out``, so that resuming reads only files that are new or have changed. It
    names patients: a run with pseudonyms has a temporary one.
    """
    measurer.check()
    check(out, overwrite=options.overwrite, resume=options.resume, keep_reviews=options.keep_reviews)
    with only_run(out):
        pseudonyms = None if key_file is None else pseudonymiser(key_file, out)
        measure = partial(
            measure_index,
            protocol=protocol,
            participants=participants,
            out=out,
            options=options,
            pseudonyms=pseudonyms,
            progress=progress,
            on_start=on_start,
            measurer=measurer,
        )
        if isinstance(source, PacsQuery):
            from glutseg.pacs.search import find

            remote = find(source.server, source.query, scan_progress)
            return measure(remote.index, remote=remote)
        if options.scheduler:  # workers on other machines have another current folder
            source = source.absolute()
        context = run_context(out, protocol, options, pseudonyms, measurer)
        with _early_worker(context, options) as workers, _index_file(out, is_kept=pseudonyms is None) as file:
            index = dicom.scan(source, progress=scan_progress, index_file=file, jobs=options.jobs)
            return measure(index, workers=workers)


@contextmanager
def _early_worker(context: RunContext, options: RunOptions) -> Iterator[list[Worker]]:
    """The first worker, loading its libraries while images are looked for; none where none may be needed."""
    if options.scheduler or options.resume or not options.jobs:
        yield []
        return
    worker = Worker(context, run_task, preload=MEASURING)
    try:
        yield [worker]
    finally:
        worker.stop()


@contextmanager
def _index_file(out: Path, *, is_kept: bool) -> Iterator[Path]:
    """Where the index of headers is: in the folder of the run, or nowhere for long if nobody may be named."""
    file = out / dicom.INDEX_FILE
    if is_kept:
        try:
            yield file
        except GlutsegError as error:
            if not error.code.startswith("index-") and read_run_record(out) is None:  # the run never began
                dicom.remove_index(file)
            raise
        return
    dicom.remove_index(file)  # an earlier run may have named the patients
    with dicom.temporary_index() as temporary:
        yield temporary
