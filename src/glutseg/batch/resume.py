"""Going on with an earlier run: whether it is the same one, and what of it is done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glutseg.batch.plan import Orders, Task
from glutseg.errors import GlutsegError
from glutseg.output.folder import check_format, read_run_record
from glutseg.output.ledger import read_case
from glutseg.output.run_record import CaseState, ways

MAX_NAMED = 5


def check_same_run(plan: Sequence[Task], orders: Orders) -> None:
    """Refuse to mix two kinds of numbers in one table.

    Raises
    ------
    GlutsegError
        ``resume-differs`` when protocol, outliner, versions or key are others than those of the run in
        ``out``, or studies of it are not in the input any more. New studies are welcome.
        ``run-other-version``.
    """
    record = read_run_record(orders.out)
    if record is None:
        return
    check_format(record, orders.out)
    key_check = orders.pseudonyms.check if orders.pseudonyms else ""
    now = ways(orders.protocol, key_check, orders.measurer.record())
    changes = [line for key, value in now.items() for line in _changes(key, record.get(key), value)]
    if changes:
        raise GlutsegError("resume-differs", "; ".join(changes), str(orders.out))
    gone = sorted(_planned(record) - {task.case_id for task in plan})
    if gone:
        more = ", ..." if len(gone) > MAX_NAMED else ""
        message = f"{len(gone)} studies of the earlier run are not in the input: "
        raise GlutsegError("resume-differs", message + ", ".join(gone[:MAX_NAMED]) + more, str(orders.out))


def done(plan: Sequence[Task], out: Path, *, retry_failed: bool) -> dict[str, CaseState]:
    """The cases that need not be measured again, with what the earlier run knew of their times.

    A study whose files or height have changed since is not done, nor, with ``retry_failed``, one that
    failed.
    """
    record = read_run_record(out) or {}
    seconds = {c.get("case_id"): c.get("seconds", {}) for c in record.get("cases", []) if isinstance(c, dict)}
    found = {}
    for task in plan:
        entry = read_case(out, task.case_id)
        if entry is None or entry.input_sha256 != task.input_sha256:
            continue
        status = entry.row.result.status
        if not (retry_failed and status == "failed"):
            found[task.case_id] = CaseState(task.case_id, status, seconds.get(task.case_id, {}))
    return found


def _planned(record: dict[str, Any]) -> set[str]:
    return {str(c.get("case_id")) for c in record.get("cases", []) if isinstance(c, dict)}


def _changes(name: str, then: Any, now: Any) -> list[str]:
    """What differs, in words, down to the single key."""
    if isinstance(then, dict) and isinstance(now, dict):
        keys = sorted({*then, *now})
        return [line for key in keys for line in _changes(f"{name} {key}", then.get(key), now.get(key))]
    if then == now:
        return []
    if name == "pseudonym_key_check":
        return ["the key for pseudonyms is another, or one of the two runs has none"]
    return [f"{name} was {then!r} and is {now!r}"]
