"""The result of a run as one JSON object, for other programs (docs/reference/json.md)."""

from __future__ import annotations

from typing import Any

from glutseg.batch.run import RunSummary
from glutseg.output.case_files import to_json
from glutseg.output.schema import measurement_columns
from glutseg.protocol import ExtentRule
from glutseg.result import STATUSES


def summary_json(summary: RunSummary, extent: ExtentRule) -> dict[str, Any]:
    """Return JSON values; unknown figures are null.

    Parameters
    ----------
    extent : of the run's protocol; says which columns there are

    Returns
    -------
    dict
        ``cases`` holds a dict per study, whose keys are the columns of measurements.csv.
    """
    columns = measurement_columns(extent)
    unmatched = summary.unmatched
    content = {
        "out": str(summary.out),
        "n_studies": len(summary.rows),
        "counts": {status: summary.count(status) for status in STATUSES},
        "n_kept": summary.n_kept,
        "seconds": round(summary.seconds, 3),
        "exit_code": summary.exit_code,
        "lenient_exit_code": summary.lenient_exit_code,
        "files_not_read": [dict(zip(("path", "code", "message"), p, strict=True)) for p in summary.problems],
        "participants_without_images": unmatched.participants if unmatched else (),
        "patients_without_row": unmatched.patients if unmatched else (),
        "cases": [{column.name: column.value(row) for column in columns} for row in summary.rows],
    }
    return dict(to_json(content))
