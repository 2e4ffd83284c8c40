"""Positions that were rounded on their way through an archive: 0, 2, 5, 8, 10 mm for slices every 2.5 mm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

ROUNDING_MM = (1.0, 0.5, 0.1, 0.01)
"""To how much positions are rounded, the coarsest first. Archives and converters write whole millimetres or
one or two decimals; scanners write three and more."""

SLACK_MM = 0.001
"""By which a number read from text may miss the grid that it was rounded to, and a sum of such its limit."""

EVEN_SHARE = 0.1
"""Positions that rounding moved by no more than this share of its step are even as they are. Chosen."""

MIN_SLICES = 9
"""Of fewer slices nobody can tell an uneven series from a rounded one. Chosen: more than
`glutseg.dicom.stack.MAX_FEW_SLICES`."""


@dataclass(frozen=True)
class Evened:
    """Evenly spaced positions (n, 3) in LPS, of which the stated ones are the rounded values."""

    positions_mm: Vector
    rounding_mm: float


def evened(positions_mm: Vector) -> Evened | None:
    """The even spacing whose positions, rounded, are these; None where there is none.

    Rounding moves a position by at most half of what it rounds to, so that the positions lie within that
    distance of evenly spaced ones. Those of an uneven series do not: one step that is 2 mm longer than
    the others is enough. Slices may be missing where steps are long enough to be counted.

    Parameters
    ----------
    positions_mm : (n, 3), ascending along the normal, no two the same
    """
    if len(positions_mm) < MIN_SLICES:
        return None
    along = positions_mm[:, int(np.argmax(np.abs(positions_mm[-1] - positions_mm[0])))]
    rounding_mm = next((step for step in ROUNDING_MM if _is_on_grid(along, step)), None)
    if rounding_mm is None:
        return None
    for counts in (np.arange(len(along)), _counted(along, rounding_mm)):
        lines = [_line(component, counts, rounding_mm) for component in positions_mm.T]
        even = np.stack([line for line in lines if line is not None], axis=1)
        if even.shape[1] == 3:
            moved_mm = float(np.abs(even - positions_mm).max())
            return Evened(even, rounding_mm) if moved_mm > EVEN_SHARE * rounding_mm else None
    return None


def _is_on_grid(values: Vector, step: float) -> bool:
    steps = (values - values[0]) / step
    return bool(np.abs(steps - np.rint(steps)).max() * step <= SLACK_MM)


def _counted(along: Vector, rounding_mm: float) -> npt.NDArray[np.intp]:
    """Number of every position on a grid with missing slices, from the steps that are about the usual one."""
    steps = np.abs(np.diff(along))
    usual = steps[np.abs(steps - np.median(steps)) <= rounding_mm + SLACK_MM].mean()
    return np.concatenate([[0], np.cumsum(np.maximum(1, np.rint(steps / usual)))]).astype(np.intp)


def _line(values: Vector, counts: npt.NDArray[np.intp], rounding_mm: float) -> Vector | None:
    """Evenly spaced values within half of ``rounding_mm`` of these; None where there are none.

    Of the spacings that are possible they have one with few decimals, as those that are set at a scanner.
    """
    if np.ptp(values) <= SLACK_MM:
        return np.full_like(values, values[0])
    widest = rounding_mm + SLACK_MM
    middle = (values[-1] - values[0]) / counts[-1]
    reach = 2 * widest / counts[-1]
    from scipy import optimize  # a quarter of a second that nearly no series needs

    found = optimize.minimize_scalar(
        lambda slope: np.ptp(values - slope * counts),  # convex in the slope
        bounds=(middle - reach, middle + reach),
        method="bounded",
        options={"xatol": reach / 1000},
    )
    for slope in _fewest_decimals_first(float(found.x)):
        away = values - slope * counts
        if np.ptp(away) <= widest:
            return np.asarray(slope * counts + (away.max() + away.min()) / 2)
    return None


def _fewest_decimals_first(value: float) -> Iterable[float]:
    yield from (round(value, decimals) for decimals in range(1, 5))
    yield value
