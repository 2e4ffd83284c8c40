"""What is known about one study at the end: the types that measurement fills and output writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from glutseg.errors import Flag
from glutseg.image import Muscle, Side

Status = Literal["ok", "review", "failed"]

EDGE_MM = 0.01
"""A slice this little beyond a range still belongs to it: positions are rounded in the headers."""


@dataclass(frozen=True)
class SideMeasurement:
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
class SlicePoint:
    """One muscle of one side on one slice of the profile; ``offset_mm`` from the level, towards the head."""

    side: Side
    slice_index: int
    z_mm: float
    offset_mm: float
    measurement: SideMeasurement
    muscle: Muscle = "maximus"


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
class Height:
    """The patient's height and where it is from; ``height_m`` is None where none is believed."""

    height_m: float | None
    source: Literal["participants", "dicom", "none"]


@dataclass(frozen=True)
class Level:
    """The measured slice. ``slice_index`` counts from 0 in the order of the mask's file."""

    name: str
    slice_index: int
    z_mm: float
    landmarks_mm: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class SeriesRecord:
    """The measured series as the table and the case's record name it.

    ``tilt_degrees`` is the angle between the slices' normal and the patient's long axis, ``is_tilted``
    whether it is large enough to tell an axial section's area apart from the slice's own.
    """

    series_uid: str
    description: str
    kernel: str
    kvp: str
    contrast: str
    slice_thickness_mm: float | None
    pixel_spacing_mm: tuple[float, float]
    slice_spacing_mm: float
    n_slices: int
    sop_uid_of_slice: str
    reason: str
    tilt_degrees: float = 0.0
    is_tilted: bool = False


@dataclass(frozen=True)
class CaseResult:
    """One study: measured (``ok``, ``review``) or not (``failed``, with its reason).

    ``measurements`` and ``confidence`` are those of the gluteus maximus on the measured slice, per side;
    ``others`` and ``other_confidence`` those of the other muscles asked for. ``profile`` holds every slice
    that was segmented: ``slab_mm`` above and below the level, or, where whole muscles were asked for
    (``whole``), from end to end; then ``levels`` holds the named levels that lie in the series, and
    ``levels_missing`` (name, reason) of the rest.
    ``rejected_series`` holds (series UID, reason) of every series not measured, also where none was;
    ``traceback`` only what an unforeseen failure left.
    """

    case_id: str
    patient_id: str
    study_uid: str
    study_date: str
    status: Status
    flags: tuple[Flag, ...] = ()
    error_code: str = ""
    error_message: str = ""
    series: SeriesRecord | None = None
    level: Level | None = None
    measurements: dict[Side, SideMeasurement] = field(default_factory=dict)
    confidence: dict[Side, float] = field(default_factory=dict)
    others: dict[Muscle, dict[Side, SideMeasurement]] = field(default_factory=dict)
    other_confidence: dict[Muscle, dict[Side, float]] = field(default_factory=dict)
    profile: tuple[SlicePoint, ...] = ()
    slab_mm: float = 15.0
    whole: dict[Muscle, dict[Side, WholeMuscle]] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    levels_missing: tuple[tuple[str, str], ...] = ()
    height: Height = Height(None, "none")
    rejected_series: tuple[tuple[str, str], ...] = ()
    traceback: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    def slab(self, side: Side, muscle: Muscle = "maximus") -> tuple[SlicePoint, ...]:
        """The part of the profile around the level, of one muscle and side."""
        return tuple(
            point
            for point in self.profile
            if point.side == side
            and point.muscle == muscle
            and abs(point.offset_mm) <= self.slab_mm + EDGE_MM
        )
