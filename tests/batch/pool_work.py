"""Task function for test_pool.py; the patient's id says which crash is simulated."""

import multiprocessing
import os
import signal
import time

from glutseg.batch.worker import write_failed_case
from glutseg.errors import GlutsegError


def act(task, context):
    patient = task.study.patient_id
    if patient == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif patient == "killed-once":
        marker = context.out / "was-killed"
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    elif patient == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif patient == "exits":
        os._exit(3)
    elif patient == "hangs":
        time.sleep(600)
    elif patient == "has-children":
        child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
        child.start()
        (context.out / "child").write_text(str(child.pid))
        time.sleep(600)
    elif patient == "disk-full":
        raise GlutsegError("output-unwritable", "No space left on device")
    elif patient.startswith("threads"):
        threads = os.environ["OMP_NUM_THREADS"]
        return write_failed_case(task, context, GlutsegError("no-ct", f"{threads} thread, {os.getpid()}"))
    return write_failed_case(task, context, GlutsegError("no-ct", "as asked"))
