"""One study on its way through the rooms, from its headers to a result."""

from glutseg.pipeline.case import Case, failed
from glutseg.pipeline.levels import locate
from glutseg.pipeline.series import doubts, measure_level, status_of, with_figures
from glutseg.pipeline.study import empty_result, given_up, measure_study, series_record

__all__ = [
    "Case",
    "doubts",
    "empty_result",
    "failed",
    "given_up",
    "locate",
    "measure_level",
    "measure_study",
    "series_record",
    "status_of",
    "with_figures",
]
