"""What the workers of test_cluster.py do with a task: something light that leaves numbers, or a misdeed."""

import os
import time
from dataclasses import fields, replace

from pool_work import act

from glutseg.case import failed_result
from glutseg.output.case_files import write_case
from glutseg.output.folder import clear_case
from glutseg.result import SideMeasurement


def measured(task, orders):
    """A result with areas made of the patient's id, written as a true one is."""
    clear_case(orders.out, task.case_id)
    time.sleep(0.1)
    area = sum(task.study.patient_id.encode()) + 1 / 3
    side = SideMeasurement(*(area / (k + 1) for k in range(len(fields(SideMeasurement)))))
    empty = failed_result(task.study, task.participants, ValueError())
    result = replace(empty, case_id=task.case_id, status="ok", error_code="", error_message="", traceback="")
    result = replace(result, measurements={"left": side, "right": side})
    write_case(orders.out, result, orders.protocol, None, None, task.input_sha256)
    return result


def mark_and_act(task, orders):
    """Leave the process's number, so that a test can look whether it lives."""
    (orders.out / f"pid-{task.study.patient_id}").write_text(f"{os.getpid()} {os.getppid()}")
    return act(task, orders)
