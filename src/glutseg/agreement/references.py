"""What ``--reference`` may be, and the raters that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from glutseg.agreement.masks import masks_rater
from glutseg.agreement.model import Case, Rater
from glutseg.agreement.reviewers import reviewer_rater
from glutseg.agreement.runs import cases_of, run_rater
from glutseg.agreement.tables import table_rater
from glutseg.errors import GlutsegError
from glutseg.output.folder import read_run_record
from glutseg.output.text import plain
from glutseg.study.run_rows import RunRows, read_run

AUTOMATIC = "automatic"
"""The run itself, as it measured."""
REVIEWER = "reviewer:"
MAX_NAME = 40


def raters_of(run: RunRows, references: Sequence[str]) -> tuple[list[Case], list[Rater]]:
    """The cases of a run; the run itself, then every reference, as raters of different names.

    Raises
    ------
    GlutsegError
        ``input-missing``, ``reference-invalid``, ``agree-one-rater``.
    """
    cases = cases_of(run)
    if not references:
        raise GlutsegError("agree-one-rater", "no reference was named", str(run.out))
    raters = [run_rater(AUTOMATIC, run, cases)]
    for text in references:
        rater = _rater(text, run, cases)
        taken = {one.name for one in raters}
        name, number = rater.name, 2
        while name in taken:
            name, number = f"{rater.name} ({number})", number + 1
        raters.append(replace(rater, name=name))
    return cases, raters


def _rater(text: str, run: RunRows, cases: Sequence[Case]) -> Rater:
    if text.startswith(REVIEWER):
        return reviewer_rater(plain(text.removeprefix(REVIEWER)), run, cases)
    path = Path(text)
    name = plain(path.resolve().name, MAX_NAME) or "reference"
    if not path.exists():
        raise GlutsegError("reference-invalid", "it does not exist", text)
    if path.is_file():
        return table_rater(name, path, cases)
    if path.resolve() == run.out.resolve():
        raise GlutsegError("agree-one-rater", "the reference is the run itself", text)
    if read_run_record(path) is not None:
        return run_rater(name, read_run(path), cases)
    return masks_rater(name, path, cases)
