"""What is known about one study at the end: the types that measurement fills and output writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from glutseg.errors import Flag
from glutseg.geometry import POSITION_TOLERANCE_MM
from glutseg.image import Muscle, Side

Status = Literal["ok", "review", "failed", "excluded"]
"""Of a case, everywhere: tables, pictures, messages."""
STATUSES: dict[Status, str] = {
    "ok": "measured; no quality flag asks for a look",
    "review": "measured; quality flags ask for a look at the picture",
    "failed": "not measured; the error code names the reason",
    "excluded": "excluded by a reviewer",
}
"""Every status and what it means."""

EXCLUSION_REASONS: dict[str, str] = {
    "implant-or-metal": "implant or metal",
    "muscle-cut-off": "muscle cut off by the field of view",
    "motion-or-artefact": "motion or another artefact",
    "wrong-patient-or-series": "wrong patient, study or series",
    "level-not-in-scan": "level not in the scan",
    "previous-operation": "previous operation",
    "disease-or-injury": "disease or injury of the muscle or hip",
    "not-measurable": "not measurable: border not visible",
    "other": "another reason",
}
"""Why a reviewer excluded a case: code in tables, and words; in the order of the viewer's keys."""


def exclusion_code(reason: str) -> str:
    """The code of a reason in words; ``other`` for words that are none of the list."""
    return next((code for code, words in EXCLUSION_REASONS.items() if words == reason), "other")


@dataclass(frozen=True)
class SliceMeasurement:
    """One muscle of one side on one slice.

    ``area_mm2`` is bounded by the fascia (fat streaks inside count) and is the pixel count times
    the pixel area; ``polygon_area_mm2`` is the area within the outline through the pixel borders'
    half-way points; ``lean_area_mm2`` and ``imat_area_mm2`` are its parts within the protocol's HU
    windows. ``mean_hu``, ``sd_hu`` (sample SD), ``min_hu`` and ``max_hu`` are over the whole area,
    as OsiriX reads them out; ``lean_mean_hu`` is over the lean part. NaN where there is no pixel.
    """

    area_mm2: float
    polygon_area_mm2: float
    lean_area_mm2: float
    imat_area_mm2: float
    mean_hu: float
    sd_hu: float
    min_hu: float
    max_hu: float
    lean_mean_hu: float


@dataclass(frozen=True)
class WholeMuscle:
    """One muscle of one side from end to end.

    ``volume_cm3`` is bounded by the fascia, ``lean_volume_cm3`` and ``imat_volume_cm3`` are its parts
    within the protocol's HU windows. Where the series ends before the muscle does (``is_complete`` is
    False) they are those of the part that is shown.
    """

    volume_cm3: float
    lean_volume_cm3: float
    imat_volume_cm3: float
    mean_hu: float
    length_mm: float
    is_complete: bool


@dataclass(frozen=True)
class MuscleResult:
    """One muscle of one side: everything that is known of it.

    Attributes
    ----------
    measurement : on the measured slice; None where the muscle has no pixel there
    error_bound_percent : the true area lies within this many percent of the measured one in 90 % of cases;
        None where it is unknown, as for outlines that somebody else made
    agreement : Dice at the level, 0 to 1, between the outline and the most different of the others that were
        found of the same muscle, each from less than all that is known
    other_area_mm2 : area of that other outline
    differs_at : where the two outlines differ most: "lateral end", "deep border"; empty where it is unknown
    edge_support : share of the border to other muscles that runs along a visible fat plane, 0 to 1
    uncertainty_measures : what `error_bound_percent` was read from, by name (`glutseg.segmentation.evidence`)
    whole : from end to end, where that was asked for
    flags : quality flags of this muscle and side
    """

    muscle: Muscle
    side: Side
    measurement: SliceMeasurement | None = None
    error_bound_percent: float | None = None
    agreement: float | None = None
    other_area_mm2: float | None = None
    differs_at: str = ""
    edge_support: float | None = None
    uncertainty_measures: dict[str, float] = field(default_factory=dict)
    whole: WholeMuscle | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def error_bound_mm2(self) -> float | None:
        """``error_bound_percent`` of the measured area; None where either is unknown."""
        if self.measurement is None or self.error_bound_percent is None:
            return None
        return self.measurement.area_mm2 * self.error_bound_percent / 100

    @property
    def other_difference_percent(self) -> float | None:
        """By how much of the measured area the other outline is larger; None where it is unknown."""
        if self.measurement is None or self.other_area_mm2 is None:
            return None
        return 100 * (self.other_area_mm2 / self.measurement.area_mm2 - 1)


