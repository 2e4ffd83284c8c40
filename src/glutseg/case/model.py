"""What the route gives: a result with its images, or a result that says why there is none."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from glutseg.case.shown import case_html, case_line
from glutseg.errors import Flag, GlutsegError
from glutseg.image import CtImage, Mask, Muscle, Side
from glutseg.result import CaseResult, Status

log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Case:
    """A result with the image it rests on and the outlines; None where it did not come so far.

    ``other_outlines`` are, by muscle and side, those that differ most from the measured ones: (row, column)
    on the measured slice, for the picture.
    """

    result: CaseResult
    image: CtImage | None = None
    mask: Mask | None = None
    other_outlines: Mapping[tuple[Muscle, Side], npt.NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """``ok``, ``review`` or ``failed``."""
        return self.result.status

    @property
    def flags(self) -> tuple[Flag, ...]:
        """All quality flags."""
        return self.result.all_flags

    def __repr__(self) -> str:
        return f"Case({case_line(self.result)})"

    def _repr_html_(self) -> str:
        return case_html(self.result)


@dataclass
class Stopwatch:
    """Seconds per stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


class NoUsableSeriesError(GlutsegError):
    """No series of the study would do; keeps the reason for each."""

    def __init__(self, code: str, message: str, rejected_series: tuple[tuple[str, str], ...]) -> None:
        super().__init__(code, message)
        self.rejected_series = rejected_series


def failed(result: CaseResult, error: Exception) -> CaseResult:
    """``result`` without its numbers and with the reason; unforeseen errors keep their traceback."""
    bare = replace(
        result,
        status="failed",
        measurement_flags=(),
        muscles=(),
        profile=(),
        levels=(),
        levels_missing=(),
    )
    if isinstance(error, NoUsableSeriesError):
        bare = replace(bare, rejected_series=error.rejected_series)
    if isinstance(error, GlutsegError):
        message = error.message + (f" [{error.where}]" if error.where else "")
        return replace(bare, error_code=error.code, error_message=message)
    log.error("unforeseen %s in case %s", type(error).__name__, result.case_id)
    return replace(
        bare,
        error_code="internal-error",
        error_message=f"unforeseen {type(error).__name__}",
        traceback="".join(traceback.format_tb(error.__traceback__)),
    )
