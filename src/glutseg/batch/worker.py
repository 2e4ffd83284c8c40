"""Run one task: measure a study and write its case."""

from __future__ import annotations

import time
from dataclasses import replace

from glutseg import dicom
from glutseg.batch.plan import RunContext, Task
from glutseg.case import Case, failed
from glutseg.case.memory import with_needs
from glutseg.errors import GlutsegError
from glutseg.output.case_files import write_case
from glutseg.output.folder import clear_case
from glutseg.result import CaseResult


def run_task(task: Task, context: RunContext) -> CaseResult:
    """Measure and write one case; its images are released when this returns.

    Raises
    ------
    GlutsegError
        ``output-unwritable``, which would stop the next case as well. Any other error becomes a failed
        case.
    """
    clear_case(context.out, task.case_id)
    study, case = _measured(task, context)
    result = _with_case_id(case.result, study, task, context)
    start = time.perf_counter()
    try:
        _write(result, task, context, case)
    except GlutsegError:
        raise
    except Exception as error:  # noqa: BLE001 - an overlay that cannot be drawn fails this case only
        result = failed(result, with_needs(study, error))
        _write(result, task, context)
    return replace(result, seconds={**result.seconds, "writing": time.perf_counter() - start})


def write_failed_case(task: Task, context: RunContext, error: GlutsegError) -> CaseResult:
    """Write a failed case for a task that could not be run.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    clear_case(context.out, task.case_id)
    if task.remote_study is not None:
        from glutseg.pacs.fetch import remove_fetched

        remove_fetched(context.out, task.case_id)  # its process was stopped before it could
    from glutseg.case import failed_result

    result = _with_case_id(failed_result(task.study, task.participants, error), task.study, task, context)
    _write(result, task, context)
    return result


def _measured(task: Task, context: RunContext) -> tuple[dicom.Study, Case]:
    """Return the study and its case; an error of the server becomes a failed case."""
    measure = context.measurer.measure
    if task.remote_study is None:
        return task.study, measure(task.study, context.protocol, task.participants)
    from glutseg.pacs.fetch import fetched_study, with_uids_in_messages

    try:
        with fetched_study(task.remote_study, context.out, task.case_id) as images:
            study = context.pseudonyms.study(images.study) if context.pseudonyms else images.study
            case = measure(study, context.protocol, task.participants, images.fetch)
        return study, replace(case, result=with_uids_in_messages(case.result, study))
    except GlutsegError as error:
        if error.scope == "run":
            raise
        from glutseg.case import failed_result

        return task.study, Case(failed_result(task.study, task.participants, error))


def _with_case_id(result: CaseResult, study: dicom.Study, task: Task, context: RunContext) -> CaseResult:
    result = replace(result, case_id=task.case_id)
    return context.pseudonyms.reworded(result, study) if context.pseudonyms else result


def _write(
    result: CaseResult,
    task: Task,
    context: RunContext,
    shown: Case | None = None,
) -> None:
    """Write a case; without images where ``shown`` has none."""
    image, mask = (shown.image, shown.mask) if shown else (None, None)
    others = shown.other_outlines if shown else {}
    write_case(context.out, result, context.protocol, image, mask, task.input_sha256, other_outlines=others)
