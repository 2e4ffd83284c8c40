"""One study on its way through the rooms, from its headers to a result."""

from glutseg.pipeline.case import Case, failed
from glutseg.pipeline.levels import locate
from glutseg.pipeline.series import doubts, measure_level, status_of, with_figures
from glutseg.pipeline.study import given_up, measure_study

__all__ = [
    "Case",
    "doubts",
    "failed",
    "given_up",
    "locate",
    "measure_level",
    "measure_study",
    "status_of",
    "with_figures",
]
