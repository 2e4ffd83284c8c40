"""The columns of measurements.csv and profile.csv; ``docs/output.md`` is written from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from glutseg.measurement import mean_of_sides, per_height, per_height_squared, sum_of_sides
from glutseg.output.columns import QUANTITIES, Column
from glutseg.result import CaseResult, LevelFound, SeriesRecord, Side, SlicePoint

SIDES: tuple[Side, ...] = ("left", "right")


@dataclass(frozen=True)
class CaseRow:
    """A row of measurements.csv: a result, and the files that were written for it."""

    result: CaseResult
    protocol: str
    mask: str = ""
    overlay: str = ""


@dataclass(frozen=True)
class ProfileRow:
    """A row of profile.csv: one side on one slice of a case."""

    result: CaseResult
    point: SlicePoint


def _side(attribute: str, side: Side, row: CaseRow) -> float | None:
    measured = row.result.measurements.get(side)
    return None if measured is None else float(getattr(measured, attribute))


def _mean(attribute: str, row: CaseRow) -> float | None:
    return mean_of_sides(_side(attribute, "left", row), _side(attribute, "right", row))


def _sum(attribute: str, row: CaseRow) -> float | None:
    return sum_of_sides(_side(attribute, "left", row), _side(attribute, "right", row))


def _quantities() -> Iterator[Column[CaseRow]]:
    total_of = {"mean": _mean, "sum": _sum}
    for q in QUANTITIES:
        for side in SIDES:
            name, get = f"{q.stem}_{side}{q.suffix}", partial(_side, q.attribute, side)
            yield Column(name, q.unit, f"{side} side: {q.meaning}", get, float, q.decimals)
        for total in q.totals:
            name, get_total = f"{q.stem}_{total}{q.suffix}", partial(total_of[total], q.attribute)
            meaning = f"{total} of the two sides; empty where one is unknown"
            yield Column(name, q.unit, meaning, get_total, float, q.decimals)


def _series(attribute: str, row: CaseRow) -> str | float | None:
    series: SeriesRecord | None = row.result.series
    return None if series is None else getattr(series, attribute)


def _level(attribute: str, row: CaseRow) -> str | float | int | None:
    level: LevelFound | None = row.result.level
    return None if level is None else getattr(level, attribute)


def _pixel_spacing_mm(axis: int, row: CaseRow) -> float | None:
    return None if row.result.series is None else row.result.series.pixel_spacing_mm[axis]


def _flags(row: CaseRow) -> str:
    return " ".join(dict.fromkeys(str(flag) for flag in row.result.flags))


def _slab_area_mm2(sides: tuple[str, ...], row: CaseRow) -> float | None:
    """Mean over the profile's slices and the sides; empty where a side was not measured."""
    areas = [[p.measurement.area_mm2 for p in row.result.profile if p.side == side] for side in sides]
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
    Column("flags", "", "facts and doubts, separated by spaces, with `:side` (see flags.md)", _flags),
    Column("error_code", "", "why there is no number (see flags.md)", lambda r: r.result.error_code),
    Column("error_message", "", "the same in words", lambda r: r.result.error_message),
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
        partial(_level, "slice_index"),
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
    Column("slice_thickness_mm", "mm", "as in the header", partial(_series, "slice_thickness_mm"), float),
    Column("kvp", "kV", "tube voltage as in the header", partial(_series, "kvp")),
    Column("kernel", "", "reconstruction kernel as in the header", partial(_series, "kernel")),
    Column("contrast", "", "contrast agent as in the header", partial(_series, "contrast")),
)
_HOW_SURE: tuple[Column[CaseRow], ...] = tuple(
    Column(
        f"confidence_{side}",
        "",
        f"{side} side: Dice to the outlines under other beliefs about what cannot be seen, 0 to 1",
        partial(lambda s, r: r.result.confidence.get(s), side),
        float,
    )
    for side in SIDES
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
_HEIGHT: tuple[Column[CaseRow], ...] = (
    Column("height_m", "m", "height divided by", lambda r: r.result.height.height_m, float, 4),
    Column("height_source", "", "`participants`, `dicom` or `none`", lambda r: r.result.height.source),
    Column(
        "area_mean_per_height_mm2_per_m",
        "mm²/m",
        "mean area / height",
        lambda r: per_height(_mean("area_mm2", r), r.result.height.height_m),
        float,
        4,
    ),
    Column(
        "area_mean_per_height2_cm2_per_m2",
        "cm²/m²",
        "mean area / height²",
        lambda r: per_height_squared(_mean("area_mm2", r), r.result.height.height_m),
        float,
        4,
    ),
)
_FILES: tuple[Column[CaseRow], ...] = (
    Column(
        "mask", "", "NIfTI in the geometry of the series (1 left, 2 right); path below OUT", lambda r: r.mask
    ),
    Column("overlay", "", "picture of the measured slice; path below OUT", lambda r: r.overlay),
    Column("glutseg_version", "", "version that measured", lambda _: version("glutseg")),
)

MEASUREMENTS: tuple[Column[CaseRow], ...] = (
    *_WHO,
    *_WHERE,
    *_quantities(),
    *_SLAB,
    *_HOW_SURE,
    *_HEIGHT,
    *_FILES,
)

PROFILE: tuple[Column[ProfileRow], ...] = (
    Column("case_id", "", "as in measurements.csv", lambda r: r.result.case_id),
    Column("patient_id", "", "as in measurements.csv", lambda r: r.result.patient_id),
    Column("study_uid", "", "as in measurements.csv", lambda r: r.result.study_uid),
    Column("side", "", "`left` or `right`", lambda r: r.point.side),
    Column("slice_index", "", "from 0 in the order of the mask's file", lambda r: r.point.slice_index, int),
    Column("z_mm", "mm", "patient z (towards the head) of the slice", lambda r: r.point.z_mm, float),
    Column(
        "offset_mm", "mm", "from the measured slice, towards the head", lambda r: r.point.offset_mm, float
    ),
    *(
        Column(
            f"{q.stem}{q.suffix}",
            q.unit,
            q.meaning,
            partial(lambda a, r: getattr(r.point.measurement, a), q.attribute),
            float,
            q.decimals,
        )
        for q in QUANTITIES
    ),
)
