"""One study on its way through the rooms, from its headers to a result."""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from glutseg import anatomy, dicom, quality, segmentation
from glutseg.errors import Flag, GlutsegError
from glutseg.measurement import believe_height, measure_slice, profile, slices_around
from glutseg.output.case_id import case_id
from glutseg.protocol import LevelRule, Protocol
from glutseg.result import CaseResult, LevelFound, SeriesRecord, Side, SideMeasurement, Status
from glutseg.volume import Geometry, Mask, Volume

if TYPE_CHECKING:
    from glutseg.measurement import Participants

log = logging.getLogger(__name__)

TRY_NEXT_SERIES = ("landmark-not-found", "level-outside", "hips-not-found")
"""Errors after which another series of the study may still do, the most telling one first; so may it
after one that could not be read (`UNREADABLE`)."""

UNREADABLE = (
    "no-pixel-data",
    "pixel-data-undecodable",
    "geometry-missing",
    "geometry-irregular",
    "rescale-missing",
    "image-too-large",
)


@dataclass(frozen=True)
class Case:
    """A result with the images it rests on, in the series' own slice order, as far as there are any."""

    result: CaseResult
    volume: Volume | None = None
    mask: Mask | None = None


@dataclass
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def measure_study(study: dicom.Study, protocol: Protocol, participants: Participants | None = None) -> Case:
    """Measure one study, whatever happens.

    Parameters
    ----------
    study : one of ``glutseg.dicom.scan(...).studies``
    protocol : what to measure and how
    participants : heights that go before those of the headers

    Returns
    -------
    Case
        Measured, or ``failed`` with an error's code and message: this does not raise for a bad study.
    """
    clock = _Stopwatch()
    result = _empty_result(study, participants)
    try:
        case = _measure(study, protocol, result, clock)
    except GlutsegError as error:
        case = Case(failed(result, error))
    except Exception as error:  # noqa: BLE001 - the one boundary that keeps the other studies unharmed
        case = Case(failed(result, error))
    return replace(case, result=replace(case.result, seconds=dict(clock.seconds)))


def failed(result: CaseResult, error: Exception) -> CaseResult:
    """``result`` without its numbers and with the reason; unforeseen errors keep their traceback."""
    bare = replace(result, status="failed", measurements={}, confidence={}, profile=())
    if isinstance(error, _AllPassedOverError):
        bare = replace(bare, passed_over=error.passed_over)
    if isinstance(error, GlutsegError):
        message = error.message + (f" [{error.where}]" if error.where else "")
        return replace(bare, error_code=error.code, error_message=message)
    log.error("unforeseen %s in case %s", type(error).__name__, result.case_id)
    return replace(
        bare,
        error_code="internal-error",
        error_message=f"unforeseen {type(error).__name__}",
        traceback="".join(traceback.format_tb(error.__traceback__)),
    )


class _AllPassedOverError(GlutsegError):
    """No series of the study would do; keeps the reason for each."""

    def __init__(self, code: str, message: str, passed_over: tuple[tuple[str, str], ...]) -> None:
        super().__init__(code, message)
        self.passed_over = passed_over


def _empty_result(study: dicom.Study, participants: Participants | None) -> CaseResult:
    name = case_id(study.patient_id, study.study_uid)
    row = participants.of(study.patient_id, name) if participants else None
    height, flags = believe_height(row, study.patient_size_m_raw)
    return CaseResult(
        case_id=name,
        patient_id=study.patient_id,
        study_uid=study.study_uid,
        study_date=_iso_date(study.study_date),
        status="failed",
        height=height,
        flags=study.flags + flags,
    )


def _iso_date(raw: str) -> str:
    """YYYY-MM-DD from DICOM's YYYYMMDD; empty for anything else."""
    match = re.fullmatch(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})", raw.strip(), re.ASCII)
    return "-".join(match.groups()) if match else ""


def _measure(study: dicom.Study, protocol: Protocol, result: CaseResult, clock: _Stopwatch) -> Case:
    """Try the series in the order of their rank until one can be measured."""
    choice = dicom.choose(study, protocol.series)
    passed_over = list(choice.passed_over)
    errors: list[GlutsegError] = []
    for rank, series in enumerate(choice.candidates):
        try:
            with clock.time("read"):
                loaded = dicom.read(series)
            doubted = replace(result, flags=result.flags + dicom.series_flags(series, protocol.series))
            case = _measure_series(loaded, protocol, doubted, clock)
        except GlutsegError as error:
            if error.code not in TRY_NEXT_SERIES + UNREADABLE:
                raise
            errors.append(error)
            passed_over.append((series.series_uid, f"{error.code}: {error.message}"))
            continue
        reason = choice.reason if rank == 0 else f"{rank} better ranked series could not be measured"
        rest = [(uid, f"ranked lower: {why}") for uid, why in choice.ranked_lower[rank:]]
        record = _series_record(series, loaded, case.result.level, reason)
        kept = replace(case.result, series=record, passed_over=tuple(passed_over + rest))
        return replace(case, result=kept)
    raise _why_none(study, errors, tuple(passed_over))


