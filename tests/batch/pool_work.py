"""What the workers of test_pool.py do with a task; the patient's id says what happens."""

import multiprocessing
import os
import signal
import time

from glutseg.batch.worker import give_up
from glutseg.errors import GlutsegError


def act(task, orders):
    patient = task.study.patient_id
    if patient == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif patient == "killed-once":
        mark = orders.out / "was-killed"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    elif patient == "exits":
        os._exit(3)
    elif patient == "hangs":
        time.sleep(600)
    elif patient == "has-children":
        child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
        child.start()
        (orders.out / "child").write_text(str(child.pid))
        time.sleep(600)
    elif patient == "disk-full":
        raise GlutsegError("output-unwritable", "No space left on device")
    elif patient.startswith("threads"):
        threads = os.environ["OMP_NUM_THREADS"]
        return give_up(task, orders, GlutsegError("no-ct", f"{threads} thread, {os.getpid()}"))
    return give_up(task, orders, GlutsegError("no-ct", "as asked"))
