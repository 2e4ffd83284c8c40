"""Progress of a run, read from its folder while it runs or after it stopped."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from glutseg import review
from glutseg.output.folder import case_ids, run_record
from glutseg.output.layout import CASE_JSON, case_file
from glutseg.output.lock import is_at_work
from glutseg.result import STATUSES


@dataclass(frozen=True)
class RunStatus:
    """A run's progress.

    Attributes
    ----------
    state : "running" (for two minutes also after the run was killed), "stopped" or "finished"
    counts : number of studies by status, as reviewers decided, and of those ``waiting``
    seconds_per_study : time since this run began per study, over all workers; None before two are done
    seconds_since_last : time since the last case was written
    failures : (case id, code, message)
    exclusions : (case id, code of the reason, reason in words) of the cases that reviewers excluded
    decisions : by reviewer, the number of decisions in force (accepted, corrected, rejected) or stale
    """

    state: str
    started: str
    n_studies: int
    n_done: int
    counts: dict[str, int]
    seconds_per_study: float | None
    seconds_since_last: float | None
    failures: tuple[tuple[str, str, str], ...]
    exclusions: tuple[tuple[str, str, str], ...] = ()
    decisions: dict[str, dict[str, int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def read_status(out: Path) -> RunStatus:
    """Read the progress of a run from its folder.

    Raises
    ------
    GlutsegError
        ``input-missing`` where no run of glutseg is; ``run-other-version``; ``review-invalid`` where it is
        unknown whose decisions count.
    """
    record = run_record(out)
    names = case_ids(record)
    counts: Counter[str] = Counter()
    done_at: list[float] = []
    failures, exclusions = [], []
    for row, _, _ in review.Collator(out).final_rows(names):
        result = row.result
        counts[result.status] += 1
        done_at.append(_written_at(out, result.case_id))
        if result.status == "failed":
            failures.append((result.case_id, result.error_code, result.error_message))
        elif result.status == "excluded":
            exclusions.append((result.case_id, row.exclusion_reason, result.error_message))
    counts["waiting"] = len(names) - len(done_at)
    done_at.sort()
    was_killed = record.get("state") == "running" and not is_at_work(out)
    return RunStatus(
        state="stopped" if was_killed else str(record.get("state")),
        started=str(record.get("started")),
        n_studies=len(names),
        n_done=len(done_at),
        counts={name: counts[name] for name in (*STATUSES, "waiting")},
        seconds_per_study=_pace_s(done_at, str(record.get("started"))),
        seconds_since_last=max(0.0, time.time() - done_at[-1]) if done_at else None,
        failures=tuple(failures),
        exclusions=tuple(exclusions),
        decisions={name: dict(sorted(n.items())) for name, n in review.decision_counts(out).items()},
    )


def _written_at(out: Path, name: str) -> float:
    try:
        return (out / case_file(name, CASE_JSON)).stat().st_mtime
    except OSError:  # it is being measured again now
        return 0.0


def _pace_s(done_at: Sequence[float], started: str) -> float | None:
    """Seconds per study since this run began, without cases kept from an earlier run."""
    try:
        start = datetime.fromisoformat(started).timestamp()
    except ValueError:
        return None
    recent = [moment for moment in done_at if moment >= start]
    return (recent[-1] - start) / len(recent) if len(recent) > 1 else None
