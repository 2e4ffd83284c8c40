"""run.json: what was run, on what, with which versions, when, and how long it took."""

from __future__ import annotations

import json
import os
import platform
import textwrap
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from glutseg.measurement import Unmatched
from glutseg.output.atomic import replacing
from glutseg.output.case_files import to_json
from glutseg.output.folder import PROGRAM, RECORD_FORMAT
from glutseg.output.layout import RUN_JSON
from glutseg.protocol import Protocol
from glutseg.version import __version__, installed_version

LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-image",
    "SimpleITK",
    "pydicom",
    "pillow",
    "onnxruntime",
)
"""Those whose version may change a figure or a file; an empty version stands for one that is not there."""


OWN = {"name": PROGRAM}
"""Of outlines that glutseg made."""


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
    outliner : who outlined, with the versions of its libraries
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
    outliner: Mapping[str, str] = field(default_factory=lambda: dict(OWN))


@dataclass(frozen=True, slots=True)
class CaseState:
    """How far a case of the plan is: ``waiting`` or its result's status, and the seconds of its stages."""

    case_id: str
    status: str = "waiting"
    seconds: Mapping[str, float] = field(default_factory=dict)


def write_run_record(
    out: Path, record: RunRecord, cases: Collection[CaseState], *, state: str, seconds: float = 0.0
) -> None:
    """Write run.json; ``state`` is "running", "stopped" or "finished", ``cases`` the whole plan."""
    lacking = record.unmatched or Unmatched()
    content: dict[str, Any] = {
        "program": PROGRAM,
        "record_format": RECORD_FORMAT,
        **ways(record.protocol, record.key_check, record.outliner),
        "state": state,
        "started": record.started,
        "seconds": round(seconds, 3),
        "input": record.input,
        "input_from_run": "" if record.key_check else _from_run(record.input, out),
        "participants": record.participants,
        "participants_sha256": record.participants_sha256,
        "participants_without_images": list(lacking.participants),
        "patients_without_participant": list(lacking.patients),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "studies": len(cases),
        "by_status": dict(sorted(Counter(case.status for case in cases).items())),
        "problems": [{"path": p, "code": c, "message": m} for p, c, m in record.problems],
        "cases": [],
    }
    head = _json(content).removesuffix("[]\n}")
    with replacing(out / RUN_JSON) as file:
        for text in chain([head], _case_lines(cases), ["\n}\n"]):
            file.write(text.encode("utf-8", "replace"))


def _from_run(given: str, out: Path) -> str:
    """The way from the run's folder to an input that was named from the folder of the moment; else ""."""
    if Path(given).is_absolute() or not Path(given).exists():
        return ""
    try:
        return Path(os.path.relpath(os.path.realpath(given), os.path.realpath(out))).as_posix()
    except ValueError:  # another drive of Windows
        return ""


def _case_lines(cases: Collection[CaseState]) -> Iterator[str]:
    """The list of the cases as JSON, one at a time: a large run has many."""
    yield "["
    for n, case in enumerate(cases):
        seconds = {stage: round(s, 3) for stage, s in case.seconds.items()}
        one = {"case_id": case.case_id, "status": case.status, "seconds": seconds}
        yield f"{',' if n else ''}\n" + textwrap.indent(_json(one), "  ")
    yield "\n ]" if cases else "]"


def _json(content: dict[str, Any]) -> str:
    return json.dumps(to_json(content), indent=1, ensure_ascii=False)


def ways(protocol: Protocol, key_check: str, outliner: Mapping[str, str]) -> dict[str, Any]:
    """What every number of a run has in common: runs that differ in it must not be mixed."""
    return {
        **versions(),
        "protocol": to_json(protocol.model_dump(mode="json")),
        "outliner": dict(outliner),
        "pseudonym_key_check": key_check,
    }


def versions() -> dict[str, Any]:
    """Of glutseg, and of the libraries whose version may change a figure or a file."""
    return {
        "glutseg_version": __version__,
        "libraries": {name: installed_version(name) for name in LIBRARIES},
    }
