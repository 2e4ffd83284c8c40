"""The one route: from the pixels of an image, or the headers of a study, to a case."""

from glutseg.case.levels import locate
from glutseg.case.model import Case, Stopwatch, failed
from glutseg.case.route import NOBODY, measure_case, measure_outlines, status_of
from glutseg.case.study import catch_errors, empty_result, failed_result, measure_study, series_record

__all__ = [
    "NOBODY",
    "Case",
    "Stopwatch",
    "catch_errors",
    "empty_result",
    "failed",
    "failed_result",
    "locate",
    "measure_case",
    "measure_outlines",
    "measure_study",
    "series_record",
    "status_of",
]
