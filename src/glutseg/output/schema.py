"""The columns of measurements.csv; ``docs/reference/output.md`` is written from here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import cos, radians

from glutseg.image import Muscle, Side
from glutseg.measurement import mean_of_sides, per_height, per_height_squared, sum_of_sides
from glutseg.output.columns import QUANTITIES, WHOLE_QUANTITIES, Column, Quantity
from glutseg.protocol import ExtentRule
from glutseg.result import CaseResult, Level, SeriesRecord
from glutseg.segmentation import GivenMaskOutliner
from glutseg.version import __version__

SIDES: tuple[Side, ...] = ("left", "right")


GIVEN = GivenMaskOutliner.name


@dataclass(frozen=True)
class CaseRow:
    """A row of measurements.csv: a result, the files that were written for it, and who reviewed it."""

    result: CaseResult
    protocol: str
    mask: str = ""
    overlay: str = ""
    decision: str = ""
    reviewer: str = ""
    is_corrected: bool = False


Figure = Callable[[CaseRow, Side], float | None]
"""One figure of one side."""


def _area_figure(muscle: Muscle, attribute: str, row: CaseRow, side: Side) -> float | None:
    measured = row.result.measurement(side, muscle)
    return None if measured is None else float(getattr(measured, attribute))


def _whole_figure(muscle: Muscle, attribute: str, row: CaseRow, side: Side) -> float | None:
    """Empty where the series does not show the whole muscle: a part's volume is not a volume."""
    record = row.result.muscle(side, muscle)
    whole = None if record is None else record.whole
    return float(getattr(whole, attribute)) if whole is not None and whole.is_complete else None


_area_mm2: Figure = partial(_area_figure, "maximus", "area_mm2")


def _mean(figure: Figure, row: CaseRow) -> float | None:
    return mean_of_sides(figure(row, "left"), figure(row, "right"))


def _sum(figure: Figure, row: CaseRow) -> float | None:
    return sum_of_sides(figure(row, "left"), figure(row, "right"))


def _one(figure: Figure, side: Side, row: CaseRow) -> float | None:
    return figure(row, side)


def _quantity_columns(q: Quantity, figure: Figure, prefix: str = "") -> Iterator[Column[CaseRow]]:
    """A column per side, and those of both sides together that make sense."""
    for side in SIDES:
        name = f"{prefix}{q.stem}_{side}{q.suffix}"
        yield Column(
            name, q.unit, f"{side} side: {q.meaning}", partial(_one, figure, side), float, q.decimals
        )
    for total in q.totals:
        name = f"{prefix}{q.stem}_{total}{q.suffix}"
        meaning = f"{total} of the two sides; empty where one is unknown"
        yield Column(name, q.unit, meaning, partial(_TOTALS[total], figure), float, q.decimals)


_TOTALS = {"mean": _mean, "sum": _sum}


def _area_columns(muscle: Muscle) -> Iterator[Column[CaseRow]]:
    for q in QUANTITIES:
        yield from _quantity_columns(q, partial(_area_figure, muscle, q.attribute), prefix_of(muscle))


def _confidence_columns(muscle: Muscle) -> Iterator[Column[CaseRow]]:
    for side in SIDES:
        meaning = f"{side} side: Dice to the outlines under other beliefs about what cannot be seen, 0 to 1"
        get = partial(_confidence, muscle, side)
        yield Column(f"{prefix_of(muscle)}confidence_{side}", "", meaning, get, float)


def _confidence(muscle: Muscle, side: Side, row: CaseRow) -> float | None:
    record = row.result.muscle(side, muscle)
    return None if record is None else record.confidence


def prefix_of(muscle: Muscle) -> str:
    """The gluteus maximus is what the table is about; the others' columns are named after them."""
    return "" if muscle == "maximus" else f"{muscle}_"


def _series(attribute: str, row: CaseRow) -> str | float | None:
    series: SeriesRecord | None = row.result.series
    return None if series is None else getattr(series, attribute)


