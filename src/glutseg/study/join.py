"""Who is in the study: a run's patients and the participants table's, and who is not and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from glutseg.errors import GlutsegError
from glutseg.measurement.table_check import StudyId, id_problems, match, raise_mismatch
from glutseg.output.pseudonym import OURS, Pseudonymiser
from glutseg.output.schema import CaseRow
from glutseg.output.tables import sort_rows
from glutseg.result import EXCLUSION_REASONS, Status
from glutseg.review import revised
from glutseg.study.run_rows import RunRows
from glutseg.study.table import StudyTable, TableRow


@dataclass(frozen=True)
class Patient:
    """A measured patient and the row of the table that is theirs."""

    case: CaseRow
    row: TableRow


@dataclass(frozen=True)
class Join:
    """The patients of both, and who was left out.

    Attributes
    ----------
    patients : measured and in the table, in the order of measurements.csv
    only_table : keys of the table that no study of the run has
    only_run : patient ids (case ids where the table lists those) of measured studies without a row
    failed : case ids of studies with a row that could not be measured
    excluded : case ids of studies with a row that a reviewer excluded
    waiting : case ids of the run's plan that are not done
    exclusion_reasons : why, by case id of those that a reviewer excluded (`EXCLUSION_REASONS`)
    """

    patients: tuple[Patient, ...] = field(repr=False)
    only_table: tuple[str, ...] = ()
    only_run: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    exclusion_reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def exclusion_words(self) -> str:
        """How often reviewers gave each reason, as a sentence; empty where nobody was excluded."""
        counts = Counter(code for codes in self.exclusion_reasons.values() for code in codes.split())
        each = "; ".join(f"{EXCLUSION_REASONS.get(code, code)} ({n})" for code, n in counts.most_common())
        return f"Reasons to exclude: {each}." if each else ""


def join(run: RunRows, table: StudyTable) -> Join:
    """Match a run's studies with the table's rows by patient id, pseudonym or case id.

    Raises
    ------
    GlutsegError
        ``participants-invalid`` where nobody matches, ``patient-repeated`` where a patient has
        several measured studies: two values of one patient are not two patients.
    """
    found = [(case, table.of(case.result.patient_id, case.result.case_id)) for case in run.rows]
    pairs = [Patient(case, row) for case, row in found if row is not None]
    if not pairs:
        ids = sorted({_key_of(case, table) for case in run.rows})
        raise GlutsegError(
            "participants-invalid",
            f"no {table.named_by} of the {len(table.rows)} rows is one of the run's, such as {ids[0]!r}",
            str(table.path),
        )
    measured = tuple(p for p in pairs if p.case.result.is_measured)
    _refuse_repeated(measured, table)
    matched = {p.row.key for p in pairs}
    return Join(
        patients=measured,
        only_table=tuple(sorted(set(table.rows) - matched)),
        only_run=tuple(
            sorted({_key_of(c, table) for c, row in found if row is None and c.result.is_measured})
        ),
        failed=_with_status(pairs, "failed"),
        excluded=_with_status(pairs, "excluded"),
        waiting=run.waiting,
        exclusion_reasons={
            p.case.result.case_id: p.case.exclusion_reason for p in pairs if p.case.exclusion_reason
        },
    )


def check_ids(run: RunRows, table: StudyTable) -> None:
    """Stop where the ids of a table do not fit those of a run, as a run does.

    Raises
    ------
    GlutsegError
        ``participants-mismatch``.
    """
    studies = [StudyId(result.patient_id, result.case_id) for result in run.results]
    matching = match(table.rows, table.named_by, studies)
    row_of = {key: row.row for key, row in table.rows.items()}
    problems = [*id_problems(matching, table.named_by, table.id_column, row_of, studies, other="the run")]
    if problems and run.key_check and not matching.matched:
        problems.append("the run has pseudonyms: for a table of patient ids add --pseudonymise KEYFILE")
    raise_mismatch(problems, str(table.path))


def _with_status(pairs: Sequence[Patient], status: Status) -> tuple[str, ...]:
    results = (pair.case.result for pair in pairs)
    return tuple(sorted(result.case_id for result in results if result.status == status))


def as_decided(run: RunRows) -> RunRows:
    """The run as reviewers decided: corrected values, rejected studies excluded; what measurements.csv says.

    Raises
    ------
    GlutsegError
        ``review-invalid`` where it cannot be known whose decisions count.
    """
    return replace(run, rows=tuple(sort_rows(revised(run.out, run.rows))))


def as_found(run: RunRows, decided: RunRows) -> RunRows | None:
    """The run with the automatic values only; None where people changed none.

    A study that was rejected counts again, unless the patient has another one that was not.
    """
    if run.rows == decided.rows:
        return None
    kept = {row.result.case_id for row in decided.rows if row.result.is_measured}
    patients = {row.result.patient_id for row in decided.rows if row.result.case_id in kept}
    return replace(run, rows=tuple(row for row in run.rows if _counts_again(row, kept, patients)))


def _counts_again(row: CaseRow, kept: Collection[str], patients: Collection[str]) -> bool:
    return row.result.case_id in kept or row.result.patient_id not in patients


def pseudonymised(table: StudyTable, pseudonyms: Pseudonymiser, run: RunRows) -> StudyTable:
    """The table with the run's pseudonyms for its patient ids.

    Raises
    ------
    GlutsegError
        ``key-invalid`` where the run's pseudonyms were made with another key, or with none.
    """
    if run.key_check != pseudonyms.check:
        what = "with another key" if run.key_check else "without pseudonyms"
        raise GlutsegError("key-invalid", f"the run was made {what}", str(run.out))
    rows: dict[str, TableRow] = {}
    for key, row in table.rows.items():
        done = table.named_by != "patient_id" and OURS.fullmatch(key)
        word = key if done else pseudonyms.patient(key)
        rows[word] = replace(row, key=word)
    return replace(table, rows=rows)


def _key_of(case: CaseRow, table: StudyTable) -> str:
    return case.result.case_id if table.named_by == "case_id" else case.result.patient_id


def _refuse_repeated(patients: Sequence[Patient], table: StudyTable) -> None:
    first: dict[str, Patient] = {}
    for patient in patients:
        known = first.setdefault(patient.case.result.patient_id, patient)
        if known is not patient:
            ids = f"{known.case.result.case_id} and {patient.case.result.case_id}"
            lines = sorted({known.row.row, patient.row.row})
            where = " and ".join(str(n) for n in lines)
            message = f"row {where}, column {table.named_by!r}: the studies {ids} are of one patient"
            raise GlutsegError("patient-repeated", message, str(table.path))
