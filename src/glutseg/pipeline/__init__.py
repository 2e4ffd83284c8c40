"""One study on its way through the rooms, from its headers to a result."""

from glutseg.pipeline.case import Case, Stopwatch, failed
from glutseg.pipeline.levels import locate
from glutseg.pipeline.segmenters import GLUTSEG, SEGMENTERS, Segmenter, segmenter
from glutseg.pipeline.series import doubts, is_of_others, measure_level, status_of, with_figures
from glutseg.pipeline.study import empty_result, given_up, measure_study, series_record, unharmed

__all__ = [
    "GLUTSEG",
    "SEGMENTERS",
    "Case",
    "Segmenter",
    "Stopwatch",
    "doubts",
    "empty_result",
    "failed",
    "given_up",
    "is_of_others",
    "locate",
    "measure_level",
    "measure_study",
    "segmenter",
    "series_record",
    "status_of",
    "unharmed",
    "with_figures",
]