def _level(attribute: str, row: CaseRow) -> str | float | int | None:
    level: Level | None = row.result.level
    return None if level is None else getattr(level, attribute)


def _pixel_spacing_mm(axis: int, row: CaseRow) -> float | None:
    return None if row.result.series is None else row.result.series.pixel_spacing_mm[axis]


def _axial_area_mm2(row: CaseRow, side: Side) -> float | None:
    """The muscle taken as a prism along the body: its section at right angles is smaller by the cosine."""
    series, area = row.result.series, _area_mm2(row, side)
    if series is None or area is None or not series.is_tilted:
        return None
    return area * cos(radians(series.tilt_degrees))


def _flags(row: CaseRow) -> str:
    return " ".join(dict.fromkeys(str(flag) for flag in row.result.all_flags))


def _values(row: CaseRow) -> str:
    if row.result.status == "failed":
        return ""
    if row.is_corrected:
        return "corrected"
    return "given" if row.result.outliner == GIVEN else "automatic"


def _slab_area_mm2(sides: tuple[Side, ...], row: CaseRow) -> float | None:
    """Mean over the profile's slices and the sides; empty where a side was not measured."""
    areas = [[p.measurement.area_mm2 for p in row.result.profile_around_level(side)] for side in sides]
    if not all(areas):
        return None
    return sum(sum(a) / len(a) for a in areas) / len(areas)


_WHO: tuple[Column[CaseRow], ...] = (
    Column(
        "case_id", "", "name of the case's folder: cleaned patient id and a hash", lambda r: r.result.case_id
    ),
    Column("patient_id", "", "Patient ID (0010,0020)", lambda r: r.result.patient_id),
    Column("study_uid", "", "Study Instance UID (0020,000D)", lambda r: r.result.study_uid),
    Column("series_uid", "", "Series Instance UID of the measured series", partial(_series, "series_uid")),
    Column("study_date", "", "YYYY-MM-DD", lambda r: r.result.study_date),
    Column(
        "status",
        "",
        "`ok`; `review`: measured, but look at it; `failed`: no number",
        lambda r: r.result.status,
    ),
    Column(
        "flags", "", "facts and doubts, separated by spaces, with `:side` (docs/reference/flags.md)", _flags
    ),
    Column(
        "error_code", "", "why there is no number (docs/reference/flags.md)", lambda r: r.result.error_code
    ),
    Column("error_message", "", "the same in words", lambda r: r.result.error_message),
    Column(
        "decision",
        "",
        "a reviewer's: `accepted`, `corrected` or `rejected`; empty without a review",
        lambda r: r.decision,
    ),
    Column("reviewer", "", "who decided; several are joined by `; `", lambda r: r.reviewer),
    Column(
        "values",
        "",
        "whose outline and level the figures are of: `automatic`, `corrected`, or `given` by another program "
        "or person; empty where there are none",
        _values,
    ),
)
_WHERE: tuple[Column[CaseRow], ...] = (
    Column("protocol", "", "name of the protocol", lambda r: r.protocol),
    Column("level_name", "", "landmark of the measured level", partial(_level, "name")),
    Column(
        "level_z_mm",
        "mm",
        "patient z (towards the head) of the measured slice",
        partial(_level, "z_mm"),
        float,
    ),
    Column(
        "slice_index",
        "",
        "measured slice, from 0 in the order of the mask's file",
        lambda r: r.result.stored_slice_index,
        int,
    ),
    Column("pixel_spacing_mm", "mm", "between the rows of a slice", partial(_pixel_spacing_mm, 0), float, 6),
    Column("pixel_spacing_x_mm", "mm", "between its columns", partial(_pixel_spacing_mm, 1), float, 6),
    Column(
        "slice_spacing_mm",
        "mm",
        "between slices, from their positions",
        partial(_series, "slice_spacing_mm"),
        float,
        6,
    ),
    Column(
        "tilt_degrees",
        "degrees",
        "between the slices and axial ones, from the header",
        partial(_series, "tilt_degrees"),
        float,
        1,
    ),
    Column("slice_thickness_mm", "mm", "as in the header", partial(_series, "slice_thickness_mm"), float),
    Column("kvp", "kV", "tube voltage as in the header", partial(_series, "kvp")),
    Column("kernel", "", "reconstruction kernel as in the header", partial(_series, "kernel")),
    Column("contrast", "", "contrast agent as in the header", partial(_series, "contrast")),
)
_SLAB: tuple[Column[CaseRow], ...] = tuple(
    Column(
        f"slab_area_{side}_mm2",
        "mm²",
        f"{words}: mean area over the profile around the level (15 mm up and down)",
        partial(_slab_area_mm2, sides),
        float,
    )
    for side, words, sides in (
        ("left", "left side", ("left",)),
        ("right", "right side", ("right",)),
        ("mean", "mean of the sides", SIDES),
    )
)
_TILT: tuple[Column[CaseRow], ...] = tuple(
    Column(
        f"area_{which}_axial_mm2",
        "mm²",
        f"{words}: area x cos(tilt), that of an axial section if the muscle runs along the body there; "
        "empty unless the slices are tilted by 3 degrees or more",
        get,
        float,
    )
    for which, words, get in (
        ("left", "left side", partial(_one, _axial_area_mm2, "left")),
        ("right", "right side", partial(_one, _axial_area_mm2, "right")),
        ("mean", "mean of the sides", partial(_mean, _axial_area_mm2)),
    )
)
_HEIGHT: tuple[Column[CaseRow], ...] = (
    Column("height_m", "m", "height divided by", lambda r: r.result.height.height_m, float, 4),
    Column("height_source", "", "`participants`, `dicom` or `none`", lambda r: r.result.height.source),
    Column(
        "area_mean_per_height_mm2_per_m",
        "mm²/m",
        "mean area / height",
        lambda r: per_height(_mean(_area_mm2, r), r.result.height.height_m),
        float,
        4,
    ),
    Column(
        "area_mean_per_height2_cm2_per_m2",
        "cm²/m²",
        "mean area / height²",
        lambda r: per_height_squared(_mean(_area_mm2, r), r.result.height.height_m),
        float,
        4,
    ),
)
_FILES: tuple[Column[CaseRow], ...] = (
    Column(
        "mask",
        "",
        "NIfTI in the geometry of the series, with labels as below; path below OUT",
        lambda r: r.mask,
    ),
    Column("overlay", "", "picture of the measured slice; path below OUT", lambda r: r.overlay),
    Column("glutseg_version", "", "version that measured", lambda _: __version__),
)

