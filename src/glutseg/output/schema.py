"""The columns of measurements.csv; ``docs/reference/output.md`` is written from here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import cos, radians

from glutseg.image import Muscle, Side
from glutseg.measurement import mean_of_sides, per_height, per_height_squared, sum_of_sides
from glutseg.output.columns import (
    AXIAL_AREA,
    OF_OUTLINE,
    PROFILE_MEAN,
    QUANTITIES,
    WHOLE_QUANTITIES,
    Column,
    Quantity,
)
from glutseg.protocol import ExtentRule
from glutseg.result import EXCLUSION_REASONS, STATUSES, CaseResult, Level, SeriesRecord
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
    exclusion_reason: str = ""


Get = Callable[[CaseResult, Muscle, Side], float | None]
"""Where the figure of a muscle and side is found; None where it is unknown."""
Cells = Callable[[CaseRow], float | None]


def _on_slice(attribute: str, result: CaseResult, muscle: Muscle, side: Side) -> float | None:
    measured = result.measurement(side, muscle)
    return None if measured is None else float(getattr(measured, attribute))


def _of_whole(attribute: str, result: CaseResult, muscle: Muscle, side: Side) -> float | None:
    """None where the series does not show the whole muscle: a part's volume is not a volume."""
    record = result.muscle(side, muscle)
    whole = None if record is None else record.whole
    return float(getattr(whole, attribute)) if whole is not None and whole.is_complete else None


def _profile_mean_mm2(result: CaseResult, muscle: Muscle, side: Side) -> float | None:
    areas = [point.measurement.area_mm2 for point in result.profile_around_level(side, muscle)]
    return sum(areas) / len(areas) if areas else None


def _axial_mm2(result: CaseResult, muscle: Muscle, side: Side) -> float | None:
    """The muscle taken as a prism along the body: its section at right angles is smaller by the cosine."""
    series, area_mm2 = result.series, result.area_mm2(side, muscle)
    if series is None or area_mm2 is None or not series.is_tilted:
        return None
    return area_mm2 * cos(radians(series.tilt_degrees))


def _of_outline(attribute: str, result: CaseResult, muscle: Muscle, side: Side) -> float | None:
    record = result.muscle(side, muscle)
    return None if record is None else getattr(record, attribute)


AT_LEVEL: tuple[tuple[Quantity, Get], ...] = (
    *((quantity, partial(_on_slice, quantity.attribute)) for quantity in QUANTITIES),
    (PROFILE_MEAN, _profile_mean_mm2),
    (AXIAL_AREA, _axial_mm2),
    *((quantity, partial(_of_outline, quantity.attribute)) for quantity in OF_OUTLINE),
)
OF_WHOLE: tuple[tuple[Quantity, Get], ...] = tuple(
    (quantity, partial(_of_whole, quantity.attribute)) for quantity in WHOLE_QUANTITIES
)
_TOTALS = {"mean": mean_of_sides, "sum": sum_of_sides}


def _columns(figures: tuple[tuple[Quantity, Get], ...], muscle: Muscle) -> Iterator[Column[CaseRow]]:
    """Of every quantity a column per side, and those of both sides together that make sense."""
    prefix = "" if muscle == "maximus" else f"{muscle}_"
    for q, get in figures:
        cells: list[tuple[str, str, Cells]] = [
            (side, f"{side} side: {q.meaning}", partial(_side, get, muscle, side)) for side in SIDES
        ]
        cells += [
            (
                total,
                f"{total} of the two sides; empty where one is unknown",
                partial(_total, get, muscle, total),
            )
            for total in q.totals
        ]
        for which, meaning, cell in cells:
            yield Column(f"{prefix}{q.stem}_{which}{q.suffix}", q.unit, meaning, cell, float, q.decimals)


def _side(get: Get, muscle: Muscle, side: Side, row: CaseRow) -> float | None:
    return get(row.result, muscle, side)


def _total(get: Get, muscle: Muscle, total: str, row: CaseRow) -> float | None:
    left, right = (get(row.result, muscle, side) for side in SIDES)
    return _TOTALS[total](left, right)


def muscle_columns(muscle: Muscle) -> tuple[Column[CaseRow], ...]:
    """Of a muscle at the level; those of the gluteus maximus have no prefix."""
    return tuple(_columns(AT_LEVEL, muscle))


def whole_columns(muscle: Muscle) -> tuple[Column[CaseRow], ...]:
    """What ``--whole-muscle`` adds for a muscle; empty where the series does not show all of it."""
    return tuple(_columns(OF_WHOLE, muscle))


def _series(attribute: str, row: CaseRow) -> str | float | None:
    series: SeriesRecord | None = row.result.series
    return None if series is None else getattr(series, attribute)


def _level(attribute: str, row: CaseRow) -> str | float | int | None:
    level: Level | None = row.result.level
    return None if level is None else getattr(level, attribute)


def _pixel_spacing_mm(axis: int, row: CaseRow) -> float | None:
    return None if row.result.series is None else row.result.series.pixel_spacing_mm[axis]


def _flags(row: CaseRow) -> str:
    return " ".join(dict.fromkeys(str(flag) for flag in row.result.all_flags))


def _values(row: CaseRow) -> str:
    if not row.result.is_measured:
        return ""
    if row.is_corrected:
        return "corrected"
    return "given" if row.result.outliner == GIVEN else "automatic"


def _mean_area_mm2(row: CaseRow) -> float | None:
    return mean_of_sides(*(row.result.area_mm2(side) for side in SIDES))


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
        "; ".join(f"`{status}`: {meaning}" for status, meaning in STATUSES.items()),
        lambda r: r.result.status,
    ),
    Column("flags", "", "quality flags, separated by spaces, with `:side` (docs/reference/flags.md)", _flags),
    Column(
        "error_code",
        "",
        "why there is no number (docs/reference/flags.md); `case-rejected` of an excluded case",
        lambda r: r.result.error_code,
    ),
    Column("error_message", "", "the same in words", lambda r: r.result.error_message),
    Column(
        "decision",
        "",
        "a reviewer's: `accepted`, `corrected` or `rejected`; empty without a review",
        lambda r: r.decision,
    ),
    Column(
        "exclusion_reason",
        "",
        "why a reviewer excluded the case: " + ", ".join(f"`{code}`" for code in EXCLUSION_REASONS),
        lambda r: r.exclusion_reason,
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
_HEIGHT: tuple[Column[CaseRow], ...] = (
    Column("height_m", "m", "height divided by", lambda r: r.result.height.height_m, float, 4),
    Column("height_source", "", "`participants`, `dicom` or `none`", lambda r: r.result.height.source),
    Column(
        "area_mean_per_height_mm2_per_m",
        "mm²/m",
        "mean area / height",
        lambda r: per_height(_mean_area_mm2(r), r.result.height.height_m),
        float,
        4,
    ),
    Column(
        "area_mean_per_height2_cm2_per_m2",
        "cm²/m²",
        "mean area / height²",
        lambda r: per_height_squared(_mean_area_mm2(r), r.result.height.height_m),
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

MEASUREMENTS: tuple[Column[CaseRow], ...] = (*_WHO, *_WHERE, *muscle_columns("maximus"), *_HEIGHT, *_FILES)


def measurement_columns(extent: ExtentRule) -> tuple[Column[CaseRow], ...]:
    """The columns of measurements.csv for what a protocol measures: the same for every study of a run."""
    more = [column for muscle in extent.muscles[1:] for column in muscle_columns(muscle)]
    if extent.whole_muscle:
        more += [column for muscle in extent.muscles for column in whole_columns(muscle)]
    return (*MEASUREMENTS, *more)
