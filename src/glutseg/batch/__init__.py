"""Many studies: one task per study, worker processes, tables made from the case records."""

from glutseg.batch.folder import run_folder
from glutseg.batch.measurer import Automatic, Measurer
from glutseg.batch.plan import RunContext, Task, make_plan
from glutseg.batch.run import RunOptions, RunSummary, collate, run
from glutseg.batch.worker import run_task

__all__ = [
    "Automatic",
    "Measurer",
    "RunContext",
    "RunOptions",
    "RunSummary",
    "Task",
    "collate",
    "make_plan",
    "run",
    "run_folder",
    "run_task",
]
