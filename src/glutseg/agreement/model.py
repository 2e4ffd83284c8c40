"""Readings of cases by raters, and the comparisons of raters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from glutseg.agreement.statistics import BlandAltman, Reliability
from glutseg.agreement.surfaces import Overlap
from glutseg.errors import Flag
from glutseg.image import Mask, Side

Quantity = Literal["left", "right", "mean"]
QUANTITIES: tuple[Quantity, ...] = ("left", "right", "mean")
MAX_NAMED = 10
"""Cases that one note names."""


@dataclass(frozen=True)
class Outline:
    """A rater's mask of a case.

    Attributes
    ----------
    slice_index : of the measured slice; None where only the mask is known
    is_whole : outlined from end to end; else only around the level
    """

    mask: Mask
    slice_index: int | None
    is_whole: bool


@dataclass(frozen=True)
class Reading:
    """One rater's reading of one case.

    Attributes
    ----------
    area_mm2 : per side, and ``mean``, as far as known
    z_mm : height of the rater's slice; None where it is unknown
    outline : reads the mask; None where there is none
    error_bound_mm2 : per side how far the area may be off, with 90 % certainty; only where a program says so
    """

    area_mm2: Mapping[Quantity, float]
    z_mm: float | None = None
    outline: Callable[[], Outline | None] | None = None
    error_bound_mm2: Mapping[Side, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A case of the run that is compared, with every name it may have elsewhere.

    ``z_mm`` is the height of its measured slice, None where none was measured.
    """

    case_id: str
    patient_id: str
    study_uid: str
    z_mm: float | None = None


@dataclass(frozen=True)
class Rater:
    """One source of readings.

    Attributes
    ----------
    name : as the user named it, for tables and figures
    readings : by case id of the run that is compared
    saw_automatic : the rater worked on the automatic outline, so that agreement with it is no surprise
    notes : about the source as a whole
    """

    name: str
    readings: Mapping[str, Reading]
    saw_automatic: bool = False
    notes: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two raters on one side of one case.

    Attributes
    ----------
    area_first_mm2, area_second_mm2 : as each rater reports them, None where unknown
    bound_mm2 : what the difference stays within in 90 % of cases, if the raters' expected errors are right
        (root of the sum of their squares; a person's reading has none); None where no rater has one
    level_difference_mm : second rater's slice above the first's
    on_slice : overlap on the first rater's slice
    in_volume : overlap in three dimensions over ``n_slices``
    notes : why something is not known
    """

    first: str
    second: str
    case: Case
    side: Side
    area_first_mm2: float | None
    area_second_mm2: float | None
    bound_mm2: float | None = None
    level_difference_mm: float | None = None
    on_slice: Overlap | None = None
    in_volume: Overlap | None = None
    n_slices: int | None = None
    notes: tuple[Flag, ...] = ()

    @property
    def difference_mm2(self) -> float | None:
        """Second rater minus first; None where one is unknown."""
        if self.area_first_mm2 is None or self.area_second_mm2 is None:
            return None
        return self.area_second_mm2 - self.area_first_mm2

    @property
    def is_within_bound(self) -> bool | None:
        """Whether the areas differ by no more than ``bound_mm2``; None where either is unknown."""
        if self.difference_mm2 is None or self.bound_mm2 is None:
            return None
        return abs(self.difference_mm2) <= self.bound_mm2


@dataclass(frozen=True)
class Comparison:
    """Two raters, or all of them, on one quantity; None where it cannot be known (see ``notes``).

    ``mean_mm2`` is over all readings; ``n`` counts the cases that all of these raters have read.
    """

    raters: tuple[str, ...]
    quantity: Quantity
    n: int
    mean_mm2: float | None = None
    limits: BlandAltman | None = None
    reliability: Reliability | None = None
    notes: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Agreement:
    """All that is known of how far raters agree."""

    raters: tuple[str, ...]
    n_cases: int
    pairs: tuple[Pair, ...]
    comparisons: tuple[Comparison, ...]
    areas_mm2: Mapping[tuple[str, Quantity], Mapping[str, float]] = field(default_factory=dict)
    notes: tuple[Flag, ...] = ()


def missing_cases(name: str, cases: Sequence[Case], there: Collection[str]) -> tuple[Flag, ...]:
    """A note that names the cases of which a rater says nothing."""
    lacking = [case.case_id for case in cases if case.case_id not in there]
    if not lacking:
        return ()
    more = f" and {len(lacking) - MAX_NAMED} more" if len(lacking) > MAX_NAMED else ""
    return (Flag("agree-case-missing", f"{name}: {', '.join(lacking[:MAX_NAMED])}{more}"),)
