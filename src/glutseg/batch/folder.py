"""A whole run, from a folder of images to a folder of results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from glutseg import dicom
from glutseg.batch.measurer import AUTOMATIC, Measurer
from glutseg.batch.run import Manner, Progress, RunSummary, run
from glutseg.measurement import Participants
from glutseg.output.folder import check
from glutseg.output.pseudonym import pseudonymiser
from glutseg.pacs import Question
from glutseg.protocol import Protocol


def run_folder(
    source: Path | Question,
    out: Path,
    protocol: Protocol,
    participants: Participants | None = None,
    *,
    manner: Manner,
    key: Path | None = None,
    scanning: Callable[[int, int], None] | None = None,
    measuring: Progress | None = None,
    measurer: Measurer = AUTOMATIC,
) -> RunSummary:
    """Look through ``source``, measure every study, write everything below ``out``.

    Parameters
    ----------
    source : a folder, zip or file, or what to ask a server for
    key : file of the key for pseudonyms; a new one is written where there is none
    scanning, measuring : called with how far it is
    measurer : whose outlines are measured

    Raises
    ------
    GlutsegError
        Those of `glutseg.dicom.scan` or `glutseg.pacs.search.find`, of
        `glutseg.output.pseudonym.pseudonymiser` and
        `glutseg.batch.run`; what forbids to write ``out`` is said before anything is read.
    """
    measurer.check()
    resume, keep = manner.resume, manner.keep_reviews
    check(out, overwrite=manner.overwrite, resume=resume, keep_reviews=keep)
    pseudonyms = None if key is None else pseudonymiser(key, out)
    remote = None
    if isinstance(source, Question):
        from glutseg.pacs.search import find

        remote = find(source.server, source.query, scanning)
        index = remote.index
    else:  # workers elsewhere do not know this folder
        index = dicom.scan(source.absolute() if manner.scheduler else source, progress=scanning)
    return run(
        index,
        protocol,
        participants,
        out,
        manner=manner,
        pseudonyms=pseudonyms,
        progress=measuring,
        measurer=measurer,
        remote=remote,
    )
