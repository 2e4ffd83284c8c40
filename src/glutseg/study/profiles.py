"""The area along the body by group, around the level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from glutseg.output.schema import CaseRow
from glutseg.study.compare import Floats
from glutseg.study.effects import LEVEL
from glutseg.study.sample import LEAST_PER_GROUP, Sample
from glutseg.study.values import Area

STEP_MM = 2.5


@dataclass(frozen=True)
class ProfileBand:
    """One group: mean and its 95 % interval at each offset from the level (mm, towards the head)."""

    group: str
    n: tuple[int, ...]
    offset_mm: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def profiles(sample: Sample) -> tuple[str, tuple[ProfileBand, ...]]:
    """Mean area of both sides around the level, divided by height as the study's value is.

    Slices lie at other offsets in every patient, so each patient's profile is read off, between its
    slices by straight lines, every 2.5 mm; never beyond its ends. The areas themselves stay as they are.

    Returns
    -------
    unit, bands
        A band per group, at the offsets where at least three of its patients are.
    """
    value = sample.value
    area = Area("total", "mean", value.height_power if isinstance(value, Area) else 1)
    bands = []
    for group in sample.groups:
        curves = [
            _curve(p.case, area)
            for p, theirs in zip(sample.patients, sample.frame["group"], strict=True)
            if theirs == group
        ]
        bands.append(_band(group, [c for c in curves if c]))
    return area.unit, tuple(bands)


def _curve(case: CaseRow, area: Area) -> Mapping[float, float]:
    """{offset_mm: value} at multiples of the step, within the patient's slices and the profile's reach."""
    result = case.result
    sides = {
        side: {round(p.offset_mm, 3): p.measurement.area_mm2 for p in result.profile_around_level(side)}
        for side in ("left", "right")
    }
    offsets = sorted(set(sides["left"]) & set(sides["right"]))
    height_m = result.height.height_m
    if len(offsets) < 2 or (area.height_power and height_m is None):
        return {}
    scale = {0: 1.0, 1: 1.0, 2: 0.01}[area.height_power] / (height_m or 1.0) ** area.height_power
    means = [scale * (sides["left"][o] + sides["right"][o]) / 2 for o in offsets]
    first, last = math.ceil(offsets[0] / STEP_MM), math.floor(offsets[-1] / STEP_MM)
    at = STEP_MM * np.arange(first, last + 1)
    return dict(zip(at.tolist(), np.interp(at, offsets, means).tolist(), strict=True))


def _band(group: str, curves: list[Mapping[float, float]]) -> ProfileBand:
    at: dict[float, Floats] = {}
    for offset in sorted({o for curve in curves for o in curve}):
        values = np.array([c[offset] for c in curves if offset in c])
        if len(values) >= LEAST_PER_GROUP:
            at[offset] = values
    means = {o: float(v.mean()) for o, v in at.items()}
    halves = {
        o: float(stats.t.ppf((1 + LEVEL) / 2, len(v) - 1) * v.std(ddof=1) / math.sqrt(len(v)))
        for o, v in at.items()
    }
    return ProfileBand(
        group=group,
        n=tuple(len(v) for v in at.values()),
        offset_mm=tuple(at),
        mean=tuple(means.values()),
        low=tuple(means[o] - halves[o] for o in at),
        high=tuple(means[o] + halves[o] for o in at),
    )
