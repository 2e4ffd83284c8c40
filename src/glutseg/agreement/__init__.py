"""How far raters agree: runs, reviewers, masks drawn elsewhere, tables of areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from glutseg.agreement import write as _write
from glutseg.agreement.compare import compare
from glutseg.agreement.model import Agreement, Case, Rater
from glutseg.agreement.references import AUTOMATIC, raters_of
from glutseg.agreement.statistics import bland_altman, reliability
from glutseg.agreement.surfaces import Overlap, overlap
from glutseg.agreement.words import in_words
from glutseg.errors import require_extra
from glutseg.review import final_rows
from glutseg.study.run_rows import RunRows, read_run

AGREEMENT = "agreement"
"""The folder below a run's output."""

__all__ = [
    "AGREEMENT",
    "AUTOMATIC",
    "Agreement",
    "Case",
    "Overlap",
    "Rater",
    "agree",
    "bland_altman",
    "compare",
    "in_words",
    "overlap",
    "raters_of",
    "reliability",
    "rests_on",
]


def rests_on(run: RunRows, *, with_reviewers: bool) -> str:
    """Digest of what an agreement rests on: the run, and the decisions of reviewers where they are raters."""
    return (replace(run, rows=final_rows(run.out)) if with_reviewers else run).sha256


def agree(
    out: str | Path, references: Sequence[str], folder: str | Path | None = None, *, overwrite: bool = False
) -> Agreement:
    """Compare a run with one or more references, and write tables and figures.

    Parameters
    ----------
    out : the output folder of ``glutseg run``
    references : each another run's folder, ``reviewer:NAME``, a folder of masks, or a table of areas
    folder : to write; ``OUT/agreement`` by default
    overwrite : replace an earlier agreement in it

    Returns
    -------
    Agreement
        Every pair of raters case by case, and all cases together.

    Raises
    ------
    GlutsegError
        ``extra-missing``, ``input-missing``, ``reference-invalid``, ``agree-one-rater``,
        ``agree-nothing-shared``, ``output-exists``, ``output-foreign``, ``output-unwritable``. Nothing is
        then written.
    """
    require_extra("study", "matplotlib")
    out = Path(out)
    target = Path(folder) if folder is not None else out / AGREEMENT
    _write.check(target, overwrite=overwrite)
    run = read_run(out)
    cases, raters = raters_of(run, references)
    found = compare(raters, cases)
    with_reviewers = any(rater.saw_automatic for rater in raters)
    digest = rests_on(run, with_reviewers=with_reviewers)
    _write.write(target, found, {"sha256": digest, "with_reviewers": with_reviewers})
    return found
