from .levels import locate
from .model import Case, Stopwatch, failed
from .route import NOBODY, measure_case, measure_outlines, status_of
from .study import catch_errors, empty_result, failed_result, measure_study, series_record

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
