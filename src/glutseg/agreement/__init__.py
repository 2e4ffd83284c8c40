"""How far raters agree: runs, reviewers, masks drawn elsewhere, tables of areas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glutseg.agreement import write as _write
from glutseg.agreement.compare import compare
from glutseg.agreement.model import Agreement, Case, Rater
from glutseg.agreement.references import AUTOMATIC, raters_of
from glutseg.agreement.statistics import bland_altman, reliability
from glutseg.agreement.surfaces import Overlap, overlap
from glutseg.agreement.words import in_words

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
    "reliability",
]


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
        ``input-missing``, ``reference-invalid``, ``agree-one-rater``, ``agree-nothing-shared``,
        ``output-exists``, ``output-foreign``, ``output-unwritable``. Nothing is then written.
    """
    out = Path(out)
    target = Path(folder) if folder is not None else out / AGREEMENT
    _write.check(target, overwrite=overwrite)
    cases, raters = raters_of(out, references)
    found = compare(raters, cases)
    _write.write(target, found)
    return found