@dataclass(frozen=True)
class ProfilePoint:
    """One muscle of one side on one slice of the profile; ``offset_mm`` from the level, towards the head."""

    muscle: Muscle
    side: Side
    slice_index: int
    z_mm: float
    offset_mm: float
    measurement: SliceMeasurement


@dataclass(frozen=True)
class Height:
    """The patient's height and where it is from; ``height_m`` is None where it is unknown."""

    height_m: float | None
    source: Literal["participants", "dicom", "none"]


@dataclass(frozen=True, repr=False)
class Level:
    """The measured slice.

    Attributes
    ----------
    name : landmark, or "z", "slice" or "given" for a level given by hand
    slice_index : from 0 at the feet (canonical order)
    z_mm : LPS z of the middle of the slice
    landmarks_mm : LPS points that the level rests on
    flags : quality flags of the level
    """

    name: str
    slice_index: int
    z_mm: float
    landmarks_mm: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()

    def __repr__(self) -> str:
        flags = f"; flags: {', '.join(dict.fromkeys(map(str, self.flags)))}" if self.flags else ""
        return f"Level({self.name}; slice {self.slice_index}, z = {self.z_mm:.1f} mm{flags})"


@dataclass(frozen=True)
class SeriesRecord:
    """The measured series as the table and the case's record name it.

    ``tilt_degrees`` is the angle between the slices' normal and the patient's long axis, ``is_tilted``
    whether it is large enough to tell an axial section's area apart from the slice's own. ``grid_slices``
    counts all places of the grid (1 for a single slice, whose ``slice_spacing_mm`` is None), ``n_slices``
    those with an image; ``runs_to_feet`` tells whether the files are stored from the head to the feet,
    against the order of ``slice_index``.
    """

    series_uid: str
    description: str
    kernel: str
    kvp: str
    contrast: str
    slice_thickness_mm: float | None
    pixel_spacing_mm: tuple[float, float]
    slice_spacing_mm: float | None
    n_slices: int
    sop_uid_of_slice: str
    reason: str
    tilt_degrees: float = 0.0
    is_tilted: bool = False
    grid_slices: int = 0
    runs_to_feet: bool = False

    def stored_slice(self, slice_index: int) -> int:
        """Place of a slice in the order of the mask's file."""
        return self.grid_slices - 1 - slice_index if self.runs_to_feet else slice_index


