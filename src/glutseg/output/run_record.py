"""run.json: what was run, on what, with which versions, when, and how long it took."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from glutseg.measurement import Unmatched
from glutseg.output.atomic import write_text
from glutseg.output.case_files import to_json
from glutseg.output.folder import PROGRAM
from glutseg.output.layout import RUN_JSON
from glutseg.output.schema import CaseRow
from glutseg.protocol import Protocol

LIBRARIES = ("numpy", "scipy", "scikit-image", "SimpleITK", "pydicom", "pandas", "pyarrow", "matplotlib")
"""Those whose version may change a figure or a file."""


@dataclass(frozen=True)
class RunRecord:
    """What is known of a run besides its rows.

    Attributes
    ----------
    input : as it was given
    participants_sha256 : of the participants table, empty without one
    started : ISO 8601 with its time zone
    problems : (path, code, message) of files left out
    unmatched : whom only the participants table or only the images know; None without a table
    key_check : the same for runs with the same key for pseudonyms, empty without pseudonyms
    """

    input: str
    protocol: Protocol
    participants: str
    participants_sha256: str
    started: str
    problems: tuple[tuple[str, str, str], ...] = ()
    unmatched: Unmatched | None = None
    key_check: str = ""


def write_run_record(
    out: Path, record: RunRecord, rows: Sequence[CaseRow] = (), *, state: str, seconds: float = 0.0
) -> None:
    """Write run.json; ``state`` is "running" or "finished"."""
    lacking = record.unmatched or Unmatched()
    content: dict[str, Any] = {
        "program": PROGRAM,
        "glutseg_version": version("glutseg"),
        "state": state,
        "started": record.started,
        "seconds": round(seconds, 3),
        "input": record.input,
        "protocol": record.protocol.model_dump(mode="json"),
        "participants": record.participants,
        "participants_sha256": record.participants_sha256,
        "participants_without_images": list(lacking.participants),
        "patients_without_participant": list(lacking.patients),
        "pseudonym_key_check": record.key_check,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "studies": len(rows),
        "by_status": dict(sorted(Counter(row.result.status for row in rows).items())),
        "problems": [{"path": p, "code": c, "message": m} for p, c, m in record.problems],
        "cases": [
            {
                "case_id": row.result.case_id,
                "status": row.result.status,
                "seconds": {stage: round(s, 3) for stage, s in row.result.seconds.items()},
            }
            for row in rows
        ],
    }
    write_text(out / RUN_JSON, json.dumps(to_json(content), indent=1, ensure_ascii=False) + "\n")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
