"""What a column of a table is: its name, unit, meaning, and where its value comes from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Cell = str | float | int | None
Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column.

    Attributes
    ----------
    name, unit, meaning : as documented
    get : the value; None, NaN and "" are unknown and become an empty cell
    kind : type of the cells, the same in every run even when all are empty
    decimals : digits kept of a float
    """

    name: str
    unit: str
    meaning: str
    get: Callable[[Row], Cell]
    kind: type[str | float | int] = str
    decimals: int = 3

    def value(self, row: Row) -> Cell:
        """The cell: None where unknown, floats rounded."""
        cell = self.get(row)
        if cell is None or cell == "":
            return None
        if self.kind is float:
            number = float(cell)
            return round(number, self.decimals) + 0.0 if math.isfinite(number) else None  # no "-0.0"
        return cell


@dataclass(frozen=True)
class Quantity:
    """A figure of one muscle and side.

    Attributes
    ----------
    stem, suffix : of its columns' names, with the side between them
    attribute : of the `glutseg.result.SliceMeasurement`, `WholeMuscle` or `MuscleResult` that holds it; empty
        where it is calculated
    totals : which figures of both sides together make sense
    """

    stem: str
    suffix: str
    unit: str
    meaning: str
    attribute: str
    decimals: int = 3
    totals: tuple[str, ...] = ()


QUANTITIES = (
    Quantity(
        "area",
        "_mm2",
        "mm²",
        "area inside the fascia, fat streaks included: pixel count x pixel area",
        "area_mm2",
        totals=("mean", "sum"),
    ),
    Quantity(
        "polygon_area",
        "_mm2",
        "mm²",
        "area inside the outline as a polygon half-way between inside and outside pixels",
        "polygon_area_mm2",
        totals=("mean", "sum"),
    ),
    Quantity(
        "lean_area",
        "_mm2",
        "mm²",
        "part of the area within the protocol's muscle window (-29 to 150 HU by default)",
        "lean_area_mm2",
        totals=("mean", "sum"),
    ),
    Quantity(
        "imat_area",
        "_mm2",
        "mm²",
        "part of the area within the protocol's fat window (-190 to -30 HU by default)",
        "imat_area_mm2",
        totals=("mean", "sum"),
    ),
    Quantity("mean_hu", "", "HU", "mean density of the area", "mean_hu", 2, ("mean",)),
    Quantity("sd_hu", "", "HU", "standard deviation (n - 1) of the density over the area", "sd_hu", 2),
    Quantity("min_hu", "", "HU", "lowest density of the area", "min_hu", 1),
    Quantity("max_hu", "", "HU", "highest density of the area", "max_hu", 1),
    Quantity("lean_mean_hu", "", "HU", "mean density of the lean part", "lean_mean_hu", 2, ("mean",)),
)

PROFILE_MEAN = Quantity(
    "profile_mean_area",
    "_mm2",
    "mm²",
    "mean area over the profile around the level (15 mm up and down)",
    "",
    totals=("mean",),
)
AXIAL_AREA = Quantity(
    "area",
    "_axial_mm2",
    "mm²",
    "area x cos(tilt), that of an axial section if the muscle runs along the body there; empty unless the "
    "slices are tilted by 3 degrees or more",
    "",
    totals=("mean",),
)
OF_OUTLINE = (
    Quantity(
        "error_bound",
        "_percent",
        "%",
        "in 90 % of cases the true area lies within this many percent of the measured one; empty where it is "
        "unknown, as for given and corrected outlines",
        "error_bound_percent",
        1,
    ),
    Quantity(
        "agreement",
        "",
        "",
        "Dice, 0 to 1, of the outline and the most different of the others found of the same muscle; empty "
        "where it is unknown",
        "agreement",
    ),
)

WHOLE_QUANTITIES = (
    Quantity(
        "volume",
        "_cm3",
        "cm³",
        "volume inside the fascia: voxel count x voxel volume",
        "volume_cm3",
        totals=("mean", "sum"),
    ),
    Quantity(
        "lean_volume",
        "_cm3",
        "cm³",
        "part of the volume within the protocol's muscle window",
        "lean_volume_cm3",
        totals=("mean",),
    ),
    Quantity(
        "imat_volume",
        "_cm3",
        "cm³",
        "part of the volume within the protocol's fat window",
        "imat_volume_cm3",
        totals=("mean",),
    ),
    Quantity("whole_mean_hu", "", "HU", "mean density of the whole muscle", "mean_hu", 2, ("mean",)),
    Quantity("length", "_mm", "mm", "from the muscle's lowest to its highest slice", "length_mm", 1),
)