MEASUREMENTS: tuple[Column[CaseRow], ...] = (
    *_WHO,
    *_WHERE,
    *_area_columns("maximus"),
    *_SLAB,
    *_TILT,
    *_confidence_columns("maximus"),
    *_HEIGHT,
    *_FILES,
)


def muscle_columns(muscle: Muscle) -> tuple[Column[CaseRow], ...]:
    """What ``--muscles`` adds for one of the other muscles; for the medius no confidence is known that
    tells good outlines from bad ones."""
    return (*_area_columns(muscle), *(_confidence_columns(muscle) if muscle == "minimus" else ()))


def whole_columns(muscle: Muscle) -> tuple[Column[CaseRow], ...]:
    """What ``--whole-muscle`` adds for a muscle; empty where the series does not show all of it."""
    return tuple(
        column
        for q in WHOLE_QUANTITIES
        for column in _quantity_columns(q, partial(_whole_figure, muscle, q.attribute), prefix_of(muscle))
    )


def measurement_columns(extent: ExtentRule) -> tuple[Column[CaseRow], ...]:
    """The columns of measurements.csv for what a protocol measures: the same for every study of a run."""
    more = [column for muscle in extent.muscles[1:] for column in muscle_columns(muscle)]
    if extent.whole_muscle:
        more += [column for muscle in extent.muscles for column in whole_columns(muscle)]
    return (*MEASUREMENTS, *more)