def _why_none(
    study: dicom.Study, errors: list[GlutsegError], passed_over: tuple[tuple[str, str], ...]
) -> GlutsegError:
    """The most telling of several errors, so that the table names one reason."""
    if not errors:
        code = "no-usable-series" if any(s.modality == "CT" for s in study.series) else "no-ct"
        reasons = sorted({reason for _, reason in passed_over})
        return _AllPassedOverError(code, "; ".join(reasons) or "the study has no series", passed_over)
    told = min(
        errors,
        key=lambda e: TRY_NEXT_SERIES.index(e.code) if e.code in TRY_NEXT_SERIES else len(TRY_NEXT_SERIES),
    )
    return _AllPassedOverError(
        told.code, told.message + (f" [{told.where}]" if told.where else ""), passed_over
    )


def _measure_series(
    loaded: dicom.LoadedSeries, protocol: Protocol, result: CaseResult, clock: _Stopwatch
) -> Case:
    """Find the level, segment and measure; an error of the segmentation keeps the level for its picture."""
    own = loaded.volume.geometry
    volume = loaded.volume.canonical()
    with clock.time("anatomy"):
        found = anatomy.find_anatomy(volume)
        level = _level(volume, found, _canonical_rule(protocol.level, own))
    own_level = _own_level(level, own)
    k = own_level.slice_index
    result = replace(result, flags=result.flags + loaded.flags + level.flags, level=own_level)
    try:
        with clock.time("segmentation"):
            around = slices_around(volume.geometry, level.slice_index, protocol.level.profile_mm)
            segmented = segmentation.segment(volume, found, around, measured=level.slice_index)
        mask = segmented.mask.restored(own)
        with clock.time("measurement"):
            measurements, flags = measure_level(loaded.volume, mask, k, protocol)
            points = profile(loaded.volume, mask, k, protocol.level.profile_mm, protocol.tissue)
        doubts = (
            *quality.check_metal(loaded.volume, mask, k),
            *quality.check_field_of_view(loaded.volume, mask, k),
            *quality.check_sides(measurements, segmented.confidence, segmented.visible, points),
        )
    except GlutsegError as error:
        return Case(failed(result, error), loaded.volume)
    result = replace(
        result,
        flags=result.flags + flags + doubts,
        measurements=measurements,
        confidence=dict(segmented.confidence),
        profile=points,
    )
    return Case(replace(result, status=status_of(result.flags)), loaded.volume, mask)


def locate(volume: Volume, rule: LevelRule) -> LevelFound:
    """The level of a volume in its own slice order.

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``landmark-not-found``, ``level-outside``.
    """
    canonical = volume.canonical()
    found = anatomy.find_anatomy(canonical)
    return _own_level(_level(canonical, found, _canonical_rule(rule, volume.geometry)), volume.geometry)


def _own_level(level: anatomy.Level, own: Geometry) -> LevelFound:
    k = own.canonical_slice(level.slice_index)
    return LevelFound(level.name, k, own.slice_z_mm(k), dict(level.landmarks_mm))


def _canonical_rule(rule: LevelRule, geometry: Geometry) -> LevelRule:
    """The rule with a slice given by hand (in the order of the series) turned to canonical order."""
    if rule.slice_index is None:
        return rule
    n = geometry.shape[0]
    if rule.slice_index >= n:
        raise GlutsegError(
            "level-outside", f"slice {rule.slice_index} asked for, there are slices 0 to {n - 1}"
        )
    return rule.model_copy(update={"slice_index": geometry.canonical_slice(rule.slice_index)})


def _level(volume: Volume, found: anatomy.Anatomy, rule: LevelRule) -> anatomy.Level:
    """The level on a canonical volume; ``peak-area`` is the one that only the areas can tell."""
    if rule.landmark == "peak-area":
        return segmentation.peak_level(volume, found, rule)
    return anatomy.find_level(found, rule)


def measure_level(
    volume: Volume, mask: Mask, slice_index: int, protocol: Protocol
) -> tuple[dict[Side, SideMeasurement], tuple[Flag, ...]]:
    """Both sides on the measured slice; a side without a pixel is left out and flagged.

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when neither side has a pixel.
    """
    both = measure_slice(volume, mask, slice_index, protocol.tissue)
    measured = {side: m for side, m in both.items() if m.area_mm2 > 0}
    if not measured:
        raise GlutsegError(
            "muscle-not-found", "neither side was found on the measured slice", f"slice {slice_index}"
        )
    missing = [side for side in both if side not in measured]
    return measured, tuple(
        Flag("muscle-not-found", "not found on the measured slice", side) for side in missing
    )


def status_of(flags: tuple[Flag, ...]) -> Status:
    """``ok`` when no flag asks for a person to look."""
    return "ok" if all(flag.severity == "note" for flag in flags) else "review"


def _series_record(
    series: dicom.Series, loaded: dicom.LoadedSeries, level: LevelFound | None, reason: str
) -> SeriesRecord:
    geometry = loaded.volume.geometry
    return SeriesRecord(
        series_uid=series.series_uid,
        description=series.description,
        kernel=series.kernel,
        kvp=str(series.kvp or ""),
        contrast=str(series.contrast or ""),
        slice_thickness_mm=series.slice_thickness_mm,
        pixel_spacing_mm=geometry.spacing_mm[1:],
        slice_spacing_mm=geometry.spacing_mm[0],
        n_slices=geometry.shape[0],
        sop_uid_of_slice=loaded.sop_uids[level.slice_index] if level else "",
        reason=reason,
    )
