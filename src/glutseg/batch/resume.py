"""Resume an earlier run: check that it is the same run, and find its finished cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glutseg.batch.plan import Plan, RunContext
from glutseg.errors import GlutsegError
from glutseg.output.folder import check_format, read_run_record
from glutseg.output.ledger import is_whole, read_case
from glutseg.output.run_record import CaseState, ways

MAX_NAMED = 5
"""Missing studies that a message lists by name."""


def check_same_run(plan: Plan, context: RunContext) -> None:
    """Check that an earlier run in the output folder was made in the same way.

    Raises
    ------
    GlutsegError
        ``resume-differs`` if protocol, outliner, versions or key differ from those of the earlier run, or
        if some of its studies are not in the input any more. New studies are allowed.
        ``run-other-version``.
    """
    record = read_run_record(context.out)
    if record is None:
        return
    check_format(record, context.out)
    key_check = context.pseudonyms.check if context.pseudonyms else ""
    now = ways(context.protocol, key_check, context.measurer.record())
    changes = [line for key, value in now.items() for line in _changes(key, record.get(key), value)]
    if changes:
        raise GlutsegError("resume-differs", "; ".join(changes), str(context.out))
    missing = sorted(_planned(record) - {case.case_id for case in plan.cases})
    if missing:
        more = ", ..." if len(missing) > MAX_NAMED else ""
        message = f"{len(missing)} studies of the earlier run are not in the input: "
        raise GlutsegError(
            "resume-differs", message + ", ".join(missing[:MAX_NAMED]) + more, str(context.out)
        )


def finished_cases(plan: Plan, out: Path, *, retry_failed: bool) -> dict[str, CaseState]:
    """Return the cases that need not be measured again, by case id, with their measuring times.

    Left out are studies whose files or height have changed since, those whose mask or picture is not as it
    was written, and with ``retry_failed`` those that failed.
    """
    record = read_run_record(out) or {}
    seconds = {c.get("case_id"): c.get("seconds", {}) for c in record.get("cases", []) if isinstance(c, dict)}
    found = {}
    for case in plan.cases:
        entry = read_case(out, case.case_id)
        if entry is None or entry.input_sha256 != case.input_sha256 or not is_whole(out, entry):
            continue
        status = entry.row.result.status
        if not (retry_failed and status == "failed"):
            found[case.case_id] = CaseState(case.case_id, status, seconds.get(case.case_id, {}))
    return found


def _planned(record: dict[str, Any]) -> set[str]:
    return {str(c.get("case_id")) for c in record.get("cases", []) if isinstance(c, dict)}


def _changes(name: str, then: Any, now: Any) -> list[str]:
    """Describe every difference, down to the single key."""
    if isinstance(then, dict) and isinstance(now, dict):
        keys = sorted({*then, *now})
        return [line for key in keys for line in _changes(f"{name} {key}", then.get(key), now.get(key))]
    if then == now:
        return []
    if name == "pseudonym_key_check":
        return ["the key for pseudonyms differs, or one of the two runs has none"]
    return [f"{name} was {then!r} and is {now!r}"]
