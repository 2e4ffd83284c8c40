"""Whether a participants table fits the studies that are to be measured, and what is wrong where not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.measurement.height import MAX_HEIGHT_M, MIN_HEIGHT_M
from glutseg.measurement.participants import UNIT_WORDS, Participant, Participants, cleaned_key
from glutseg.measurement.table_columns import HEIGHT, HEIGHTS_IN_M, id_columns, mapping_option

MAX_NAMED = 3
"""Ids or heights that a sentence lists; it counts all."""
MIN_SHARE = 0.5
"""Of the smaller of table and images: with fewer matches the two are not of the same patients. The larger one
does not count: a table of a whole cohort and a table of some patients are both usual."""
ZEROS = "leading zeros differ"
MIN_WORD = 5
"""Letters of a word in an id in which one wrong letter is taken for a slip: shorter ones are often codes."""


@dataclass(frozen=True)
class StudyId:
    """By what a table may name a study.

    Attributes
    ----------
    patient_id : as in the images
    case_id : name of the case's folder
    written : pseudonym that is written for the patient id; the id itself where there is none
    """

    patient_id: str
    case_id: str
    written: str = ""

    def names(self, named_by: str) -> tuple[str, ...]:
        """What the table's keys are compared with."""
        names = (self.case_id,) if named_by == "case_id" else (self.patient_id, self.written)
        return tuple(dict.fromkeys(filter(None, map(cleaned_key, names))))


@dataclass(frozen=True)
class NearId:
    """A row and a study that are probably the same patient's, whose ids differ."""

    key: str
    study: StudyId
    why: str


@dataclass(frozen=True)
class Matching:
    """Rows and patients brought together.

    Attributes
    ----------
    matched : keys of rows that name a study
    only_table : keys that name none
    only_images : one study of each patient (of each case, where the table lists those) without a row
    near : of these two, who probably belongs together
    n_patients : patients (or cases) of the images
    """

    matched: frozenset[str]
    only_table: tuple[str, ...]
    only_images: tuple[StudyId, ...]
    near: tuple[NearId, ...]
    n_patients: int

    @property
    def is_too_small(self) -> bool:
        """Whether fewer match than two tables of the same patients would have in common."""
        smaller = min(self.n_patients, len(self.matched) + len(self.only_table))
        return len(self.matched) < MIN_SHARE * smaller


def match(keys: Iterable[str], named_by: str, studies: Iterable[StudyId]) -> Matching:
    """Compare the ids of a table with those of the studies.

    Parameters
    ----------
    keys : cleaned, as in `Participants.rows`
    named_by : what they are: ``patient_id``, ``pseudonym`` or ``case_id``
    """
    known = set(keys)
    matched: set[str] = set()
    patients: set[str] = set()
    without: dict[str, StudyId] = {}
    for study in studies:
        names = study.names(named_by)
        patients.add(names[0] if names else "")
        found = known.intersection(names)
        matched |= found
        if not found:
            without.setdefault(names[0] if names else "", study)
    rest = tuple(sorted(known - matched))
    near = tuple(_near(rest, without))
    return Matching(frozenset(matched), rest, tuple(without.values()), near, len(patients))


def _near(keys: Sequence[str], studies: Mapping[str, StudyId]) -> Iterator[NearId]:
    """For each key the study whose id differs from it least, where one differs in writing only."""
    by_form: dict[tuple[str, str], StudyId] = {}
    for name, study in studies.items():
        for why, form in _forms(name):
            by_form.setdefault((why, form), study)
    for key in keys:
        found = next((pair for pair in _forms(key) if pair in by_form), None)
        if found:
            yield NearId(key, by_form[found], found[0])


def _forms(name: str) -> Iterator[tuple[str, str]]:
    """An id without what is lost or mistaken when it is copied, the least first, each with its name."""
    text = unicodedata.normalize("NFKC", name).casefold()
    yield "capitals differ", text
    yield "a decimal point was added", re.sub(r"(?<=\d)[.,]0+$", "", text)
    letters = "".join(c for c in text if c.isalnum())
    if not letters:
        return
    yield "blanks, dashes or other marks differ", letters
    parts = re.findall(r"\d+|[^\W\d_]+", text)
    yield ZEROS, "-".join(p.lstrip("0") or "0" if p.isdecimal() else p for p in parts)
    yield "a letter stands for a digit", letters.translate(str.maketrans("oil", "011"))
    for i, part in enumerate(parts):
        if part.isalpha() and len(part) >= MIN_WORD:
            for at in range(len(part)):
                shorter = part[:at] + part[at + 1 :]
                yield "one letter differs", "-".join((*parts[:i], shorter, *parts[i + 1 :]))
            yield "one letter differs", "-".join(parts)


def check_participants(table: Participants, studies: Sequence[StudyId], *, show_ids: bool = True) -> None:
    """Stop before anything is measured where the table does not fit the studies.

    Rows without a study and studies without a row are usual and no reason; a run says them at its end. Ids
    that differ in writing only, next to no matches, and heights that nobody has are.

    Parameters
    ----------
    show_ids : quote ids; otherwise rows are named by their number and patients by their pseudonym

    Raises
    ------
    GlutsegError
        ``participants-mismatch``, with everything that is wrong, a line each.
    """
    matching = match(table.rows, table.named_by, studies)
    row_of = {key: row.row for key, row in table.rows.items()}
    found = [*id_problems(matching, table.named_by, table.id_column, row_of, studies, show_ids=show_ids)]
    concerned = matching.matched | {near.key for near in matching.near}
    judged = [row for key, row in table.rows.items() if key in concerned or not matching.matched]
    found += _height_problems(table, judged)
    raise_mismatch(found, table.source)


