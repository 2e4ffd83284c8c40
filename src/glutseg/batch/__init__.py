"""Many studies: a plan of tasks, workers that carry them out, tables collated from the ledger."""

from glutseg.batch.folder import run_folder
from glutseg.batch.measurer import Automatic, Measurer
from glutseg.batch.plan import Orders, Task, make_plan
from glutseg.batch.run import Manner, RunSummary, collate, run
from glutseg.batch.worker import carry_out

__all__ = [
    "Automatic",
    "Manner",
    "Measurer",
    "Orders",
    "RunSummary",
    "Task",
    "carry_out",
    "collate",
    "make_plan",
    "run",
    "run_folder",
]