@dataclass(frozen=True, repr=False)
class CaseResult:
    """One study: measured (``ok``, ``review``), not measured (``failed``), or ``excluded`` by a reviewer.

    Attributes
    ----------
    muscles : one record per muscle and side, the gluteus maximus first and left before right
    outliner : who outlined the muscles: "glutseg", another program, or "given-mask"
    flags : quality flags of study, series, images and outliner
    measurement_flags : those of the measurement as a whole: they change when it is repeated on another
        outline or level. Those of the level and of single muscles stand with them; `all_flags` gives all
    profile : every slice that was segmented: ``profile_mm`` above and below the level, or, where whole
        muscles were asked for, from end to end
    levels, levels_missing : with whole muscles, the named levels that lie in the series, and (name, reason)
        of the rest
    rejected_series : (series UID, reason) of every series not measured, also where none was
    traceback : only what an unforeseen failure left
    seconds : per stage
    """

    case_id: str
    patient_id: str
    study_uid: str
    study_date: str
    status: Status
    outliner: str = "glutseg"
    flags: tuple[Flag, ...] = ()
    measurement_flags: tuple[Flag, ...] = ()
    error_code: str = ""
    error_message: str = ""
    series: SeriesRecord | None = None
    level: Level | None = None
    muscles: tuple[MuscleResult, ...] = ()
    profile: tuple[ProfilePoint, ...] = ()
    profile_mm: float = 15.0
    levels: tuple[Level, ...] = ()
    levels_missing: tuple[tuple[str, str], ...] = ()
    height: Height = Height(None, "none")
    rejected_series: tuple[tuple[str, str], ...] = ()
    traceback: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        known = [(m.muscle, m.side, self.area_mm2(m.side, m.muscle)) for m in self.muscles]
        areas = ", ".join(
            f"{muscle} {side} {area:.0f} mm²" for muscle, side, area in known if area is not None
        )
        return f"CaseResult({self.case_id!r}, {self.status}{', ' + areas if areas else ''})"

    @property
    def is_measured(self) -> bool:
        """Whether there are figures that count, so that it is neither failed nor excluded."""
        return self.status in ("ok", "review")

    @property
    def all_flags(self) -> tuple[Flag, ...]:
        """Those of the study, the measurement, the level and every muscle, each once."""
        of_level = () if self.level is None else self.level.flags
        of_muscles = (flag for record in self.muscles for flag in record.flags)
        return tuple(dict.fromkeys((*self.flags, *of_level, *self.measurement_flags, *of_muscles)))

    def with_flags(self, change: Callable[[Flag], Flag]) -> CaseResult:
        """The result with every flag changed."""

        def changed(flags: tuple[Flag, ...]) -> tuple[Flag, ...]:
            return tuple(map(change, flags))

        return replace(
            self,
            flags=changed(self.flags),
            measurement_flags=changed(self.measurement_flags),
            level=self.level and replace(self.level, flags=changed(self.level.flags)),
            muscles=tuple(replace(record, flags=changed(record.flags)) for record in self.muscles),
        )

    def muscle(self, side: Side, muscle: Muscle = "maximus") -> MuscleResult | None:
        """The record of one muscle and side; None where it was not asked for or nothing was measured."""
        return next((m for m in self.muscles if m.muscle == muscle and m.side == side), None)

    def measurement(self, side: Side, muscle: Muscle = "maximus") -> SliceMeasurement | None:
        """One muscle and side on the measured slice; None where it has no pixel there."""
        record = self.muscle(side, muscle)
        return None if record is None else record.measurement

    @property
    def muscle_names(self) -> tuple[Muscle, ...]:
        """The muscles that were asked for, the gluteus maximus first; empty where nothing was measured."""
        return tuple(dict.fromkeys(record.muscle for record in self.muscles))

    @property
    def has_whole_muscles(self) -> bool:
        """Whether muscles were measured from end to end."""
        return any(record.whole is not None for record in self.muscles)

    @property
    def stored_slice_index(self) -> int | None:
        """The measured slice in the order of the mask's file; None without a level."""
        if self.level is None or self.series is None:
            return None if self.level is None else self.level.slice_index
        return self.series.stored_slice(self.level.slice_index)

    def area_mm2(self, side: Side, muscle: Muscle = "maximus") -> float | None:
        """On the measured slice; None where the muscle has no pixel there."""
        measured = self.measurement(side, muscle)
        return None if measured is None else measured.area_mm2

    def error_bound_mm2(self, side: Side, muscle: Muscle = "maximus") -> float | None:
        """How far the area may be off, with 90 % certainty; None where it is unknown."""
        record = self.muscle(side, muscle)
        return None if record is None else record.error_bound_mm2

    @property
    def largest_error_bound_percent(self) -> float | None:
        """Of the two sides of the gluteus maximus; None where none is known."""
        bounds = [record.error_bound_percent for record in self.muscles if record.muscle == "maximus"]
        return max((bound for bound in bounds if bound is not None), default=None)

    def volume_cm3(self, side: Side, muscle: Muscle = "maximus") -> float | None:
        """Of a whole muscle; None where the series does not show all of it: a part's volume is no volume."""
        record = self.muscle(side, muscle)
        whole = None if record is None else record.whole
        return whole.volume_cm3 if whole is not None and whole.is_complete else None

    def profile_around_level(self, side: Side, muscle: Muscle = "maximus") -> tuple[ProfilePoint, ...]:
        """The part of the profile around the level, of one muscle and side."""
        return tuple(
            point
            for point in self.profile
            if point.side == side
            and point.muscle == muscle
            and abs(point.offset_mm) <= self.profile_mm + POSITION_TOLERANCE_MM
        )
