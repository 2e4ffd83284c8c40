"""What a run measured, as typed rows: read from its ledger, not from a table that may have been edited."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from glutseg.errors import GlutsegError
from glutseg.output.columns import Column
from glutseg.output.folder import case_ids, run_record
from glutseg.output.ledger import read_row
from glutseg.output.schema import CaseRow, measurement_columns
from glutseg.output.tables import sort_rows, to_csv
from glutseg.protocol import Protocol
from glutseg.result import CaseResult


@dataclass(frozen=True)
class RunRows:
    """A run that can be studied.

    Attributes
    ----------
    out : its folder
    protocol : what was measured and how
    version : of glutseg that measured
    rows : one per study that is done, in the order of measurements.csv
    waiting : case ids of the plan that have no record, or whose files are gone
    key_check : the same for runs with the same key for pseudonyms, empty without pseudonyms
    columns : of measurements.csv, by name
    record : run.json as it stands
    """

    out: Path
    protocol: Protocol
    version: str
    rows: tuple[CaseRow, ...]
    waiting: tuple[str, ...]
    key_check: str
    columns: dict[str, Column[CaseRow]] = field(repr=False)
    record: dict[str, Any] = field(repr=False)

    @property
    def results(self) -> tuple[CaseResult, ...]:
        """Of every row."""
        return tuple(row.result for row in self.rows)

    @property
    def sha256(self) -> str:
        """Digest of what measurements.csv says: tells whether a study is still that of this run."""
        return hashlib.sha256(to_csv(list(self.columns.values()), self.rows).encode()).hexdigest()

    def number_columns(self) -> tuple[str, ...]:
        """Names of the columns that hold numbers."""
        return tuple(name for name, column in self.columns.items() if column.kind is not str)

    def number(self, row: CaseRow, name: str) -> float | None:
        """A figure as measurements.csv has it, in the unit that its name says; None where unknown."""
        value = self.columns[name].value(row)
        return None if value is None else float(value)


def read_run(out: Path) -> RunRows:
    """Read a run's rows; nothing is changed.

    Parameters
    ----------
    out : the output folder of ``glutseg run``

    Raises
    ------
    GlutsegError
        ``input-missing`` where no run of glutseg is, or none of its studies is done;
        ``protocol-invalid`` where its record does not say what was measured.
    """
    record = run_record(out)
    try:
        protocol = Protocol.model_validate(record.get("protocol"))
    except ValidationError as error:
        raise GlutsegError("protocol-invalid", "run.json names no valid protocol", str(out)) from error
    rows = {name: read_row(out, name) for name in case_ids(record)}
    done = [row for row in rows.values() if row is not None]
    if not done:
        raise GlutsegError("input-missing", "no study of the run is done", str(out))
    return RunRows(
        out=out,
        protocol=protocol,
        version=str(record.get("glutseg_version", "")),
        rows=tuple(sort_rows(done)),
        waiting=tuple(sorted(name for name, row in rows.items() if row is None)),
        key_check=str(record.get("pseudonym_key_check", "")),
        columns={c.name: c for c in measurement_columns(protocol.extent)},
        record=record,
    )
