"""One study on its way through the rooms, from its headers to a result."""

from glutseg.case.case import Case, Stopwatch, failed
from glutseg.case.levels import locate
from glutseg.case.outliners import GLUTSEG, OUTLINERS, Outliner, named_outliner
from glutseg.case.series import doubts, is_of_others, measure_level, status_of, with_figures
from glutseg.case.study import catch_errors, empty_result, failed_result, measure_study, series_record

__all__ = [
    "GLUTSEG",
    "OUTLINERS",
    "Case",
    "Outliner",
    "Stopwatch",
    "catch_errors",
    "doubts",
    "empty_result",
    "failed",
    "failed_result",
    "is_of_others",
    "locate",
    "measure_level",
    "measure_study",
    "named_outliner",
    "series_record",
    "status_of",
    "with_figures",
]
