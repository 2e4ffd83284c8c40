"""Groups of patients and raters against each other, from a run. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from glutseg.api.runs import Run
from glutseg.api.words import python_errors
from glutseg.errors import require_extra

if TYPE_CHECKING:
    from glutseg.agreement import Agreement
    from glutseg.study import Study


@python_errors
def compare_groups(
    run: Run | str | Path,
    participants: str | Path,
    group: str,
    *,
    groups: Sequence[str] = (),
    value: str = "area_mean_per_height_mm2_per_m",
    covariates: Sequence[str] = (),
    correlates: Sequence[str] = (),
    participants_columns: Mapping[str, str] | None = None,
    key_file: str | Path | None = None,
    accept_unmatched: bool = False,
) -> Study:
    """Compare two groups of a run's patients: ``glutseg study``.

    Parameters
    ----------
    run : a `Run`, or the output folder of one
    participants : CSV, TSV or XLSX, a row per patient
    group : its column that tells the two groups apart
    groups : which two, in the order in which they are subtracted; by default those there are, by name
    value : what is compared: a column of measurements.csv
    covariates : columns held equal in the linear model
    correlates : columns correlated with the value
    participants_columns : {"patient_id": name of the column} where it has a name of its own
    key_file : the key file of a run with pseudonyms, where the table has the patients' own ids
    accept_unmatched : go on where the ids of run and table do not fit (``participants-mismatch``)

    Returns
    -------
    glutseg.study.Study
        ``comparison.welch`` (difference, 95 % interval, p), ``comparison.effect.hedges_g``, ``correlations``,
        ``models``, ``sensitivity`` and more (docs/how-to/study.md). `glutseg.study.summary` puts it in words,
        `glutseg.study.draw` in figures, `glutseg.study.write_study` in files.

    Raises
    ------
    GlutsegError
        ``extra-missing``, ``input-missing``, ``participants-invalid``, ``participants-mismatch``,
        ``patient-repeated``, ``groups-invalid``, ``value-unknown``, ``value-constant``, ``study-too-small``,
        ``model-singular``, ``key-invalid``.
    """
    require_extra("study", "statsmodels", "pandas")
    from glutseg.output.pseudonym import pseudonymiser
    from glutseg.study import Question, study_run

    out = _out(run)
    question = Question(group, value, tuple(covariates), tuple(correlates), tuple(groups))
    pseudonyms = None if key_file is None else pseudonymiser(Path(key_file), out, is_known=True)
    return study_run(
        out,
        Path(participants),
        question,
        ids=participants_columns,
        pseudonyms=pseudonyms,
        accept_unmatched=accept_unmatched,
    )


@python_errors
def compare_raters(run: Run | str | Path, *references: str | Path) -> Agreement:
    """Compare a run with other raters, outline by outline and area by area: ``glutseg agree``.

    Parameters
    ----------
    run : a `Run`, or the output folder of one
    references : each another run's folder, ``reviewer:NAME``, a folder of masks, or a table of areas

    Returns
    -------
    glutseg.agreement.Agreement
        ``pairs`` (Dice, Hausdorff and surface distances in mm, areas in mm², per case and side) and
        ``comparisons`` (Bland-Altman limits, ICC, minimal detectable change); defined in
        docs/how-to/agree.md. `glutseg.agreement.in_words` puts it in words.

    Raises
    ------
    GlutsegError
        ``input-missing``, ``reference-invalid``, ``agree-one-rater``, ``agree-nothing-shared``.
    """
    from glutseg.agreement import compare, raters_of
    from glutseg.study.run_rows import read_run

    cases, raters = raters_of(read_run(_out(run)), [str(one) for one in references])
    return compare(raters, cases)


def _out(run: Run | str | Path) -> Path:
    return run.out if isinstance(run, Run) else Path(run)
