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
from glutseg.protocol import Protocol


def run_folder(
    input_path: Path,
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
    """Look through ``input_path``, measure every study, write everything below ``out``.

    Parameters
    ----------
    key : file of the key for pseudonyms; a new one is written where there is none
    scanning, measuring : called with how far it is
    measurer : whose outlines are measured

    Raises
    ------
    GlutsegError
        Those of `glutseg.dicom.scan`, `glutseg.output.pseudonym.pseudonymiser` and
        `glutseg.batch.run`; what forbids to write ``out`` is said before anything is read.
    """
    measurer.check()
    resume, keep = manner.resume, manner.keep_reviews
    check(out, overwrite=manner.overwrite, resume=resume, keep_reviews=keep)
    pseudonyms = None if key is None else pseudonymiser(key, out)
    # workers elsewhere do not know this folder
    index = dicom.scan(input_path.absolute() if manner.scheduler else input_path, progress=scanning)
    return run(
        index,
        protocol,
        participants,
        out,
        manner=manner,
        pseudonyms=pseudonyms,
        progress=measuring,
        measurer=measurer,
    )