def raise_mismatch(problems: Sequence[str], where: str) -> None:
    """Raise ``participants-mismatch`` where there is a problem."""
    if problems:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise GlutsegError("participants-mismatch", f"the table cannot be used as it is:{lines}\n", where)


def id_problems(
    matching: Matching,
    named_by: str,
    column: str,
    row_of: Mapping[str, int],
    studies: Sequence[StudyId],
    *,
    show_ids: bool = True,
    other: str = "the images",
) -> Iterator[str]:
    """Sentences about ids that cannot be right; ``other`` says where the studies are."""
    row = _row_words(row_of, show_ids=show_ids)
    patient = _patient_words(named_by, show_ids=show_ids)
    near = [f"{row(n.key)} and {patient(n.study)} ({n.why})" for n in matching.near]
    if near:
        hint = ""
        if any(n.why == ZEROS for n in matching.near):
            hint = "; in a spreadsheet give the column the number format 00000, with as many zeros as digits"
        counted = "an id is" if len(near) == 1 else f"{len(near)} ids are"
        yield f"{counted} written differently in the table and in {other}: {_listed(near)}{hint}"
    if matching.is_too_small and (matching.matched or not near):
        n_rows, n_matched = len(row_of), len(matching.matched)
        counted = f"only {n_matched} of the {n_rows} ids" if n_matched else f"none of the {n_rows} ids"
        counted = "the only id" if n_rows == 1 else counted
        verb = "does not match" if n_rows == 1 else "match" if n_matched else "matches"
        table_ids = _listed([row(key) for key in matching.only_table])
        image_ids = _listed([patient(study) for study in matching.only_images])
        yield (
            f"{counted} in the column {clean_text(column)!r} {verb} one of the {matching.n_patients} "
            f"in {other}; in the table: {table_ids}; in {other}: {image_ids}"
            f"{_other_name(matching, named_by, column, studies)}"
        )


def _other_name(matching: Matching, named_by: str, column: str, studies: Sequence[StudyId]) -> str:
    """A hint where the column holds something else than was taken."""
    keys = set(matching.only_table)
    for name in ("case_id", "patient_id"):
        if name != named_by and any(keys.intersection(study.names(name)) for study in studies):
            return f"; the column holds {name.replace('_', ' ')}s: add {mapping_option({name: column})}"
    if named_by != "case_id" and not any(study.patient_id for study in studies):
        how = "name the studies by case_id, as `glutseg scan --json` lists them"
        return f"; the images hold no patient ids: {how}"
    return ""


def _row_words(row_of: Mapping[str, int], *, show_ids: bool) -> Callable[[str], str]:
    return lambda key: f"row {row_of[key]}" + (f" {key!r}" if show_ids else "")


def _patient_words(named_by: str, *, show_ids: bool) -> Callable[[StudyId], str]:
    def words(study: StudyId) -> str:
        if not show_ids:
            return study.written or study.case_id
        names = study.names(named_by)
        return repr(names[0]) if names else "(no id)"

    return words


def _height_problems(table: Participants, rows: Sequence[Participant]) -> Iterator[str]:
    """A sentence about heights outside the range that is used, with the unit that would fit."""
    known = [row for row in rows if row.height_m is not None]
    wrong = [row for row in known if not MIN_HEIGHT_M <= (row.height_m or 0.0) <= MAX_HEIGHT_M]
    if not wrong:
        return
    factor = HEIGHTS_IN_M.get(table.unit, 1.0)
    values = [(row, (row.height_m or 0.0) / factor) for row in wrong]
    listed = _listed([f"row {row.row}: {value:g}" for row, value in values])
    unit = UNIT_WORDS.get(table.unit, "m")
    n = len(known)
    yield (
        f"{len(wrong)} of {n} {_plural(n, 'height')} in the column {clean_text(table.height_column)!r} "
        f"(read as {unit}) {'is' if len(wrong) == 1 else 'are'} outside {MIN_HEIGHT_M:g} to {MAX_HEIGHT_M:g} "
        f"m: {listed}{_unit_hint(table, [value for _, value in values], is_all=len(wrong) == n)}"
    )


def _unit_hint(table: Participants, values: Sequence[float], *, is_all: bool) -> str:
    fitting = [
        name
        for name, factor in HEIGHTS_IN_M.items()
        if name != table.unit and all(MIN_HEIGHT_M <= value * factor <= MAX_HEIGHT_M for value in values)
    ]
    if not fitting or table.unit == HEIGHT:
        return "; correct them, or empty the cells"
    words = f"; are they {' or '.join(UNIT_WORDS[name] for name in fitting)}?"
    if not is_all:
        return f"{words} A column has one unit: correct these cells"
    known = id_columns([table.id_column], {})
    mapping = ({} if known else {table.named_by: table.id_column}) | {fitting[0]: table.height_column}
    return f"{words} If so, name the column {fitting[0]} or add {mapping_option(mapping)}"


def _listed(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - MAX_NAMED} more" if len(parts) > MAX_NAMED else ""
    return ", ".join(parts[:MAX_NAMED]) + more


def _plural(n: int, one: str, many: str = "") -> str:
    return one if n == 1 else many or f"{one}s"
