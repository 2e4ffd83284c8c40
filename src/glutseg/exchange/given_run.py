"""The output folder of outlines that were given: the same tables, masks, pictures and records as of a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from glutseg.exchange.measure_mask import Measured
from glutseg.output.case_files import to_json, write_case
from glutseg.output.folder import check, prepare
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.output.schema import CaseRow, measurement_columns
from glutseg.output.tables import sort_rows, write_tables
from glutseg.protocol import ExtentRule, Protocol
from glutseg.result import CaseResult
from glutseg.volume import LABELS, Muscle


@dataclass(frozen=True)
class GivenRun:
    """What was measured on given outlines.

    Attributes
    ----------
    input : the images, as they were named
    measured : one per study that could be measured
    failed : results of the others, with their reasons
    participants, participants_sha256 : as in `glutseg.output.run_record.RunRecord`
    """

    input: Path
    measured: tuple[Measured, ...]
    failed: tuple[CaseResult, ...] = ()
    participants: str = ""
    participants_sha256: str = ""

    @property
    def results(self) -> tuple[CaseResult, ...]:
        """Of all studies."""
        return tuple(sorted((*(m.result for m in self.measured), *self.failed), key=lambda r: r.case_id))


def common_protocol(measured: Sequence[Measured]) -> Protocol:
    """The protocol of all: its muscles are those that any of the masks has."""
    first = measured[0].protocol
    present = {muscle for one in measured for muscle in one.protocol.extent.muscles}
    muscles: tuple[Muscle, ...] = tuple(muscle for muscle in LABELS if muscle in present)
    extent = ExtentRule(muscles=muscles, whole_muscle=first.extent.whole_muscle)
    return first.model_copy(update={"extent": extent})


def write_given(out: Path, run: GivenRun, *, overwrite: bool = False) -> list[CaseRow]:
    """Write the folder, as ``glutseg run`` would.

    Raises
    ------
    GlutsegError
        Those of `glutseg.output.folder.check`, and ``output-unwritable``. Nothing is written where nothing
        was measured.
    """
    check(out, overwrite=overwrite)
    protocol = common_protocol(run.measured)
    prepare(out, overwrite=overwrite)
    record = RunRecord(
        input=str(run.input),
        protocol=protocol,
        participants=run.participants,
        participants_sha256=run.participants_sha256,
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
    )
    states = [CaseState(result.case_id, result.status) for result in run.results]
    write_run_record(out, record, states, state="running")
    rows = [
        write_case(out, m.result, protocol, m.loaded.images.volume, m.mask, input_sha256=_digest(m))
        for m in run.measured
    ]
    rows += [write_case(out, result, protocol) for result in run.failed]
    write_tables(out, rows, protocol.extent)
    write_run_record(out, record, states, state="finished")
    return sort_rows(rows)


def _digest(measured: Measured) -> str:
    """Of the outline: no automatic measurement of the same images can be taken for this one."""
    return hashlib.sha256(b"given mask" + measured.mask.labels.tobytes()).hexdigest()


def results_json(rows: Sequence[CaseRow]) -> str:
    """The rows as ASCII JSON, unknown figures null: keys are the columns of measurements.csv."""
    present = {"maximus", *(muscle for row in rows for muscle in row.result.others)}
    muscles: tuple[Muscle, ...] = tuple(muscle for muscle in LABELS if muscle in present)
    columns = measurement_columns(ExtentRule(muscles=muscles))
    cells = [{column.name: column.value(row) for column in columns} for row in rows]
    return json.dumps(to_json({"cases": cells}), indent=1, allow_nan=False)
