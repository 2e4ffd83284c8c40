"""The patients of a study with everything the statistics need, one row each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from glutseg.dicom.text import composed
from glutseg.errors import GlutsegError
from glutseg.output.text import plain
from glutseg.study.join import Join, Patient
from glutseg.study.table import MAX_LEVELS, StudyTable, is_of_words, numbers_of, words_of
from glutseg.study.values import DEFAULT_VALUE, Value

if TYPE_CHECKING:
    import pandas as pd

LEAST_PER_GROUP = 3
"""Below this neither a spread nor a test of normality means anything."""
MAX_NAMED = 8


@dataclass(frozen=True)
class Question:
    """What a study compares.

    Attributes
    ----------
    group : column of the participants table that tells the two groups apart
    value : see `glutseg.study.values.value_named`
    covariates : columns to adjust for: numbers, or words for categories
    correlates : columns of numbers to correlate the value with
    groups : the two groups, the second is subtracted from the first; empty takes both there are, by name
    """

    group: str
    value: str = DEFAULT_VALUE
    covariates: tuple[str, ...] = ()
    correlates: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """The patients who are compared.

    Attributes
    ----------
    frame : one row per patient: patient_id, case_id, status, group, value, left, right (NaN where
        unknown), and the columns of the table by their names
    value : the figure compared
    groups : first and second; differences are first − second
    numbers, categories : names of the covariates' columns by what they hold
    correlates : names of the columns to correlate with
    no_group : keys of patients without a group
    other_groups : group and number of patients that are not compared
    """

    frame: pd.DataFrame = field(repr=False)
    value: Value
    groups: tuple[str, str]
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    correlates: tuple[str, ...] = ()
    no_group: tuple[str, ...] = ()
    other_groups: tuple[tuple[str, int], ...] = ()
    patients: tuple[Patient, ...] = field(default=(), repr=False)


def make_sample(joined: Join, table: StudyTable, question: Question, value: Value) -> Sample:
    """The columns that a question names, put together.

    Raises
    ------
    GlutsegError
        ``participants-invalid`` for a column that is not there or a cell that cannot be used, with
        file, row and column; ``groups-invalid`` unless two groups come out of it.
    """
    import pandas as pd

    rows = [p.row for p in joined.patients]
    column = table.column(question.group)
    names = words_of(table, rows, column)
    groups = _two_groups(names, question, column, table.path)
    covariates = _columns(table, question.covariates, column)
    correlates = _columns(table, question.correlates, column)
    categories = tuple(c for c in covariates if is_of_words(table, rows, c))
    numbers = tuple(c for c in covariates if c not in categories)
    data: dict[str, Sequence[object]] = {
        "patient_id": [p.case.result.patient_id for p in joined.patients],
        "case_id": [p.case.result.case_id for p in joined.patients],
        "status": [p.case.result.status for p in joined.patients],
        "group": names,
        **{name: _figures(joined.patients, one) for name, one in _figures_of(value).items()},
    }
    held = {c: pd.Series(numbers_of(table, rows, c), dtype=float) for c in {*numbers, *correlates}}
    held |= {c: pd.Series(_categories(table, joined, c), dtype=object) for c in categories}
    _refuse_taken(table, held, data)
    frame = pd.DataFrame(data).assign(**held)
    counts = Counter(g for g in names if g and g not in groups)
    chosen = frame["group"].isin(groups)
    return Sample(
        frame=frame[chosen].reset_index(drop=True),
        value=value,
        groups=groups,
        numbers=numbers,
        categories=categories,
        correlates=correlates,
        no_group=tuple(sorted(row.key for row, g in zip(rows, names, strict=True) if not g)),
        other_groups=tuple(sorted(counts.items())),
        patients=tuple(p for p, there in zip(joined.patients, chosen, strict=True) if there),
    )


def enough(sample: Sample, where: str = "") -> None:
    """Refuse a sample that is too small or has no spread.

    Parameters
    ----------
    where : the table and its column, for messages

    Raises
    ------
    GlutsegError
        ``study-too-small`` with the numbers of patients; ``value-constant``.
    """
    known = sample.frame.dropna(subset=["value"])
    counts = {g: int((known["group"] == g).sum()) for g in sample.groups}
    if min(counts.values()) < LEAST_PER_GROUP:
        sizes = ", ".join(f"{n} in {g!r}" for g, n in counts.items())
        missing = int(sample.frame["value"].isna().sum())
        why = f"; {missing} patients have no {sample.value.name}" if missing else ""
        raise GlutsegError(
            "study-too-small", f"{sizes}; at least {LEAST_PER_GROUP} each are needed{why}", where
        )
    for group in sample.groups:
        values = known.loc[known["group"] == group, "value"]
        if float(values.max()) == float(values.min()):
            raise GlutsegError(
                "value-constant", f"{sample.value.name} is the same in all of {group!r}", where
            )


def _figures_of(value: Value) -> dict[str, Value | None]:
    return {"value": value, "left": value.on_side("left"), "right": value.on_side("right")}


def _figures(patients: Sequence[Patient], value: Value | None) -> list[float | None]:
    return [None if value is None else value.of(p.case) for p in patients]


def _columns(table: StudyTable, names: Sequence[str], group: str) -> tuple[str, ...]:
    columns = tuple(dict.fromkeys(table.column(name) for name in names))
    if group in columns:
        message = f"the column {group!r} is the group's and cannot be a covariate or correlate as well"
        raise GlutsegError("participants-invalid", message, str(table.path))
    return columns


def _refuse_taken(table: StudyTable, held: dict[str, pd.Series], data: dict[str, Sequence[object]]) -> None:
    """The frame's own names: a column of the table must not stand in for a measured one."""
    for name in held:
        if name in data:
            message = f"the column {name!r} has a name that the study uses itself; rename it"
            raise GlutsegError("participants-invalid", message, str(table.path))


def _categories(table: StudyTable, joined: Join, column: str) -> tuple[str | None, ...]:
    words = words_of(table, [p.row for p in joined.patients], column)
    n = len({w for w in words if w})
    if n > MAX_LEVELS:
        message = f"the column {column!r} holds {n} different words; a category has at most {MAX_LEVELS}"
        raise GlutsegError("participants-invalid", message, str(table.path))
    return words


def _two_groups(names: Sequence[str | None], question: Question, column: str, path: Path) -> tuple[str, str]:
    there = sorted({g for g in names if g})
    shown = ", ".join(repr(plain(g, 30)) for g in there[:MAX_NAMED]) or "nothing"
    where = f"{path}, column {column!r}"
    asked = [composed(g) for g in question.groups]
    if asked:
        lacking = [g for g in asked if g not in there]
        if len(set(asked)) != 2 or lacking:
            what = f"no measured patient is of {lacking[0]!r}" if lacking else "name two different groups"
            raise GlutsegError("groups-invalid", f"{what}; there are {shown}", where)
        return asked[0], asked[1]
    if len(there) != 2:
        many = "only one group" if len(there) == 1 else f"{len(there)} groups"
        raise GlutsegError("groups-invalid", f"{many} among the measured patients: {shown}", where)
    return there[0], there[1]
