from .levels import locate
from .model import Case, Stopwatch, failed
from .route import NOBODY, measure_case, measure_outlines, outline_level, status_of
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
    "outline_level",
    "series_record",
    "status_of",
]
