"""The columns of profile.csv and levels.csv: figures slice by slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from glutseg.image import LABELS, Muscle, Side
from glutseg.output.columns import QUANTITIES, Column
from glutseg.protocol import NAMED_LEVELS
from glutseg.result import CaseResult, ProfilePoint


@dataclass(frozen=True)
class ProfileRow:
    """A row of profile.csv: one side on one slice of a case."""

    result: CaseResult
    point: ProfilePoint

    @property
    def slice_index(self) -> int:
        """In the order of the mask's file."""
        return _stored(self.result, self.point)


@dataclass(frozen=True)
class LevelRow:
    """A row of levels.csv: one muscle of one side at a named level; no point where it is not there."""

    result: CaseResult
    name: str
    muscle: Muscle
    side: Side
    reason: str
    point: ProfilePoint | None

    @property
    def slice_index(self) -> int | None:
        """In the order of the mask's file."""
        return None if self.point is None else _stored(self.result, self.point)


def _stored(result: CaseResult, point: ProfilePoint) -> int:
    return point.slice_index if result.series is None else result.series.stored_slice(point.slice_index)


def profile_rows(result: CaseResult) -> list[ProfileRow]:
    """The profile of a case in the order of the mask's file."""
    rows = [ProfileRow(result, point) for point in result.profile]
    return sorted(rows, key=lambda row: row.slice_index)


def _of_point(attribute: str, row: LevelRow) -> float | None:
    return None if row.point is None else getattr(row.point, attribute)


def _of_measurement(attribute: str, row: LevelRow) -> float | None:
    return None if row.point is None else float(getattr(row.point.measurement, attribute))


PROFILE: tuple[Column[ProfileRow], ...] = (
    Column("case_id", "", "as in measurements.csv", lambda r: r.result.case_id),
    Column("patient_id", "", "as in measurements.csv", lambda r: r.result.patient_id),
    Column("study_uid", "", "as in measurements.csv", lambda r: r.result.study_uid),
    Column("muscle", "", "`maximus`, `medius` or `minimus`", lambda r: r.point.muscle),
    Column("side", "", "`left` or `right`", lambda r: r.point.side),
    Column("slice_index", "", "from 0 in the order of the mask's file", lambda r: r.slice_index, int),
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

LEVELS: tuple[Column[LevelRow], ...] = (
    Column("case_id", "", "as in measurements.csv", lambda r: r.result.case_id),
    Column("patient_id", "", "as in measurements.csv", lambda r: r.result.patient_id),
    Column("study_uid", "", "as in measurements.csv", lambda r: r.result.study_uid),
    Column("level_name", "", "the landmark", lambda r: r.name),
    Column("muscle", "", "`maximus`, `medius` or `minimus`", lambda r: r.muscle),
    Column("side", "", "`left` or `right`", lambda r: r.side),
    Column("reason", "", "why the level is not in the series; else empty", lambda r: r.reason),
    Column("slice_index", "", "from 0 in the order of the mask's file", lambda r: r.slice_index, int),
    Column("z_mm", "mm", "patient z (towards the head) of the slice", partial(_of_point, "z_mm"), float),
    *(
        Column(
            f"{q.stem}{q.suffix}", q.unit, q.meaning, partial(_of_measurement, q.attribute), float, q.decimals
        )
        for q in QUANTITIES
    ),
)


def level_rows(result: CaseResult, muscles: tuple[Muscle, ...]) -> Iterator[LevelRow]:
    """Every named level of a case whose whole muscles were measured, per muscle and side."""
    points = {(p.slice_index, p.muscle, p.side): p for p in result.profile}
    where = [(level.name, level.slice_index, "") for level in result.levels]
    where += [(name, -1, reason) for name, reason in result.levels_missing]
    order: dict[str, int] = {name: i for i, name in enumerate(NAMED_LEVELS)}
    for name, k, reason in sorted(where, key=lambda w: order.get(w[0], len(order))):
        for muscle in muscles:
            for side in LABELS[muscle]:
                yield LevelRow(result, name, muscle, side, reason, points.get((k, muscle, side)))
