"""The ledger: one entry per case, which is its case.json; every table is collated from these."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from glutseg.errors import GlutsegError
from glutseg.output.checksum import FileSum, is_unchanged
from glutseg.output.decode import from_json
from glutseg.output.json_file import read_json
from glutseg.output.layout import CASE_JSON, MASK, case_file
from glutseg.output.schema import CaseRow
from glutseg.output.tables import SortKey
from glutseg.result import CaseResult

UNUSABLE = {
    "record-damaged": "the record, or a file that it names, cannot be read or is not whole",
    "record-changed": "the record was changed after glutseg had written it",
}
"""Error codes of a case whose record cannot be used, and why."""


@dataclass(frozen=True)
class Entry:
    """A case that is done: its row, the digest of what it was measured on, the files beside the record."""

    row: CaseRow
    input_sha256: str
    files: dict[str, FileSum]


def read_case(out: Path, case_id: str) -> Entry | None:
    """The entry of a case, or None where it is not (wholly) there.

    A record that cannot be read, was changed, is another case's, or names files that are gone or not whole
    counts as none: the study is then measured again.
    """
    found = _find(out, case_id)
    return None if isinstance(found, GlutsegError) else found


def is_whole(out: Path, entry: Entry) -> bool:
    """Whether every file of a case has the content with which it was written; all of them are read."""
    case_id = entry.row.result.case_id
    return all(known.is_of(out / case_file(case_id, name)) for name, known in entry.files.items())


def read_row(out: Path, case_id: str) -> CaseRow | None:
    """The row of a case; failed, with a code of `UNUSABLE`, where there is a record that cannot be used.

    None where there is no record: the case is not done. So a damaged case keeps its place in every table.
    """
    error = _find(out, case_id)
    if isinstance(error, Entry):
        return error.row
    where = case_file(case_id, CASE_JSON)
    if not (out / where).exists():
        return None
    patient_id, study_date, study_uid = case_key(out, case_id) or ("", "", "")
    result = CaseResult(
        case_id,
        patient_id,
        study_uid,
        study_date,
        "failed",
        error_code=error.code,
        error_message=f"{error.message}: {where}",
    )
    return CaseRow(result, protocol="")


def case_key(out: Path, case_id: str) -> SortKey | None:
    """By what a case is sorted in the tables (`sort_key`), or None where its record cannot be read.

    The rest of the record is not looked at.
    """
    try:
        record = read_json(out / case_file(case_id, CASE_JSON))
        return str(record["patient_id"]), str(record["study_date"]), str(record["study_uid"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _find(out: Path, case_id: str) -> Entry | GlutsegError:
    where = case_file(case_id, CASE_JSON)
    code = "record-damaged"
    try:
        record = read_json(out / where)
        entry = _entry(record)
        if not is_unchanged(record):
            code = "record-changed"
        elif entry.row.result.case_id == case_id and _has_files(out, entry):
            return entry
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass
    return GlutsegError(code, UNUSABLE[code], where)


def _has_files(out: Path, entry: Entry) -> bool:
    """Whether the files that the row names are there, and the mask, from which others measure, is whole."""
    row = entry.row
    mask = entry.files.get(MASK)
    return all((out / name).is_file() for name in (row.mask, row.overlay) if name) and (
        mask is None or mask.has_size_of(out / case_file(row.result.case_id, MASK))
    )


def _entry(record: dict[str, Any]) -> Entry:
    error = record["error"] or {"code": "", "message": "", "traceback": []}
    values = {
        **record,
        "error_code": error["code"],
        "error_message": error["message"],
        "traceback": "\n".join(error["traceback"]),
        "rejected_series": [[one["series_uid"], one["reason"]] for one in record["rejected_series"]],
        "seconds": {},
    }
    complete = {f.name: values[f.name] for f in fields(CaseResult)}  # one that is not there is no default
    texts = [from_json(str, record[name]) for name in ("mask", "overlay", "input_sha256")]
    protocol = from_json(str, record["protocol"]["name"])
    files: dict[str, FileSum] = from_json(dict[str, FileSum], record["files"])
    return Entry(CaseRow(from_json(CaseResult, complete), protocol, *texts[:2]), texts[2], files)
