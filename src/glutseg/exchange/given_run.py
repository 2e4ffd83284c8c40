"""The output folder of an outline that was given: the same tables, mask, picture and records as of a run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from glutseg.exchange.measure_mask import GIVEN, Measured
from glutseg.measurement import Participants
from glutseg.output.case_files import to_json, write_case
from glutseg.output.folder import check, prepare
from glutseg.output.lock import only_run
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.output.schema import CaseRow, measurement_columns
from glutseg.output.tables import write_tables


@dataclass(frozen=True)
class GivenRun:
    """One case that was measured on a given outline; ``input`` are its images, as they were named."""

    input: Path
    measured: Measured
    participants: Participants | None = None

    @property
    def row(self) -> CaseRow:
        """Of measurements.csv, before anything is written."""
        return CaseRow(self.measured.result, self.measured.protocol.name)


def write_given(out: Path, run: GivenRun, *, overwrite: bool = False) -> CaseRow:
    """Write the folder, as ``glutseg run`` would.

    Raises
    ------
    GlutsegError
        Those of `glutseg.output.folder.check`, ``run-in-use`` and ``output-unwritable``.
    """
    check(out, overwrite=overwrite)
    with only_run(out):
        return _written(out, run, overwrite=overwrite)


def _written(out: Path, run: GivenRun, *, overwrite: bool) -> CaseRow:
    measured, table = run.measured, run.participants
    result, protocol = measured.result, measured.protocol
    prepare(out, overwrite=overwrite)
    record = RunRecord(
        input=str(run.input),
        protocol=protocol,
        participants=table.source if table else "",
        participants_sha256=table.sha256 if table else "",
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
        outliner={"name": GIVEN},
    )
    states = [CaseState(result.case_id, result.status)]
    write_run_record(out, record, states, state="running")
    image = measured.loaded.image
    row = write_case(out, result, protocol, image, measured.mask, input_sha256=_digest(measured))
    write_tables(out, [row], protocol.extent)
    write_run_record(out, record, states, state="finished")
    return row


def _digest(measured: Measured) -> str:
    """Of the outline: no automatic measurement of the same images can be taken for this one."""
    return hashlib.sha256(b"given mask" + measured.mask.labels.tobytes()).hexdigest()


def result_json(row: CaseRow, measured: Measured) -> str:
    """The row as ASCII JSON, unknown figures null: keys are the columns of measurements.csv."""
    cells = {column.name: column.value(row) for column in measurement_columns(measured.protocol.extent)}
    return json.dumps(to_json({"cases": [cells]}), indent=1, allow_nan=False)
