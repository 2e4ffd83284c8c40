"""The ledger: one entry per case, which is its case.json; every table is collated from these."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from glutseg.errors import GlutsegError
from glutseg.output.decode import from_json
from glutseg.output.json_file import read_json
from glutseg.output.layout import CASE_JSON, case_file
from glutseg.output.schema import CaseRow
from glutseg.output.tables import SortKey
from glutseg.result import CaseResult

RECORD_DAMAGED = "record-damaged"
"""Error code of a case whose record cannot be used."""


@dataclass(frozen=True)
class Entry:
    """A case that is done: its row, and the digest of what it was measured on."""

    row: CaseRow
    input_sha256: str


def read_case(out: Path, case_id: str) -> Entry | None:
    """The entry of a case, or None where it is not (wholly) there.

    A record that cannot be read, is another case's, or names files that are gone counts as none: the
    study is then measured again.
    """
    try:
        record = read_json(out / case_file(case_id, CASE_JSON))
        entry = _entry(record)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    files = [name for name in (entry.row.mask, entry.row.overlay) if name]
    if entry.row.result.case_id != case_id or not all((out / name).is_file() for name in files):
        return None
    return entry


def read_row(out: Path, case_id: str) -> CaseRow | None:
    """The row of a case; failed, with ``record-damaged``, where there is a record that cannot be used.

    None where there is no record: the case is not done. So a damaged case keeps its place in every table.
    """
    entry = read_case(out, case_id)
    if entry is not None:
        return entry.row
    if not (out / case_file(case_id, CASE_JSON)).exists():
        return None
    patient_id, study_date, study_uid = case_key(out, case_id) or ("", "", "")
    where = case_file(case_id, CASE_JSON)
    error = GlutsegError(RECORD_DAMAGED, "the record, or a file that it names, cannot be read", where)
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
    return Entry(CaseRow(from_json(CaseResult, complete), protocol, *texts[:2]), texts[2])
