"""One task carried out: measure a study, write its case. Knows nothing of other studies."""

from __future__ import annotations

import time
from dataclasses import replace

from glutseg import dicom
from glutseg.batch.plan import Orders, Task
from glutseg.case import Case, failed, failed_result
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Mask
from glutseg.output.case_files import write_case
from glutseg.output.folder import clear_case
from glutseg.result import CaseResult


def carry_out(task: Task, orders: Orders) -> CaseResult:
    """Measure and write one case; its images are let go of when this returns.

    Raises
    ------
    GlutsegError
        ``output-unwritable``: the next case would meet the same. Whatever else goes wrong is the
        case's own failure.
    """
    clear_case(orders.out, task.case_id)
    study, case = _measured(task, orders)
    result = _named(case.result, study, task, orders)
    start = time.perf_counter()
    try:
        _write(result, task, orders, case.image, case.mask)
    except GlutsegError:
        raise
    except Exception as error:  # noqa: BLE001 - a picture that cannot be drawn harms this case only
        result = failed(result, error)
        _write(result, task, orders)
    return replace(result, seconds={**result.seconds, "writing": time.perf_counter() - start})


def give_up(task: Task, orders: Orders, error: GlutsegError) -> CaseResult:
    """Write a case that nobody could carry out, with the reason.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    clear_case(orders.out, task.case_id)
    if task.origin is not None:
        from glutseg.pacs.fetch import discard

        discard(orders.out, task.case_id)  # its process had no time to
    result = _named(failed_result(task.study, task.participants, error), task.study, task, orders)
    _write(result, task, orders)
    return result


def _measured(task: Task, orders: Orders) -> tuple[dicom.Study, Case]:
    """The study as its headers tell it, and its case; what a server does wrong is the case's failure."""
    measure = orders.measurer.measure
    if task.origin is None:
        return task.study, measure(task.study, orders.protocol, task.participants)
    from glutseg.pacs.fetch import fetched, named_by_uid

    try:
        with fetched(task.origin, orders.out, task.case_id) as here:
            study = orders.pseudonyms.study(here.study) if orders.pseudonyms else here.study
            case = measure(study, orders.protocol, task.participants, here.fetch)
        return study, replace(case, result=named_by_uid(case.result, study))
    except GlutsegError as error:
        if error.scope == "run":
            raise
        return task.study, Case(failed_result(task.study, task.participants, error))


def _named(result: CaseResult, study: dicom.Study, task: Task, orders: Orders) -> CaseResult:
    result = replace(result, case_id=task.case_id)
    return orders.pseudonyms.reworded(result, study) if orders.pseudonyms else result


def _write(
    result: CaseResult, task: Task, orders: Orders, volume: CtImage | None = None, mask: Mask | None = None
) -> None:
    write_case(orders.out, result, orders.protocol, volume, mask, task.input_sha256)
