"""One study on its way through the rooms, from its headers to a result."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace

from glutseg import dicom
from glutseg.case.localise import needed_slices
from glutseg.case.memory import with_needs
from glutseg.case.model import Case, NoUsableSeriesError, Stopwatch, failed
from glutseg.case.route import measure_case
from glutseg.errors import Flag, GlutsegError
from glutseg.image import CtImage
from glutseg.measurement import Participants, believe_height
from glutseg.output.case_id import case_id
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Level, SeriesRecord
from glutseg.segmentation import AUTOMATIC, Outliner

log = logging.getLogger(__name__)


def measure_study(
    study: dicom.Study,
    protocol: Protocol,
    participants: Participants | None = None,
    outliner: Outliner = AUTOMATIC,
    fetch: dicom.Fetch = dicom.already_local,
) -> Case:
    """Measure one study, whatever happens.

    Parameters
    ----------
    study : one of ``glutseg.dicom.scan(...).studies``
    protocol : what to measure and how
    participants : heights that go before those of the headers
    outliner : who outlines the muscles
    fetch : called with slices before they are read, where they are not on this disk yet

    Returns
    -------
    Case
        Measured, or ``failed`` with an error's code and message: this does not raise for a bad study.
    """
    return catch_errors(
        study, participants, lambda result, clock: _measure(study, protocol, result, clock, outliner, fetch)
    )


def catch_errors(
    study: dicom.Study, participants: Participants | None, measure: Callable[[CaseResult, Stopwatch], Case]
) -> Case:
    """What ``measure`` makes of the study's empty result, or that with the reason why there is none."""
    clock = Stopwatch()
    result = empty_result(study, participants)
    try:
        case = measure(result, clock)
    except GlutsegError as error:
        if error.scope == "run":
            raise
        case = Case(failed(result, error))
    except Exception as error:  # noqa: BLE001 - the one boundary that keeps the other studies going
        case = Case(failed(result, with_needs(study, error)))
    return replace(case, result=replace(case.result, seconds=dict(clock.seconds)))


def failed_result(study: dicom.Study, participants: Participants | None, error: GlutsegError) -> CaseResult:
    """The result of a study that was never measured to its end, for instance because its process died."""
    return failed(empty_result(study, participants), with_needs(study, error))


def empty_result(study: dicom.Study, participants: Participants | None) -> CaseResult:
    """What is known of a study before anything is measured."""
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


def _measure(
    study: dicom.Study,
    protocol: Protocol,
    result: CaseResult,
    clock: Stopwatch,
    outliner: Outliner,
    fetch: dicom.Fetch,
) -> Case:
    """Try the series in the order of their rank until one can be measured.

    Where none can, the flags of the one whose error is named stay: they may say why.
    """
    choice = dicom.choose(study, protocol.series, single_slices=protocol.level.is_given)
    rejected_series = list(choice.rejected_series)
    failures: list[tuple[GlutsegError, CaseResult]] = []
    for rank, series in enumerate(choice.candidates):
        base = replace(result, flags=result.flags + dicom.series_flags(series, protocol.series))
        of_images = list(series.flags)
        try:
            image, case = _measure_one(series, protocol, base, clock, outliner, fetch, of_images)
        except Exception as error:  # what was found of the series stays with any error
            known = replace(base, flags=base.flags + tuple(of_images))
            if not isinstance(error, GlutsegError) or error.scope == "study":
                return Case(failed(known, with_needs(study, error)))
            if error.scope == "run":
                raise
            failures.append((error, known))
            rejected_series.append(dicom.reason_with_part(series, f"{error.code}: {error.message}"))
            continue
        reason = choice.reason if rank == 0 else f"{rank} better ranked series could not be measured"
        rest = [(uid, f"ranked lower: {why}") for uid, why in choice.lower_ranked_series[rank:]]
        record = series_record(series, image, case.result.level, reason)
        kept = replace(case.result, series=record, rejected_series=tuple(rejected_series + rest))
        return replace(case, result=kept)
    first, known = min(failures, key=lambda one: one[0].precedence, default=(None, result))
    return Case(failed(known, _why_none(study, first, tuple(rejected_series))))


def _measure_one(
    series: dicom.Series,
    protocol: Protocol,
    result: CaseResult,
    clock: Stopwatch,
    outliner: Outliner,
    fetch: dicom.Fetch,
    of_images: list[Flag],
) -> tuple[CtImage, Case]:
    """One series, of which no more is read than has to be; if that is not enough, all of it.

    ``of_images`` becomes the flags of the images as soon as they are read.
    """
    with clock.time("read"):
        localiser = dicom.read_localiser(series, fetch)
    with clock.time("anatomy"):
        needed = needed_slices(localiser, protocol, outliner) if localiser else None
    if localiser and needed:
        with clock.time("read"):
            part = dicom.read_near(localiser, needed.slices)
        localiser = None  # its slices are in the part as well
        try:
            if part:
                of_images[:] = part.flags
                hips = needed.hips
                return part, measure_case(part, outliner, protocol, base=result, hips=hips, clock=clock)
        except GlutsegError as error:
            log.info("all slices are read, those near the hips are not enough: %s", error.code)
    with clock.time("read"):
        image = dicom.read(series, fetch=fetch)
    of_images[:] = image.flags
    return image, measure_case(image, outliner, protocol, base=result, clock=clock)


def _why_none(
    study: dicom.Study, first: GlutsegError | None, rejected_series: tuple[tuple[str, str], ...]
) -> GlutsegError:
    """The most telling error, so that the table names one reason; without one, why no series was tried."""
    if first is None:
        return NoUsableSeriesError(*dicom.why_none(study, rejected_series), rejected_series)
    return NoUsableSeriesError(
        first.code, first.message + (f" [{first.where}]" if first.where else ""), rejected_series
    )


def series_record(series: dicom.Series, image: CtImage, level: Level | None, reason: str) -> SeriesRecord:
    """The series as tables and records name it."""
    geometry = image.stored
    return SeriesRecord(
        series_uid=series.series_uid,
        description=series.description,
        kernel=series.kernel,
        kvp=series.tags.kvp,
        contrast=series.tags.contrast,
        slice_thickness_mm=series.tags.slice_thickness_mm,
        pixel_spacing_mm=geometry.spacing_mm[1:],
        slice_spacing_mm=geometry.spacing_mm[0] if geometry.shape[0] > 1 else None,
        n_slices=geometry.shape[0] - len(image.missing_slices),
        sop_uid_of_slice=image.sop_uids[level.slice_index] if level else "",
        reason=reason,
        tilt_degrees=round(geometry.tilt_degrees, 3),
        is_tilted=dicom.is_tilted(geometry),
        grid_slices=geometry.shape[0],
        runs_to_feet=geometry.runs_to_feet,
    )
