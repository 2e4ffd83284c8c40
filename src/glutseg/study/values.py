"""Which figure of a patient is studied: a column of measurements.csv, or one of the areas made from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol, get_args

from glutseg.errors import GlutsegError
from glutseg.image import SIDES, Side
from glutseg.measurement import mean_of_sides, per_height, per_height_squared
from glutseg.output.schema import CaseRow
from glutseg.output.text import plain
from glutseg.result import CaseResult, SliceMeasurement
from glutseg.study.run_rows import RunRows

Kind = Literal["total", "lean"]
Which = Literal["mean", "left", "right"]
Power = Literal[0, 1, 2]
"""Of the height."""
DEFAULT_VALUE = "area_mean_per_height_mm2_per_m"
"""Area by height, as the study that is taken over had it."""

_UNITS = {0: "mm²", 1: "mm²/m", 2: "cm²/m²"}
_SUFFIXES = {0: "_mm2", 1: "_per_height_mm2_per_m", 2: "_per_height2_cm2_per_m2"}
_NAME = re.compile(
    r"(lean_)?area_(mean|left|right)(_mm2|_per_height_mm2_per_m|_per_height2_cm2_per_m2)", re.ASCII
)


class Value(Protocol):
    """A figure of a patient, with words for tables and figures."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def words(self) -> str: ...
    def of(self, case: CaseRow) -> float | None: ...
    def on_side(self, side: Side) -> Value | None: ...


@dataclass(frozen=True)
class Area:
    """An area of the gluteus maximus on one slice.

    Attributes
    ----------
    kind : everything inside the fascia, or its part with the density of muscle
    which : mean of the sides, or one
    height_power : of the height it is divided by
    level : one of the named levels that ``--whole-muscle`` measures; empty is the run's own
    """

    kind: Kind = "total"
    which: Which = "mean"
    height_power: Power = 1
    level: str = ""

    @property
    def name(self) -> str:
        lean = "lean_" if self.kind == "lean" else ""
        return f"{lean}area_{self.which}{_SUFFIXES[self.height_power]}"

    @property
    def unit(self) -> str:
        return _UNITS[self.height_power]

    @property
    def words(self) -> str:
        lean = "lean area" if self.kind == "lean" else "area"
        side = "mean of both sides" if self.which == "mean" else f"{self.which} side"
        per = {0: "", 1: " / height", 2: " / height²"}[self.height_power]
        at = f", {self.level}" if self.level else ""
        return f"gluteus maximus {lean}{per}, {side}{at}"

    def of(self, case: CaseRow) -> float | None:
        """In `unit`; None where a side, the level or the height is unknown."""
        sides = _at_level(case.result, self.level)
        areas = [self._area_mm2(sides.get(side)) for side in self.sides]
        mean_mm2 = mean_of_sides(areas[0], areas[-1])
        height_m = case.result.height.height_m
        if self.height_power == 1:
            return per_height(mean_mm2, height_m)
        return per_height_squared(mean_mm2, height_m) if self.height_power == 2 else mean_mm2

    def on_side(self, side: Side) -> Area:
        """The same of one side."""
        return replace(self, which=side)

    @property
    def sides(self) -> tuple[Side, ...]:
        """Whose areas are taken."""
        return get_args(Side) if self.which == "mean" else (self.which,)

    def _area_mm2(self, measured: SliceMeasurement | None) -> float | None:
        if measured is None:
            return None
        return measured.lean_area_mm2 if self.kind == "lean" else measured.area_mm2


@dataclass(frozen=True)
class ColumnValue:
    """Any other column of numbers of measurements.csv."""

    name: str
    unit: str
    get: Callable[[CaseRow], float | None]
    sides: tuple[tuple[Side, ColumnValue], ...] = ()

    @property
    def words(self) -> str:
        return self.name

    def of(self, case: CaseRow) -> float | None:
        """In `unit`; None where unknown."""
        return self.get(case)

    def on_side(self, side: Side) -> ColumnValue | None:
        """The column of one side, where there is one."""
        return dict(self.sides).get(side)


def value_named(run: RunRows, name: str) -> Value:
    """The figure of this name.

    Parameters
    ----------
    name : a column of numbers of measurements.csv, or an area as
        ``[lean_]area_{mean,left,right}{_mm2,_per_height_mm2_per_m,_per_height2_cm2_per_m2}``

    Raises
    ------
    GlutsegError
        ``value-unknown``.
    """
    found = _NAME.fullmatch(name)
    if found:
        power = next(p for p, suffix in _SUFFIXES.items() if suffix == found[3])
        which = next(w for w in get_args(Which) if w == found[2])
        return Area("lean" if found[1] else "total", which, 2 if power == 2 else 1 if power else 0)
    if name not in run.number_columns():
        known = ", ".join(
            n for n in run.number_columns() if n.endswith(("_mm2", "_hu", "_cm3", "per_m", "m2"))
        )
        raise GlutsegError("value-unknown", f"no figure {plain(name, 80)!r}; there are {known}", str(run.out))
    return _column(run, name)


def _column(run: RunRows, name: str) -> ColumnValue:
    sides: tuple[Side, ...] = get_args(Side)
    partners = {side: re.sub(r"_(mean|sum)(?=_|$)", f"_{side}", name, count=1) for side in sides}
    there = [(s, n) for s, n in partners.items() if n != name and n in run.columns]
    return ColumnValue(
        name,
        run.columns[name].unit,
        lambda case: run.number(case, name),
        tuple((side, _column(run, partner)) for side, partner in there),
    )


def _at_level(result: CaseResult, level: str) -> dict[Side, SliceMeasurement]:
    if not level:
        return {side: m for side in SIDES if (m := result.measurement(side)) is not None}
    at = {found.name: found.slice_index for found in result.levels}.get(level)
    return {p.side: p.measurement for p in result.profile if p.slice_index == at and p.muscle == "maximus"}
