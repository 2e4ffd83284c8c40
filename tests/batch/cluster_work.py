"""Task functions for test_cluster.py: a quick stand-in for a measurement, and simulated crashes."""

import os
import time
from dataclasses import fields, replace

from pool_work import act

from glutseg.case import failed_result
from glutseg.output.case_files import write_case
from glutseg.output.folder import clear_case
from glutseg.result import MuscleResult, SliceMeasurement


def measured(task, context):
    """Write a result whose areas are computed from the patient's id."""
    clear_case(context.out, task.case_id)
    time.sleep(0.1)
    area = sum(task.study.patient_id.encode()) + 1 / 3
    side = SliceMeasurement(*(area / (n + 1) for n in range(len(fields(SliceMeasurement)))))
    empty = failed_result(task.study, task.participants, ValueError())
    result = replace(empty, case_id=task.case_id, status="ok", error_code="", error_message="", traceback="")
    result = replace(
        result, muscles=(MuscleResult("maximus", "left", side), MuscleResult("maximus", "right", side))
    )
    write_case(context.out, result, context.protocol, None, None, task.input_sha256)
    return result


def write_pid_and_act(task, context):
    """Write the process ids to a file, so that a test can check whether the process is alive."""
    (context.out / f"pid-{task.study.patient_id}").write_text(f"{os.getpid()} {os.getppid()}")
    return act(task, context)
